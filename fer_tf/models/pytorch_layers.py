"""Layers that start, and pad, as PyTorch's do."""

from keras import layers

from fer_tf.initializers import pytorch_defaults
from fer_tf.layers.batch_normalization import BatchNormalization
from fer_tf.layers.small_map_conv2d import SmallMapConv2D


def conv3x3(x, filters, *, name, use_bias=True, strides=1):
    """3x3 convolution, one pixel of padding on every side, PyTorch's start."""
    initial = pytorch_defaults(9 * x.shape[-1])
    if not use_bias:
        del initial["bias_initializer"]
    if strides > 1:
        # Keras' "same" would pad a strided convolution on the right only.
        x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    return SmallMapConv2D(
        filters,
        3,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        use_bias=use_bias,
        name=name,
        **initial,
    )(x)


def batch_norm_relu(x, *, name, suffix=""):
    """BN with PyTorch's momentum and epsilon, then ReLU."""
    x = BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn{suffix}")(x)
    return layers.ReLU(name=f"{name}_relu{suffix}")(x)


def conv1x1(x, filters, *, name, strides=1):
    """1x1 convolution without a bias."""
    initial = pytorch_defaults(x.shape[-1])["kernel_initializer"]
    options = dict(use_bias=False, kernel_initializer=initial)
    x = every_pixel(x, strides, name=f"{name}_pixels")
    return layers.Conv2D(filters, 1, name=name, **options)(x)


def every_pixel(x, strides, *, name):
    """The pixels that a strided 1x1 convolution sees.

    They are taken before it. TensorFlow 2.21 with oneDNN ends the process in the
    gradient of a strided one with fewer than 16 input channels (AVX-512).
    """
    return layers.MaxPooling2D(1, strides, name=name)(x) if strides > 1 else x


def dense(x, units, *, name, use_bias=True, **options):
    """Dense layer; `options` are Keras'."""
    options |= pytorch_defaults(x.shape[-1])
    if not use_bias:
        del options["bias_initializer"]
    return layers.Dense(units, use_bias=use_bias, name=name, **options)(x)
