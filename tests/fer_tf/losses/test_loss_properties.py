"""What holds for every loss class."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fer_tf import losses
from tests.fer_tf.losses.gradients import gradient

FAST = settings(max_examples=12, deadline=None)
RNG = np.random.default_rng(0)


# name: (class, targets, predictions) of 6 rows.
VA, GUESS = RNG.uniform(-1, 1, (2, 6, 2))
CLASSES = {
    "cross_entropy": (losses.CrossEntropy, np.arange(6) % 3, RNG.normal(size=(6, 3))),
    "smooth": (
        lambda: losses.CrossEntropy(label_smoothing=0.1),
        np.arange(6) % 3,
        RNG.normal(size=(6, 3)),
    ),
    "au": (
        losses.ActionUnitCrossEntropy,
        RNG.integers(0, 2, (6, 8)),
        RNG.normal(size=(6, 8)),
    ),
    "au_mean": (
        lambda: losses.ActionUnitCrossEntropy(over_units="mean"),
        RNG.integers(0, 2, (6, 8)),
        RNG.normal(size=(6, 8)),
    ),
    "tukey": (losses.TukeyBiweight, VA, GUESS),
    "tukey_mad": (lambda: losses.TukeyBiweight(scale="mad"), VA, GUESS),
    "ccc": (losses.CCCLoss, VA, GUESS),
}


@pytest.mark.parametrize("name", CLASSES)
@FAST
@given(data=st.data())
def test_masked_rows_are_as_absent(name, data):
    make, targets, predictions = CLASSES[name]
    weights = data.draw(hnp.arrays(np.int32, 6, elements=st.integers(0, 1)))
    junk = data.draw(st.sampled_from([-1e4, 0.0, 1e4, np.nan, np.inf]))
    fn, kept = make(), weights > 0
    spoil = lambda rows: np.where(kept.reshape(-1, *[1] * (rows.ndim - 1)), rows, junk)
    spoilt = spoil(predictions)
    labels = spoil(targets)  # A missing label is often NaN.
    value, slope = gradient(lambda p: fn(labels, p, sample_weight=weights), spoilt)
    assert not slope[~kept].any()
    same, _ = gradient(lambda p: fn(labels, p, sample_weight=kept), spoilt)
    assert value == same  # Validity is often said in booleans.
    if not kept.any():
        assert value == 0
        return
    alone, slope_alone = gradient(lambda p: fn(targets[kept], p), predictions[kept])
    np.testing.assert_allclose(value, alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slope[kept], slope_alone, rtol=1e-3, atol=1e-5)


def test_a_weight_for_every_output_is_refused_where_rows_are_weighed():
    square = np.eye(4, dtype=np.float32)  # Would broadcast without a word.
    with pytest.raises(ValueError, match=r"must be \(batch,\). Received: shape \(4, 4"):
        losses.TukeyBiweight()(square, square, sample_weight=square)
    assert losses.TukeyBiweight()(square, square, sample_weight=np.ones((4, 1))) == 0


@pytest.mark.parametrize("name", CLASSES)
@FAST
@given(data=st.data())
def test_extremes_stay_finite(name, data):
    make, targets, predictions = CLASSES[name]
    extremes = st.sampled_from([-1e8, -100.0, -1.0, 0.0, 1e-30, 1.0, 100.0, 1e8])
    wild = data.draw(hnp.arrays(np.float32, predictions.shape, elements=extremes))
    value, slope = gradient(lambda p: make()(targets, p), wild)
    assert np.isfinite(value) and np.isfinite(slope).all()


@pytest.mark.parametrize(
    "make, fn, name",
    [
        (losses.CrossEntropy, losses.cross_entropy, "cross_entropy"),
        (CLASSES["smooth"][0],
         lambda t, p: losses.cross_entropy(t, p, label_smoothing=0.1), "smooth"),
        (losses.ActionUnitCrossEntropy, losses.action_unit_cross_entropy, "au"),
        (CLASSES["au_mean"][0],
         lambda t, p: losses.action_unit_cross_entropy(t, p, reduction="mean"), "au"),
        (losses.TukeyBiweight, losses.tukey_biweight, "tukey"),
        (lambda: losses.TukeyBiweight(c=0.5, scale=0.3),
         lambda t, p: losses.tukey_biweight(t, p, c=0.5, scale=0.3), "tukey"),
        (CLASSES["tukey_mad"][0],
         lambda t, p: losses.tukey_biweight(t, p, scale="mad"), "tukey"),
        (losses.CCCLoss, losses.ccc_loss, "ccc"),
    ],
)  # fmt: skip
def test_a_class_is_the_mean_of_its_function(make, fn, name):
    _, targets, predictions = CLASSES[name]
    expected = np.mean(fn(targets, predictions))
    fn_class = make()
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(fn_class)
    )
    for one in (fn_class, again):
        np.testing.assert_allclose(one(targets, predictions), expected, rtol=1e-5)


@pytest.mark.parametrize("name", CLASSES)
def test_class_round_trip_xla_and_half_precision(name):
    make, targets, predictions = CLASSES[name]
    fn = make()
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(fn)))
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == fn.get_config()
    expected = fn(targets, predictions)
    compiled = tf.function(lambda t, p, w: again(t, p, w), jit_compile=True)
    np.testing.assert_allclose(
        compiled(targets, predictions, np.ones(6)), expected, rtol=1e-5
    )
    half = fn(targets, tf.cast(predictions, tf.float16))
    assert half.dtype == tf.float32
    np.testing.assert_allclose(half, expected, rtol=1e-2)
