import keras
import numpy as np
import pytest

from fer_tf.layers.color_normalization import ColorNormalization


def test_bgr_minus_mean():
    layer = ColorNormalization((1, 2, 3), channel_order="bgr")
    red_first = np.array([[[[10, 20, 30]]]], "float32")
    np.testing.assert_allclose(layer(red_first), [[[[29, 18, 7]]]])


def test_rgb_over_std():
    layer = ColorNormalization((10, 10, 10), std=(1, 2, 4))
    np.testing.assert_allclose(layer(np.full((1, 1, 1, 3), 18.0)), [[[[8, 4, 2]]]])


def test_no_weights_and_float32_in_half_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = ColorNormalization((91.4953, 103.8827, 131.0912))
    finally:
        keras.config.set_dtype_policy(policy)
    out = layer(np.zeros((1, 1, 1, 3), "float32"))
    assert keras.backend.standardize_dtype(out.dtype) == "float32"
    np.testing.assert_allclose(out[0, 0, 0], [-91.4953, -103.8827, -131.0912])
    assert not layer.weights


def test_survives_its_config():
    layer = ColorNormalization((1, 2, 3), (4, 5, 6), "bgr", name="n")
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
    red_first = np.array([[[[10, 20, 30]]]], "float32")
    np.testing.assert_allclose(copy(red_first), [[[[29 / 4, 18 / 5, 7 / 6]]]])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"mean": (1, 2, 3), "channel_order": "brg"}, "one of rgb, bgr"),
        ({"mean": (1, 2)}, "three numbers"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        ColorNormalization(**arguments)
