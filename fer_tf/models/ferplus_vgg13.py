"""VGG13 as the owner of FER+ trained it on the votes of ten raters.

Paper: Barsoum, Zhang, Canton Ferrer and Zhang, "Training Deep Networks for Facial
Expression Recognition with Crowd-Sourced Label Distribution", ICMI 2016
(arXiv:1608.01041). The layers, their start and their dropout are those of the owner's
code (github.com/microsoft/FERPlus, `src/models.py`): ten 3x3 convolutions with ReLU in
four blocks, each with a pool and a quarter of dropout, two dense layers of 1024 with a
half, on grey faces of 64 pixels; Glorot's uniform start. 8,757,704 parameters.

Deviations:
    - The owner's code equalises the histogram of each face, takes out its plane and
      divides by its deviation. The last two are a layer here; the histogram is as it
      comes, for want of an operation that every exported format has.
    - The last layer is called `expression` and gives logits.
"""

import keras
from keras import layers

from fer_tf.layers.plane_normalization import PlaneNormalization
from fer_tf.models.variant import Variant, image_input, scaled

# Filters and number of 3x3 convolutions of each block.
BLOCKS = ((64, 2), (128, 2), (256, 3), (256, 3))
HIDDEN_UNITS = 1024


def ferplus_vgg13(
    *,
    input_shape: tuple[int, int, int] = (64, 64, 1),
    num_classes: int = 8,
    width: float = 1.0,
    name: str = "ferplus_vgg13",
) -> keras.Model:
    """Builds the baseline of FER+.

    Args:
        input_shape: Height, width and channels of a face, sides of at least 16.
        num_classes: Expression classes.
        width: Factor on all channels and hidden units.
        name: Of the model.

    Returns:
        Functional model from `image`, float32 in 0..255, to `expression`
        logits `(batch, num_classes)`.

    Raises:
        ValueError: If a side is too short.

    Example:
        >>> model = ferplus_vgg13(width=0.125)
        >>> model(np.zeros((2, 64, 64, 1)))["expression"].shape
        TensorShape([2, 8])
    """
    image = image_input(input_shape, smallest=16)
    x = PlaneNormalization(name="normalize")(image)
    for block, (filters, depth) in enumerate(BLOCKS, 1):
        for i in range(1, depth + 1):
            x = layers.Conv2D(
                scaled(filters, width),
                3,
                padding="same",
                activation="relu",
                name=f"conv{block}_{i}",
            )(x)
        x = layers.MaxPooling2D(2, name=f"pool{block}")(x)
        x = layers.Dropout(0.25, name=f"drop{block}")(x)
    x = layers.Flatten(name="flatten")(x)
    for number in (5, 6):
        units = scaled(HIDDEN_UNITS, width)
        x = layers.Dense(units, activation="relu", name=f"fc{number}")(x)
        x = layers.Dropout(0.5, name=f"drop{number}")(x)
    logits = layers.Dense(num_classes, dtype="float32", name="expression")(x)
    return keras.Model(image, {"expression": logits}, name=name)


VARIANTS = {"ferplus_vgg13": Variant(ferplus_vgg13)}
