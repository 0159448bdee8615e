import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.layers import grouped_conv2d
from fer_tf.layers.grouped_conv2d import GroupedConv2D


def make(cls, groups, channels, filters, **kwargs):
    layer = cls(filters, 3, groups=groups, **kwargs)
    layer.build((None, None, None, channels))
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    return layer


def numpy_conv(x, kernel, bias, groups, stride):
    """Filter f of group g sees channels `g * n` to `(g + 1) * n`, n a group's."""
    batch, height, width, _ = x.shape
    channels, filters = kernel.shape[2], kernel.shape[3] // groups
    rows, columns = (height - 3) // stride + 1, (width - 3) // stride + 1
    y = np.zeros((batch, rows, columns, kernel.shape[3]))
    for r, c, f in np.ndindex(rows, columns, kernel.shape[3]):
        first = f // filters * channels
        patch = x[:, r * stride : r * stride + 3, c * stride : c * stride + 3]
        patch = patch[..., first : first + channels]
        y[:, r, c, f] = (patch * kernel[..., f]).sum((1, 2, 3)) + bias[f]
    return y


@pytest.mark.parametrize(
    "groups, channels, filters, stride",
    [
        (32, 128, 128, 1),  # 8 groups of 4 at once, four times
        (4, 8, 12, 2),  # all at once
        (3, 48, 6, 1),  # 2 groups would fit, but 3 cannot be halved
        (2, 96, 4, 2),  # each group by itself
    ],
)
def test_equals_numpy(groups, channels, filters, stride):
    layer = make(GroupedConv2D, groups, channels, filters, strides=stride)
    x = np.random.default_rng(1).normal(size=(2, 7, 5, channels)).astype("float32")
    kernel, bias = layer.get_weights()
    assert kernel.shape == (3, 3, channels // groups, filters)
    expected = numpy_conv(x, kernel, bias, groups, stride)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-4)
    compiled = tf.function(layer, jit_compile=True)
    np.testing.assert_allclose(compiled(x), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_gradients_are_those_of_keras(padding):
    x = np.random.default_rng(1).normal(size=(2, 6, 6, 16)).astype("float32")
    gradients = []
    for cls in (keras.layers.Conv2D, GroupedConv2D):
        layer = make(cls, 8, 16, 24, padding=padding, strides=2)
        watched = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(watched)
            loss = tf.reduce_sum(layer(watched) ** 3)
        gradients.append(tape.gradient(loss, [watched, layer.kernel, layer.bias]))
    for expected, actual in zip(*gradients):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(actual / scale, expected / scale, atol=1e-5)


@pytest.mark.parametrize(
    "groups, group_channels, merged",
    [(32, 4, 8), (32, 8, 4), (32, 16, 2), (32, 32, 1), (32, 64, 1), (3, 16, 1)],
)
def test_groups_are_merged_up_to_32_channels(groups, group_channels, merged):
    assert grouped_conv2d.groups_per_convolution(groups, group_channels) == merged


def test_survives_its_config():
    layer = GroupedConv2D(8, 3, groups=4, name="grouped")
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(copy) is GroupedConv2D
    assert copy.get_config() == layer.get_config()


def test_mixed_precision():
    layer = GroupedConv2D(8, 3, groups=4, dtype="mixed_bfloat16")
    assert layer(np.ones((1, 4, 4, 8), "float32")).dtype == tf.bfloat16
    assert layer.kernel.dtype == "float32"
