import keras
import numpy as np
import pytest
from keras import layers

from fer_tf import explain
from fer_tf.explain import gradient_maps
from fer_tf.models import MODELS, create_model
from tests.fer_tf.explain.test_own_attention import SMALL, images


def randomised(model):
    """Biases too: without them a ReLU net's gradients are special."""
    rng = np.random.default_rng(1)
    for variable in model.weights:
        if variable.path.endswith("bias"):
            variable.assign(rng.normal(0, 0.2, variable.shape))
    return model


@pytest.fixture(scope="module")
def pooled():
    """conv -> ReLU -> pool -> dense: its CAM has a closed form."""
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(4, 3, strides=2, activation="relu", name="conv")(image)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    logits = layers.Dense(3, name="logits")(x)
    return keras.Model(image, {"expression": logits, "other": layers.Dense(2)(x)})


def test_grad_cam_in_closed_form(pooled):
    """The derivative of a mean is the weight over the 9 pixels, at each of them."""
    x = images(pooled, 3) / 255
    maps = np.asarray(keras.Model(pooled.input, pooled.get_layer("conv").output)(x))
    targets = np.array([2, 0, 1])
    weights = pooled.get_layer("logits").kernel.numpy()[:, targets].T / 9
    cam = np.maximum((maps * weights[:, None, None]).sum(-1), 0)
    got = explain.explain(pooled, x, target=targets)
    assert got["grad_cam"].shape == (3, 8, 8) and cam.max() > 0
    # Half-pixel bilinear from 3 to 8: output i is at (i + 1/2) 3/8 - 1/2.
    position = np.clip((np.arange(8) + 0.5) * 3 / 8 - 0.5, 0, 2)
    low = np.minimum(position.astype(int), 1)
    matrix = np.zeros((8, 3))
    matrix[np.arange(8), low] = 1 - (position - low)
    matrix[np.arange(8), low + 1] = position - low
    np.testing.assert_allclose(got["grad_cam"], matrix @ cam @ matrix.T, atol=1e-5)
    logits = np.asarray(pooled(x)["expression"])
    np.testing.assert_allclose(got["score"], logits[range(3), targets], rtol=1e-5)
    np.testing.assert_array_equal(got["target"], targets)


def test_target_is_the_largest_if_not_given(pooled):
    x = images(pooled, 4)
    best = np.asarray(pooled(x)["other"]).argmax(1)
    got = explain.explain(pooled, x, task="other")
    np.testing.assert_array_equal(got["target"], best)
    given = explain.explain(pooled, x, task="other", target=best)
    for name, value in got.items():
        np.testing.assert_allclose(value, given[name], atol=1e-6)


def test_guided_backpropagation_by_hand():
    """Five kinds of ReLU, also inside a model; gates by sigmoids as they are."""
    image = keras.Input((1, 1, 6), name="image")
    inner_input = keras.Input((5,))
    x = layers.Activation("relu")(layers.Dense(5, name="b")(inner_input))
    inner = keras.Model(inner_input, x, name="inner")
    x = layers.Conv2D(5, 1, activation="relu", name="a")(image)
    x = layers.Flatten()(x)
    x = layers.ReLU()(layers.Dense(5, name="c")(inner(x)))
    gate = layers.Dense(5, activation="sigmoid", name="g")(x)
    x = layers.Multiply()([x, gate])
    x = layers.Dense(5, activation="relu", name="d")(x)
    model = keras.Model(image, {"expression": layers.Dense(2, name="e")(x)})
    model = randomised(model)
    w = {v.path: v.numpy().astype(float).squeeze() for v in model.variables}
    rng = np.random.default_rng(0)

    for x in rng.normal(size=(5, 6)):
        values, z = [], x
        for name in "abc":
            z = np.maximum(z @ w[f"{name}/kernel"] + w[f"{name}/bias"], 0)
            values.append(z)
        s = 1 / (1 + np.exp(-(z @ w["g/kernel"] + w["g/bias"])))
        d = np.maximum((z * s) @ w["d/kernel"] + w["d/bias"], 0)

        grad = w["e/kernel"][:, 1]
        grad = np.maximum(grad, 0) * (d > 0) @ w["d/kernel"].T
        grad = grad * s + (grad * z * s * (1 - s)) @ w["g/kernel"].T
        for name, value in zip("cba", reversed(values)):
            grad = np.maximum(grad, 0) * (value > 0) @ w[f"{name}/kernel"].T
        got = explain.guided_backpropagation(model, x[None, None, None], target=1)
        np.testing.assert_allclose(got[0, 0, 0], grad, atol=1e-6)


@pytest.mark.parametrize(
    "name, overrides, layer",
    [
        ("gan_vgg16", {"input_shape": (96, 96, 3)}, "conv5_3"),
        ("gan_man", {"input_shape": (96, 96, 3)}, "conv5_3"),
        ("multitask_cnn", {}, "stage3_conv3"),
        # Its last maps are of 2 x 2.
        ("face_resnet29", {"input_shape": (96, 96, 1)}, "conv128_2_relu2"),
    ],
)
def test_grad_cam_looks_at_the_last_convolution(name, overrides, layer):
    model = create_model(name, width=1 / 8, **overrides)
    assert explain.last_feature_map(model) == layer


def test_guided_grad_cam_is_the_product(pooled):
    x = images(pooled, 2)
    got = explain.explain(pooled, x, task="expression")
    np.testing.assert_allclose(
        got["guided_grad_cam"],
        got["guided_backpropagation"] * np.asarray(got["grad_cam"])[..., None],
        atol=1e-6,
    )


def test_frozen_masks_do_not_leak():
    """The guided gradient through RASnet's masks is that with the masks given."""
    options = {"input_shape": (96, 96, 3), "width": 1 / 8}
    predicted = randomised(create_model("gan_man", **options))
    given = create_model("gan_man", masks="given", **options)
    weights = {v.path: v for v in predicted.weights}
    for variable in given.weights:
        variable.assign(weights[variable.path])
    x = images(predicted)
    first = explain.explain(predicted, x)
    inputs = {"image": x, "region_masks": first["region_masks"]}
    second = explain.explain(given, inputs)
    assert np.abs(first["guided_backpropagation"]).max() > 0
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], atol=1e-6, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", {v.builder.__name__: name for name, v in reversed(MODELS.items())}.values()
)
def test_every_paper(name):
    options = SMALL.get(MODELS[name].builder.__name__, {})
    model = randomised(create_model(name, width=1 / 8, **options))
    x = images(model)
    before = {k: np.asarray(v) for k, v in model(x).items()}
    got = explain.explain(model, x)
    shape = x.shape
    assert got["grad_cam"].shape == shape[:3] and (got["grad_cam"] >= 0).all()
    assert got["guided_grad_cam"].shape == shape
    assert np.abs(got["guided_backpropagation"]).max() > 0
    assert all(np.isfinite(v).all() for v in got.values())
    for key, value in model(x).items():  # The layers are as they were.
        np.testing.assert_array_equal(value, before[key])


def test_layers_are_restored_after_an_error(pooled):
    conv = pooled.get_layer("conv")
    with pytest.raises(RuntimeError), gradient_maps._followed_by(conv, 0):
        raise RuntimeError
    assert "call" not in vars(conv)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"task": "age"}, "expression, other.*'age'"),
        ({"target": 3}, r"0\.\.2.*\[3, 3\]"),
        ({"target": [0, -1]}, "0..2"),
        ({"layer": "pool"}, "layer='pool'"),
    ],
)
def test_errors(options, message, pooled):
    with pytest.raises(ValueError, match=message):
        explain.grad_cam(pooled, images(pooled), **options)
