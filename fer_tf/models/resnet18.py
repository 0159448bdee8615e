"""ResNet-18 for small images: a 3x3 stem that keeps the resolution.

[He et al., 2016](https://arxiv.org/abs/1512.03385), Table 1, 18 layers, with
the stem of its CIFAR networks and 1x1 projections at the three strides. The
paper that uses it here "experimented with" it and gives no numbers.
"""

from keras import layers

from fer_tf.layers.batch_normalization import BatchNormalization
from fer_tf.models.pytorch_layers import batch_norm_relu, conv1x1, conv3x3
from fer_tf.models.variant import scaled

# (filters, stride) of each stage of two blocks.
_STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))


def resnet18_features(x, *, width: float = 1.0, stem=conv3x3) -> tuple[dict, object]:
    """Adds ResNet-18's convolutional part to a graph.

    Args:
        x: Symbolic `(batch, height, width, channels)`; or what `stem` takes.
        width: Factor on all widths, for small builds.
        stem: Adds the first convolution, as `conv3x3` does.

    Returns:
        Pair: `{"stage1": ..., "stage4": ...}` and the pooled feature
        `(batch, 512 * width)`. 44 px give maps of 44, 22, 11 and 6.
    """
    x = stem(x, scaled(64, width), name="stem_conv", use_bias=False)
    x = batch_norm_relu(x, name="stem")
    taps = {}
    for stage, (filters, stride) in enumerate(_STAGES, start=1):
        filters = scaled(filters, width)
        x = _block(x, filters, strides=stride, name=f"stage{stage}_block1")
        x = _block(x, filters, strides=1, name=f"stage{stage}_block2")
        taps[f"stage{stage}"] = x
    return taps, layers.GlobalAveragePooling2D(name="pool")(x)


def _block(x, filters, *, strides, name):
    """Two 3x3 convolutions around a shortcut, projected where shapes differ."""
    shortcut = x
    if strides != 1 or x.shape[-1] != filters:
        shortcut = conv1x1(x, filters, strides=strides, name=f"{name}_projection")
        shortcut = BatchNormalization(
            momentum=0.9, epsilon=1e-5, name=f"{name}_projection_bn"
        )(shortcut)
    x = conv3x3(x, filters, strides=strides, use_bias=False, name=f"{name}_conv1")
    x = batch_norm_relu(x, name=name, suffix=1)
    x = conv3x3(x, filters, use_bias=False, name=f"{name}_conv2")
    x = BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn2")(x)
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu2")(x)
