"""DenseNet-121 for small images: a 3x3 stem that keeps the resolution.

[Huang et al., 2017](https://arxiv.org/abs/1608.06993), Table 1, DenseNet-BC
with growth rate 32 and compression 1/2, with the stem of its CIFAR networks.
The paper that uses it here "experimented with" it and gives no numbers.
"""

from keras import layers

from fer_tf.models.pytorch_layers import batch_norm_relu, conv1x1, conv3x3
from fer_tf.models.variant import scaled

_BLOCKS = (6, 12, 24, 16)


def densenet121_features(x, *, width: float = 1.0, stem=conv3x3) -> tuple[dict, object]:
    """Adds DenseNet-121's convolutional part to a graph.

    Args:
        x: Symbolic `(batch, height, width, channels)`; or what `stem` takes.
        width: Factor on the growth rate, for small builds.
        stem: Adds the first convolution, as `conv3x3` does.

    Returns:
        Pair: `{"stage1": ..., "stage4": ...}`, each dense block's concatenation
        after the BN and ReLU that follow it, and the pooled feature
        `(batch, 1024)`. 44 px give maps of 44, 22, 11 and 5.
    """
    growth = scaled(32, width)
    x = stem(x, 2 * growth, name="stem_conv", use_bias=False)
    taps = {}
    for stage, depth in enumerate(_BLOCKS, start=1):
        name = f"stage{stage}"
        for i in range(1, depth + 1):
            x = _dense_layer(x, growth, name=f"{name}_layer{i}")
        x = taps[name] = batch_norm_relu(x, name=name)
        if stage < len(_BLOCKS):
            x = conv1x1(x, x.shape[-1] // 2, name=f"{name}_transition")
            x = layers.AveragePooling2D(2, name=f"{name}_pool")(x)
    return taps, layers.GlobalAveragePooling2D(name="pool")(x)


def _dense_layer(x, growth, *, name):
    """BN-ReLU-1x1, BN-ReLU-3x3; appends `growth` channels to its input."""
    y = batch_norm_relu(x, name=name, suffix=1)
    y = conv1x1(y, 4 * growth, name=f"{name}_conv1")
    y = batch_norm_relu(y, name=name, suffix=2)
    y = conv3x3(y, growth, use_bias=False, name=f"{name}_conv2")
    return layers.Concatenate(name=f"{name}_concat")([x, y])
