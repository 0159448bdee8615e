import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.layers.pixel_scaling import PixelScaling


@pytest.mark.parametrize("low, high, middle", [(-1, 1, 0), (0, 1, 0.5)])
def test_ends_and_middle(low, high, middle):
    x = np.array([[0, 127.5, 255]], "float32")
    y = PixelScaling(low, high)(x)
    np.testing.assert_allclose(y, [[low, middle, high]], atol=1e-6)


def test_grey_levels_are_not_rounded_in_half_precision():
    levels = np.arange(256)[None]
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        y = PixelScaling()(levels)
    finally:
        keras.config.set_dtype_policy(policy)
    assert y.dtype == tf.float32
    np.testing.assert_allclose(y, levels / 127.5 - 1, atol=1e-6)


def test_config():
    layer = PixelScaling(0, 1, name="scale")
    assert PixelScaling.from_config(layer.get_config()).get_config() == {
        **layer.get_config(),
        "low": 0.0,
        "high": 1.0,
    }
    assert not layer.weights
