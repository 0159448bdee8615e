"""VGG16 as VGG-Face has it: five convolution blocks and three dense layers.

Paper: Parkhi et al., "Deep Face Recognition", BMVC 2015. Layer names are those
of the published network (`conv1_1` ... `conv5_3`, `fc6`, `fc7`), which the
converter of its weights relies on.

Deviations:
    - The last layer is called `expression` and gives logits.
    - Pools round up, as Caffe's do; at 224 pixels nothing needs rounding.
"""

import functools

from keras import layers

from fer_tf.layers.color_normalization import ColorNormalization
from fer_tf.models.variant import scaled

# Filters and number of 3x3 convolutions of each block.
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
HIDDEN_UNITS = 4096

# Mean of the 2.6 million training faces of VGG-Face, blue-green-red.
VGG_FACE_MEAN_BGR = (93.5940, 104.7624, 129.1863)

# Caffe's "xavier" is U(+-sqrt(3 / fan_in)); Glorot's averages both fans.
XAVIER = "lecun_uniform"
conv = functools.partial(layers.Conv2D, kernel_initializer=XAVIER)
dense = functools.partial(layers.Dense, kernel_initializer=XAVIER)


def preprocess(image, *, scale=1.0, name="preprocess"):
    """RGB or grey in 0..255 -> BGR minus the mean face, times `scale`."""
    if image.shape[-1] == 1:
        image = layers.Concatenate(name=f"{name}_grey")([image] * 3)
    normalize = ColorNormalization(
        VGG_FACE_MEAN_BGR, (1 / scale,) * 3, channel_order="bgr", name=name
    )
    return normalize(image)


def pool(x, *, name):
    """Halves height and width, rounding up."""
    return layers.MaxPooling2D(2, padding="same", name=name)(x)


def convolution_block(x, block, *, width=1):
    """Block 1..5 with its pool.

    Args:
        x: `(batch, height, width, channels)`.
        block: Number of the block, from 1.
        width: Factor on the number of filters.

    Returns:
        `(batch, ceil(height / 2), ceil(width / 2), filters)`.
    """
    filters, depth = BLOCKS[block - 1]
    for i in range(1, depth + 1):
        options = dict(padding="same", activation="relu", name=f"conv{block}_{i}")
        x = conv(scaled(filters, width), 3, **options)(x)
    return pool(x, name=f"pool{block}")


def classifier(x, num_classes, *, width=1):
    """fc6, fc7 with ReLU and dropout, and the logits in float32."""
    x = layers.Flatten(name="flatten")(x)
    for name in ("fc6", "fc7"):
        x = dense(scaled(HIDDEN_UNITS, width), activation="relu", name=name)(x)
        x = layers.Dropout(0.5, name=f"{name}_dropout")(x)
    return dense(num_classes, dtype="float32", name="expression")(x)
