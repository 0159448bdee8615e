import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.layers.bilinear_resize import BilinearResize


def test_half_pixel_centres_by_hand():
    """Doubled: new centres lie a quarter pixel either side of the old ones."""
    row = np.array([0, 4, 8], "float32").reshape(1, 1, 3, 1)
    doubled = BilinearResize(1, 6)(row)
    np.testing.assert_allclose(np.ravel(doubled), [0, 1, 3, 5, 7, 8], atol=1e-6)


def test_odd_sizes_are_reached():
    row = np.array([0, 3], "float32").reshape(1, 2, 1, 1)
    # Centres of 3 over 2 pixels: 1/3 - 1/2 (held at the edge), 1/2, 5/3 - 1/2.
    resized = BilinearResize(3, 1)(row)
    np.testing.assert_allclose(np.ravel(resized), [0, 1.5, 3], atol=1e-6)


def test_config_xla_and_half_precision():
    layer = BilinearResize(5, 7, name="up")
    copy = BilinearResize.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 6)).astype("float32")
    compiled = tf.function(layer, jit_compile=True)(x)
    np.testing.assert_allclose(layer(x), compiled, atol=1e-6)
    half = BilinearResize(5, 7, dtype="mixed_float16")(x)
    assert half.dtype == tf.float16 and half.shape == (2, 5, 7, 6)
    assert layer.compute_output_shape((None, 3, 4, 6)) == (None, 5, 7, 6)


def test_gradient_reaches_every_pixel():
    x = tf.random.stateless_normal((1, 3, 3, 2), (0, 0))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(BilinearResize(6, 6)(x))
    # Weights of each output sum to 1: 36 outputs, two channels.
    gradient = tape.gradient(total, x)
    np.testing.assert_allclose(tf.reduce_sum(gradient), 72, rtol=1e-6)
    assert tf.reduce_min(gradient) > 0


def test_sizes_must_be_positive():
    with pytest.raises(ValueError, match="Received: height=0, width=3"):
        BilinearResize(0, 3)


def test_registered():
    name = keras.saving.get_registered_name(BilinearResize)
    assert name == "fer_tf>BilinearResize"
