"""Untrained models as `fer_tf.load` gives them."""

import keras

from fer_tf import models
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io.card import Card

SMALL = {
    "gan_man": {"input_shape": (96, 96, 3)},
    "gan_vgg16": {"input_shape": (32, 32, 3)},
    "small_resnet": {"blocks": 1},
}


def loaded(name, spec="synthetic", masks=None, **spec_changes):
    """An untrained model as `fer_tf.load` gives it."""
    keras.utils.set_random_seed(0)
    arguments = {"width": 1 / 8, **SMALL.get(name, {})}
    arguments |= {"masks": masks} if masks else {}
    model = models.create_model(name, **arguments)
    height, _, channels = model.get_layer("image").output.shape[1:]
    spec = CROP_SPECS[spec]
    changes = {"size": height, "color": "grey" if channels == 1 else "rgb"}
    spec = type(spec)(**{**spec.to_dict(), **changes, **spec_changes})
    model.card = Card(
        model=name, arguments=arguments, crop_spec=spec, views="center",
        average="logits",
    )  # fmt: skip
    model.crop_spec = spec
    return model
