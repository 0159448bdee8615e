import keras
import numpy as np
import pytest

from fer_tf.layers.small_map_conv2d import SmallMapConv2D

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a TensorFlow kernel"
)


def _direct(x, kernel, bias):
    """Same-padded cross-correlation, one output position at a time."""
    rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.pad(x, [(0, 0), (rows, rows), (columns, columns), (0, 0)])
    y = np.zeros((*x.shape[:3], kernel.shape[-1]))
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            window = padded[:, i : i + kernel.shape[0], j : j + kernel.shape[1]]
            y[:, i, j] = np.tensordot(window, kernel, 3)
    return y + bias


def _call(layer, x, *, training, jit_compile=False):
    @tf.function(jit_compile=jit_compile)
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            loss = tf.reduce_sum(tf.cast(y, "float32") ** 2)
        return y, tape.gradient(loss, [x, *(v.value for v in layer.trainable_weights)])

    return run(tf.constant(x))


@pytest.mark.parametrize("shape, kernel_size", [((5, 5), 3), ((2, 2), 3), ((1, 6), 5)])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_equals_the_convolution(shape, kernel_size, jit_compile):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, *shape, 4)).astype("float32")
    layer = SmallMapConv2D(6, kernel_size, padding="same", bias_initializer="normal")
    layer.build(x.shape)
    y, gradients = _call(layer, x, training=True, jit_compile=jit_compile)
    np.testing.assert_allclose(
        y, _direct(x, *(np.asarray(w) for w in layer.get_weights())), atol=1e-5
    )
    # training=False is the plain convolution: TensorFlow's own gradients.
    y_plain, gradients_plain = _call(layer, x, training=False)
    np.testing.assert_allclose(y, y_plain, atol=1e-5)
    for ours, plain in zip(gradients, gradients_plain):
        np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision(policy):
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 4)).astype("float32")
    layer = SmallMapConv2D(6, 3, padding="same", dtype=policy)
    layer.build(x.shape)
    y, gradients = _call(layer, x, training=True)
    assert y.dtype == policy.removeprefix("mixed_")
    assert all(g.dtype == "float32" for g in gradients)
    reference = _direct(x, *(np.asarray(w) for w in layer.get_weights()))
    np.testing.assert_allclose(tf.cast(y, "float32"), reference, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(
    "arguments, shape, applies",
    [
        ({"padding": "same"}, (2, 6, 6, 4), True),
        ({"padding": "same"}, (2, 11, 11, 4), False),
        ({"padding": "same"}, (2, None, 6, 4), False),
        ({"padding": "valid"}, (2, 5, 5, 4), False),
        ({"padding": "same", "strides": 2}, (2, 5, 5, 4), False),
        ({"padding": "same", "dilation_rate": 2}, (2, 5, 5, 4), False),
        ({"padding": "same", "groups": 2}, (2, 5, 5, 4), False),
    ],
)
def test_where_it_applies(arguments, shape, applies):
    layer = SmallMapConv2D(6, 3, **arguments)
    assert layer._is_small_map(tf.TensorSpec(shape)) is applies


def test_activation_and_config():
    layer = SmallMapConv2D(6, 3, padding="same", activation="relu", use_bias=False)
    y = layer(np.random.default_rng(0).normal(size=(2, 5, 5, 4)), training=True)
    assert np.min(y) == 0 < np.max(y)
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(copy) is SmallMapConv2D and copy.get_config() == layer.get_config()
