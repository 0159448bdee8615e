"""Every model that has a name: one for each row of the papers' tables."""

import inspect

import keras

from fer_tf.models import (
    face_feature_attention,
    mtanet,
    multiple_attention,
    small_resnet,
    two_level_attention,
)
from fer_tf.models.variant import Variant

# One entry a paper: its module's own list, in the order of its tables.
MODELS: dict[str, Variant] = {
    **two_level_attention.VARIANTS,
    **mtanet.VARIANTS,
    **face_feature_attention.VARIANTS,
    **multiple_attention.VARIANTS,
    **small_resnet.VARIANTS,
}


def list_models() -> list[str]:
    """Every name that `create_model` takes."""
    return list(MODELS)


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
    """
    if name not in MODELS:
        raise ValueError(
            f"`name` must be one of {', '.join(MODELS)}. Received: name={name!r}."
        )
    known = [
        k for k in inspect.signature(MODELS[name].builder).parameters if k != "name"
    ]
    unknown = [key for key in overrides if key not in known]
    if unknown:
        raise ValueError(
            f"{name} has no argument {unknown[0]!r}; it has {', '.join(known)}."
        )
    shape = overrides.get("input_shape", (1, 1, 1))
    if len(shape) != 3 or not all(isinstance(n, int) and n > 0 for n in shape):
        raise ValueError(
            "`input_shape` must be (height, width, channels). Received: "
            f"input_shape={shape!r}."
        )
    return MODELS[name](name=name, **overrides)
