"""VGG19 with batch normalisation, in the small form used on FER2013.

Configuration E of [Simonyan and Zisserman, 2015](https://arxiv.org/abs/1409.1556)
with BN after every convolution and, in place of the three fully connected
layers, dropout and one classifier (added by the model that uses the backbone).
At 44 px the last pooling leaves 1x1, so the pooled feature is a plain flatten.
"""

from keras import layers

from fer_tf.initializers import pytorch_defaults
from fer_tf.layers.batch_normalization import BatchNormalization
from fer_tf.layers.small_map_conv2d import SmallMapConv2D
from fer_tf.models.variant import scaled

# Configuration E: (convolutions, filters) of each block.
_BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))
MIN_SIZE = 32  # five halvings


def vgg19_features(x, *, width: float = 1.0) -> tuple[dict, object]:
    """Adds VGG19's convolutional part to a graph.

    Convolutions keep their biases, which BN makes redundant, because the
    recipe that the paper follows has and decays them.

    Args:
        x: Symbolic `(batch, height, width, channels)`, sides of at least
            `MIN_SIZE`.
        width: Factor on all widths, for small builds.

    Returns:
        Pair: `{"block1": ..., "block5": ...}`, each block's last activation
        before its pooling, and the pooled feature `(batch, 512 * width)`.

    Raises:
        ValueError: If the image is too small for five halvings.
    """
    if min(x.shape[1:3]) < MIN_SIZE:
        raise ValueError(
            f"Images must be at least {MIN_SIZE} px wide and high. "
            f"Received: shape={tuple(x.shape)}."
        )
    taps = {}
    for block, (depth, filters) in enumerate(_BLOCKS, start=1):
        filters = scaled(filters, width)
        for i in range(1, depth + 1):
            x = conv_bn_relu(x, filters, name=f"block{block}", index=i)
        taps[f"block{block}"] = x
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return taps, layers.GlobalAveragePooling2D(name="pool")(x)


def conv_bn_relu(x, filters, *, name, index):
    """3x3 convolution with bias, BN, ReLU."""
    x = SmallMapConv2D(
        filters,
        3,
        padding="same",
        name=f"{name}_conv{index}",
        **pytorch_defaults(9 * x.shape[-1]),
    )(x)
    x = BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn{index}")(x)
    return layers.ReLU(name=f"{name}_relu{index}")(x)
