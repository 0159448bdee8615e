"""Refuses a model's outputs that are no numbers."""

from collections.abc import Mapping, Sequence

import numpy as np


def require_finite(
    outputs: Mapping[str, np.ndarray], ids: Sequence[bytes] | None = None
) -> None:
    """Refuses NaN and infinity, which argmax would read as the first class.

    Args:
        outputs: Outputs of a model by name, one example a row.
        ids: Names of the examples; the message then names the first bad one.

    Raises:
        FloatingPointError: If there is one.

    Example:
        >>> require_finite({"valence": np.array([0.1, np.nan])})
        Traceback (most recent call last):
        FloatingPointError: the model's valence is NaN or infinite: its weights are...
    """
    for name, values in outputs.items():
        bad = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        if bad.any():
            whose = "" if ids is None else f" for {ids[bad.argmax()].decode()!r}"
            raise FloatingPointError(
                f"the model's {name} is NaN or infinite{whose}: its weights are "
                "damaged, or its numbers overflow in this precision"
            )
