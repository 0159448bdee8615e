"""SE-ResNet-50, as its authors published it in Caffe.

[Hu et al., 2018](https://arxiv.org/abs/1709.01507), "Squeeze-and-Excitation
Networks"; trained on faces by [Cao et al., 2018](https://arxiv.org/abs/1710.08092)
("VGGFace2"), whose pixels are BGR minus a mean. Layers are named after theirs.

Three things differ from today's usual ResNet-50, and published weights need
them: a stage's stride sits on the first 1x1 convolution of its first block,
pooling rounds its output size up, and batch normalisation has epsilon 1e-5.
keras-vggface's graph pads and pools otherwise; the weights do not depend on it.
"""

import keras
from keras import layers

from fer_tf.layers.color_normalization import ColorNormalization
from fer_tf.models.residual import BLOCKS, check_image, conv_bn
from fer_tf.models.variant import scaled

# Of VGGFace2, blue first.
MEAN_BGR = (91.4953, 103.8827, 131.0912)
REDUCTION = 16


def se_resnet50_features(image, *, width: float = 1.0):
    """Adds SE-ResNet-50's convolutional part to a graph.

    Args:
        image: Symbolic `(batch, height, width, 3)`, RGB in 0..255.
        width: Factor on all widths, for small builds.

    Returns:
        `(batch, height / 32, width / 32, 2048 * width)`, sides rounded up;
        the layer `conv5_3_relu`.

    Raises:
        ValueError: If the image has not three channels or is under 32 pixels.
    """
    check_image(image)
    x = ColorNormalization(MEAN_BGR, channel_order="bgr", name="normalization")(image)
    x = conv_bn(x, scaled(64, width), 7, strides=2, name="conv1")
    x = _ceil_pool(x, name="pool1")
    for stage, blocks in enumerate(BLOCKS, start=2):
        filters = scaled(16 * 2**stage, width)
        for block in range(1, blocks + 1):
            x = _se_bottleneck(
                x,
                filters,
                strides=2 if block == 1 and stage > 2 else 1,
                project=block == 1,
                name=f"conv{stage}_{block}",
            )
    return x


def se_resnet50(
    *, input_shape=(112, 112, 3), width: float = 1.0, name: str = "se_resnet50"
) -> keras.Model:
    """Builds the backbone alone: `image` to its last feature map.

    See `se_resnet50_features` for shapes and errors.
    """
    image = keras.Input(input_shape, name="image")
    return keras.Model(image, se_resnet50_features(image, width=width), name=name)


def squeeze_excite(x, *, name):
    """Scales each channel by a gate in 0..1; the gate is the layer `{name}_up`."""
    channels = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(name=f"{name}_squeeze")(x)
    gate = layers.Dense(
        max(1, channels // REDUCTION),
        activation="relu",
        kernel_initializer="he_normal",
        name=f"{name}_down",
    )(gate)
    # float32: half precision would round a gate near 1 to 1.
    gate = layers.Dense(
        channels, activation="sigmoid", dtype="float32", name=f"{name}_up"
    )(gate)
    gate = layers.Reshape((1, 1, channels), name=f"{name}_gate")(gate)
    return layers.Multiply(name=f"{name}_scale")([x, gate])


def _se_bottleneck(x, filters, *, strides, project, name):
    """1x1 (strided), 3x3, 1x1 to four times the width; SE; shortcut; ReLU."""
    shortcut = x
    if project:
        shortcut = conv_bn(
            x, 4 * filters, 1, strides=strides, relu=False, name=f"{name}_proj"
        )
    x = conv_bn(x, filters, 1, strides=strides, name=f"{name}_reduce")
    x = conv_bn(x, filters, 3, name=f"{name}_3x3")
    x = conv_bn(x, 4 * filters, 1, relu=False, name=f"{name}_increase")
    x = squeeze_excite(x, name=name)
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu")(x)


def _ceil_pool(x, *, name):
    """3x3/2 maximum whose last window may stick out on the right, as in Caffe.

    Keras' "same" is that on even sides. On odd sides it would also stick out
    on the left, and the windows fit without.
    """
    odd = [size is not None and size % 2 == 1 for size in x.shape[1:3]]
    if odd[0] != odd[1]:
        # One padding cannot be both; pad the even side by hand (x is >= 0).
        bottom, right = (int(not side) for side in odd)
        x = layers.ZeroPadding2D(((0, bottom), (0, right)), name=f"{name}_pad")(x)
    padding = "valid" if any(odd) else "same"
    return layers.MaxPooling2D(3, 2, padding=padding, name=name)(x)
