import numpy as np
import pytest
import tensorflow as tf

from fer_tf import losses
from tests.fer_tf.losses.gradients import gradient

RNG = np.random.default_rng(0)


def test_region_masks_are_summed_as_printed():
    """A miss of 1/2 everywhere costs 1568 / 4 = 392; Caffe's layer halves it."""
    masks = np.full((2, 14, 14, 8), 0.5, "float32")
    targets = np.zeros_like(masks)
    np.testing.assert_allclose(losses.region_mask_loss(targets, masks), [392, 392])
    half = losses.region_mask_loss(targets, masks, caffe_half=True)
    np.testing.assert_allclose(half, [196, 196])


def test_squared_error_of_one_and_of_two_outputs():
    np.testing.assert_allclose(losses.squared_error([1.0, 0.0], [0.5, 2.0]), [0.25, 4])
    np.testing.assert_allclose(losses.squared_error([[1.0, 0.0]], [[0.0, 2.0]]), [2.5])


def test_tukey_by_hand():
    """rho(2) = 1.658 against 2 = r^2 / 2; c^2 / 6 from c on; psi(1) = .911."""
    c = 4.685
    residuals = np.array([0.0, 2.0, c, 50.0, -2.0])
    by_hand = [0, 1.658, c * c / 6, c * c / 6, 1.658]
    np.testing.assert_allclose(
        losses.tukey_biweight(np.zeros(5), residuals), by_hand, atol=1e-3
    )
    _, slope = gradient(
        lambda p: losses.tukey_biweight(np.zeros(4), p), [0.5, 1.0, 2.0, 5.0]
    )
    np.testing.assert_allclose(slope, [0.4885, 0.911, 1.338, 0], atol=1e-3)


@pytest.mark.parametrize("num_valid", [1, 2, 7, 8])
def test_tukey_divides_by_the_median_absolute_deviation(num_valid):
    targets = RNG.normal(size=(8, 2))
    predictions = RNG.normal(size=(8, 2))
    weights = np.arange(8) < num_valid
    r = predictions - targets
    middle = np.median(r[weights], axis=0)
    mad = 1.4826 * np.median(np.abs(r[weights] - middle), axis=0)
    z = r / np.maximum(mad, 1e-3) / 4.685
    expected = 4.685**2 / 6 * (1 - np.maximum(1 - z**2, 0) ** 3)
    ours = losses.tukey_biweight(targets, predictions, weights, scale="mad")
    np.testing.assert_allclose(ours, expected.mean(1), rtol=1e-4)
    # The scale is a constant: the slope is psi(r / mad) / mad and no more.
    _, slope = gradient(
        lambda p: losses.tukey_biweight(targets, p, weights, scale="mad"), predictions
    )
    psi = 4.685 * z * np.maximum(1 - z**2, 0) ** 2 / np.maximum(mad, 1e-3) / 2
    np.testing.assert_allclose(slope, psi, rtol=1e-3, atol=1e-5)


def numpy_ccc(t, p):
    cov = np.mean((t - t.mean()) * (p - p.mean()))
    return 2 * cov / (t.var() + p.var() + (t.mean() - p.mean()) ** 2)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_ccc_loss(jit_compile):
    t, p = RNG.uniform(-1, 1, (2, 64, 2)).astype("float32")
    w = np.arange(64) % 3 > 0
    fn = tf.function(losses.ccc_loss, jit_compile=jit_compile)
    expected = 1 - (numpy_ccc(t[:, 0], p[:, 0]) + numpy_ccc(t[:, 1], p[:, 1])) / 2
    np.testing.assert_allclose(fn(t, p), expected, rtol=1e-5)
    t0, p0 = t[w], p[w]
    expected = 1 - (numpy_ccc(t0[:, 0], p0[:, 0]) + numpy_ccc(t0[:, 1], p0[:, 1])) / 2
    np.testing.assert_allclose(fn(t, p, w), expected, rtol=1e-5)
    # Means 2 and 3, variances 2/3: rho = 4/7.
    np.testing.assert_allclose(fn([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]), 3 / 7, rtol=1e-5)
    np.testing.assert_allclose(fn(t, t), 0.0, atol=1e-6)


def test_each_output_may_have_its_own_missing_labels():
    t, p = RNG.uniform(-1, 1, (2, 32, 2)).astype("float32")
    w = np.stack([np.arange(32) % 3 > 0, np.arange(32) % 4 > 0], axis=1)
    columns = [(t[w[:, k], k], p[w[:, k], k]) for k in (0, 1)]
    expected = 1 - np.mean([numpy_ccc(*column) for column in columns])
    np.testing.assert_allclose(losses.ccc_loss(t, p, w), expected, rtol=1e-5)
    ours = losses.tukey_biweight(t, p, w, scale="mad")
    z = np.empty_like(t)
    for k, (true, guess) in enumerate(columns):
        middle = np.median(guess - true)
        mad = 1.4826 * np.median(np.abs(guess - true - middle))
        z[:, k] = (p - t)[:, k] / mad / 4.685
    rho = 4.685**2 / 6 * (1 - np.maximum(1 - z**2, 0) ** 3)
    np.testing.assert_allclose(ours, rho.mean(1), rtol=1e-4)


def test_ccc_gradient_is_the_numerical_one():
    t = RNG.uniform(-1, 1, 16)
    p = RNG.uniform(-1, 1, 16)
    _, slope = gradient(lambda x: losses.ccc_loss(t, x), p)
    steps = 1e-6 * np.eye(16)
    numerical = [(numpy_ccc(t, p - s) - numpy_ccc(t, p + s)) / 2e-6 for s in steps]
    np.testing.assert_allclose(slope, numerical, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("constant", ["both", "targets", "predictions", "equal"])
def test_ccc_of_a_constant_batch_is_finite(constant):
    t = RNG.uniform(-1, 1, (8, 2))
    p = RNG.uniform(-1, 1, (8, 2))
    if constant in ("both", "targets", "equal"):
        t[:] = 0.1
    if constant in ("both", "predictions"):
        p[:] = 0.3
    if constant == "equal":
        p[:] = 0.1
    value, slope = gradient(lambda x: losses.ccc_loss(t, x), p)
    np.testing.assert_allclose(value, 1.0, atol=1e-3)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("num_valid, expected", [(0, 0.0), (1, 0.0), (2, None)])
def test_ccc_of_too_few_rows_is_nothing(num_valid, expected):
    t, p = RNG.uniform(-1, 1, (2, 6, 2))
    w = np.arange(6) < num_valid
    value, slope = gradient(lambda x: losses.ccc_loss(t, x, w), p)
    if expected is None:
        assert value > 0 and slope[w].all()
    else:
        assert value == 0 and not slope.any()


@pytest.mark.parametrize("arguments", [dict(c=0.0), dict(scale=-1.0), dict(scale="x")])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match="Received"):
        losses.tukey_biweight([0.5], [1.0], **arguments)


@pytest.mark.parametrize(
    "fn", [losses.squared_error, losses.tukey_biweight, losses.ccc_loss]
)
def test_a_column_against_a_vector_does_not_broadcast(fn):
    t, p = RNG.uniform(-1, 1, (2, 6)).astype("float32")
    expected = fn(t, p)
    np.testing.assert_allclose(fn(t, p[:, None]), expected, rtol=1e-6)
    np.testing.assert_allclose(fn(t[:, None], p), expected, rtol=1e-6)
    with pytest.raises(ValueError, match=r"Received: \(6,\) and \(6, 2\)"):
        fn(t, np.stack([p, p], 1))
