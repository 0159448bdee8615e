"""Every model that has a name: the networks of the papers' tables, and ours."""

import inspect
from collections.abc import Iterable

import keras

from fer_tf.arguments import require, require_one_of
from fer_tf.models import (
    face_resnet29,
    ferplus_vgg13,
    gan2020,
    meen,
    small_resnet,
    wang2018,
    zhang2020,
)
from fer_tf.models.variant import Variant

# One entry a paper: its module's own list, in the order of its tables.
MODELS: dict[str, Variant] = {
    **wang2018.VARIANTS,
    **zhang2020.VARIANTS,
    **meen.VARIANTS,
    **gan2020.VARIANTS,
    **ferplus_vgg13.VARIANTS,
    **small_resnet.VARIANTS,
    **face_resnet29.VARIANTS,
}


def list_models() -> list[str]:
    """Every name that `create_model` takes.

    Example:
        >>> list_models()[:3]
        ['two_att_two_mt', 'multitask_cnn', 'first_level']
    """
    return list(MODELS)


def argument_names(name: str) -> list[str]:
    """Arguments that the builder of a model takes.

    Example:
        >>> argument_names("gan_rasnet")
        ['input_shape', 'width', 'fc_activation', 'pixel_scale']
    """
    taken = inspect.signature(MODELS[name].builder).parameters
    return [key for key in taken if key != "name"]


def check_arguments(name: str, arguments: Iterable[str]) -> None:
    """Raises a ValueError at the first that a model's builder does not take."""
    known = argument_names(name)
    for key in arguments:
        if key not in known:
            raise ValueError(
                f"{name} has no argument {key!r}; it has {', '.join(known)}."
            )


def create_model(name: str, **overrides) -> keras.Model:
    """Builds a model by name, with fresh weights.

    Args:
        name: One of `list_models()`.
        **overrides: Arguments of the model's builder, for instance
            `input_shape`, `num_classes` or `width`.

    Returns:
        Functional model from `image`, float32 `(batch, height, width,
        channels)` in 0..255, to a dict of named outputs.

    Raises:
        ValueError: If no model has that name, or its builder no such argument, or
            the argument no such value.

    Example:
        >>> model = create_model("gan_rasnet", width=0.0625)
        >>> {name: tuple(output.shape) for name, output in model.output.items()}
        {'region_masks': (None, 14, 14, 8)}
    """
    require_one_of(MODELS, name=name)
    check_arguments(name, overrides)
    shape = overrides.get("input_shape", (1, 1, 1))
    fits = len(shape) == 3 and all(isinstance(n, int) and n > 0 for n in shape)
    require(fits, "be (height, width, channels)", input_shape=shape)
    return MODELS[name](name=name, **overrides)
