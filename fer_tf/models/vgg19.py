"""VGG19 with batch normalisation, in the small form used on FER2013.

Configuration E of [Simonyan and Zisserman, 2015](https://arxiv.org/abs/1409.1556)
with BN after every convolution and, in place of the three fully connected
layers, dropout and one classifier (added by the model that uses the backbone).
At 44 px the last pooling leaves 1x1, so the pooled feature is a plain flatten.
"""

from keras import layers

from fer_tf.models.pytorch_layers import batch_norm_relu, conv3x3
from fer_tf.models.variant import scaled

# Configuration E: (convolutions, filters) of each block.
_BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))


def vgg19_features(x, *, width: float = 1.0, stem=conv3x3) -> tuple[dict, object]:
    """Adds VGG19's convolutional part to a graph.

    Convolutions keep their biases, which BN makes redundant, because the
    recipe that the paper follows has and decays them.

    Args:
        x: Symbolic `(batch, height, width, channels)`, sides of at least 32
            for the five halvings; or whatever `stem` takes.
        width: Factor on all widths, for small builds.
        stem: Adds the first convolution, as `conv3x3` does.

    Returns:
        Pair: `{"block1": ..., "block5": ...}`, each block's last activation
        before its pooling, and the pooled feature `(batch, 512 * width)`.
    """
    taps = {}
    conv = stem
    for block, (depth, filters) in enumerate(_BLOCKS, start=1):
        name = f"block{block}"
        for i in range(1, depth + 1):
            x = conv(x, scaled(filters, width), name=f"{name}_conv{i}", use_bias=True)
            x = batch_norm_relu(x, name=name, suffix=i)
            conv = conv3x3
        taps[name] = x
        x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    return taps, layers.GlobalAveragePooling2D(name="pool")(x)
