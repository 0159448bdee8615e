"""What a row of a paper's table is: a builder and the arguments it varies."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras

from fer_tf.arguments import require


@dataclasses.dataclass(frozen=True)
class Variant:
    """A named model: one builder, and the arguments in which its row differs.

    Attributes:
        builder: Keyword-only function that returns a functional `keras.Model`.
        arguments: What this variant passes beyond the builder's defaults.

    Example:
        >>> from fer_tf.models.small_resnet import small_resnet
        >>> narrow = Variant(small_resnet, {"width": 0.125})
        >>> narrow(blocks=1).count_params() < narrow().count_params()
        True
    """

    builder: Callable[..., keras.Model]
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __call__(self, **overrides) -> keras.Model:
        """Builds the model; `overrides` win over the variant's arguments."""
        return self.builder(**{**self.arguments, **overrides})


def image_input(input_shape: tuple[int, int, int], *, smallest: int):
    """The input `image` of a network whose poolings need sides of some length.

    Raises:
        ValueError: If a side is shorter than `smallest`, or the shape is none.
    """
    fits = len(input_shape) == 3 and min(input_shape[:2]) >= smallest
    wanted = f"be (height, width, channels) with sides of at least {smallest}"
    require(fits, wanted, input_shape=input_shape)
    return keras.Input(input_shape, name="image")


def scaled(channels: int, width: float, *, multiple: int = 8) -> int:
    """`channels * width`, rounded to a positive multiple of `multiple`.

    `width=1` returns `channels` untouched, so that a paper's own numbers never
    pass through the rounding.

    Example:
        >>> scaled(64, 1), scaled(64, 0.3), scaled(64, 0.01)
        (64, 16, 8)
    """
    require(isinstance(width, (int, float)) and width > 0, "be positive", width=width)
    if width == 1:
        return channels
    return max(multiple, round(channels * width / multiple) * multiple)
