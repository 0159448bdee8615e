"""ResNeXt-50 (32x4d), with or without CBAM.

[Xie et al., 2017](https://arxiv.org/abs/1611.05431), wired as torchvision's
`resnext50_32x4d`: a stage's stride sits on the grouped 3x3 convolution of its
first block, and everything pads by half its kernel on every side, poolings
included. Pixels are scaled as torchvision's weights expect them.

CBAM is [Woo et al., 2018](https://arxiv.org/abs/1807.06521) as in its authors'
code: on a bottleneck's output before the shortcut is added, first the channels
and then the places.
"""

import keras
from keras import layers

from fer_tf.layers.batch_normalization import BatchNormalization
from fer_tf.layers.channel_pool import ChannelPool
from fer_tf.layers.color_normalization import ColorNormalization
from fer_tf.models.residual import BLOCKS, check_image, conv_bn
from fer_tf.models.variant import scaled

# torchvision's, of ImageNet, red first, here in 0..255.
MEAN_RGB = tuple(255 * value for value in (0.485, 0.456, 0.406))
STD_RGB = tuple(255 * value for value in (0.229, 0.224, 0.225))
GROUPS = 32
REDUCTION = 16


def resnext50_features(image, *, width: float = 1.0, cbam: bool = False):
    """Adds ResNeXt-50's convolutional part to a graph.

    Args:
        image: Symbolic `(batch, height, width, 3)`, RGB in 0..255.
        width: Factor on all widths, for small builds; the 32 groups stay.
        cbam: Whether every bottleneck has an attention module.

    Returns:
        `(batch, height / 32, width / 32, 2048 * width)`, sides rounded up;
        the layer `conv5_3_relu`.

    Raises:
        ValueError: If the image has not three channels or is under 32 pixels.
    """
    check_image(image)
    x = ColorNormalization(MEAN_RGB, STD_RGB, name="normalization")(image)
    x = conv_bn(x, scaled(64, width), 7, strides=2, name="conv1")
    # After a ReLU, a zero in the margin never wins over a pixel.
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    for stage, blocks in enumerate(BLOCKS, start=2):
        for block in range(1, blocks + 1):
            x = _bottleneck(
                x,
                scaled(32 * 2**stage, width, multiple=GROUPS),
                strides=2 if block == 1 and stage > 2 else 1,
                project=block == 1,
                cbam=cbam,
                name=f"conv{stage}_{block}",
            )
    return x


def resnext50(
    *,
    input_shape=(112, 112, 3),
    width: float = 1.0,
    cbam: bool = False,
    name: str = "resnext50",
) -> keras.Model:
    """Builds the backbone alone: `image` to its last feature map.

    See `resnext50_features` for shapes and errors.
    """
    image = keras.Input(input_shape, name="image")
    x = resnext50_features(image, width=width, cbam=cbam)
    return keras.Model(image, x, name=name)


def channel_gate(x, *, name):
    """Scales each channel; the gate is the layer `{name}_channel_gate`.

    One pair of dense layers sees the mean and the maximum of every channel; its
    two answers are added before the sigmoid.
    """
    channels = x.shape[-1]
    down = layers.Dense(
        max(1, channels // REDUCTION),
        activation="relu",
        kernel_initializer="he_normal",
        name=f"{name}_channel_down",
    )
    up = layers.Dense(channels, dtype="float32", name=f"{name}_channel_up")
    pooled = (
        layers.GlobalAveragePooling2D(name=f"{name}_channel_mean")(x),
        layers.GlobalMaxPooling2D(name=f"{name}_channel_max")(x),
    )
    gate = layers.Add(dtype="float32", name=f"{name}_channel_add")(
        [up(down(values)) for values in pooled]
    )
    gate = layers.Activation("sigmoid", dtype="float32", name=f"{name}_channel_gate")(
        gate
    )
    gate = layers.Reshape((1, 1, channels), name=f"{name}_channel_reshape")(gate)
    return layers.Multiply(name=f"{name}_channel_scale")([x, gate])


def spatial_gate(x, *, name):
    """Scales each place; the gate is the layer `{name}_spatial_gate`.

    Its BN starts with gamma 0, so every gate starts at 1/2.
    """
    gate = ChannelPool(name=f"{name}_spatial_pool")(x)
    gate = layers.Conv2D(
        1,
        7,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_spatial_conv",
    )(gate)
    gate = BatchNormalization(
        momentum=0.99,
        epsilon=1e-5,
        gamma_initializer="zeros",
        name=f"{name}_spatial_bn",
    )(gate)
    gate = layers.Activation("sigmoid", dtype="float32", name=f"{name}_spatial_gate")(
        gate
    )
    return layers.Multiply(name=f"{name}_spatial_scale")([x, gate])


def _bottleneck(x, group_width, *, strides, project, cbam, name):
    """1x1, grouped 3x3 (strided), 1x1 to twice the width; CBAM; shortcut; ReLU."""
    shortcut = x
    if project:
        shortcut = conv_bn(
            x, 2 * group_width, 1, strides=strides, relu=False, name=f"{name}_proj"
        )
    x = conv_bn(x, group_width, 1, name=f"{name}_reduce")
    x = conv_bn(
        x, group_width, 3, strides=strides, groups=GROUPS, name=f"{name}_grouped"
    )
    x = conv_bn(x, 2 * group_width, 1, relu=False, name=f"{name}_increase")
    if cbam:
        x = spatial_gate(channel_gate(x, name=name), name=name)
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu")(x)
