"""Facial features as attention: VGG19, the face network, and Models 1 to 3.

Meen, Yoshioka and Inoue, "Facial Emotion Recognition using Facial Features as
an Attention Mechanism": every row of Table 1 (FER2013).

Deviations:
    - None recorded yet.
"""

import keras
from keras import layers

from fer_tf.initializers import pytorch_defaults
from fer_tf.models.variant import Variant
from fer_tf.models.vgg19 import vgg19_features

_INPUT_SHAPE = (44, 44, 1)


def vgg19_fer(
    *,
    input_shape: tuple[int, int, int] = _INPUT_SHAPE,
    num_classes: int = 7,
    width: float = 1.0,
    dropout_rate: float = 0.5,
    name: str = "vgg19_fer",
) -> keras.Model:
    """Builds the paper's baseline: VGG19 with BN on 44 px grey faces."""
    image = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 255, name="rescale")(image)
    _, x = vgg19_features(x, width=width)
    x = _head(x, num_classes, dropout_rate, name="expression")
    return keras.Model(image, {"expression": x}, name=name)


def face_network(
    *,
    input_shape: tuple[int, int, int] = _INPUT_SHAPE,
    width: float = 1.0,
    dropout_rate: float = 0.5,
    name: str = "face_network",
) -> keras.Model:
    """Builds the face / non-face classifier that gives the attention maps."""
    image = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 255, name="rescale")(image)
    _, x = vgg19_features(x, width=width)
    x = _head(x, 2, dropout_rate, name="is_face")
    return keras.Model(image, {"is_face": x}, name=name)


def _head(x, units, dropout_rate, *, name):
    x = layers.Dropout(dropout_rate, name="dropout")(x)
    return layers.Dense(
        units, dtype="float32", name=name, **pytorch_defaults(x.shape[-1])
    )(x)


VARIANTS = {
    "vgg19_fer": Variant(vgg19_fer, tables=(("meen_1", "VGG19"),)),
    "face_network": Variant(face_network),
}
