"""Values in label files: text that must be a number, within its range."""

import math

import numpy as np

from data_pipelines.sources.errors import DataError, OutOfRange


def number(text: str, what: str) -> float:
    """A finite number from text.

    Raises:
        DataError: If it is none; the message names `what`.
    """
    try:
        # Python reads "1_0" as ten.
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{what} must be a number, is {text[:40]!r}")
    return value


def whole_number(text: str, what: str) -> int:
    """A whole number from text ("3", "3.0", "  3.0000000e+00").

    Raises:
        DataError: If it is none; the message names `what`.
    """
    value = number(text, what)
    if value != int(value):
        raise DataError(f"{what} must be a whole number, is {text[:40]!r}")
    return int(value)


def in_circumplex(value: float, what: str) -> float:
    """A valence or an arousal in [-1, 1].

    Raises:
        OutOfRange: If it lies outside; the message names `what`.
    """
    if not -1 <= value <= 1:
        raise OutOfRange(f"{what} must lie in [-1, 1], is {value:g}")
    return value


def present(text: str, what: str) -> int:
    """Whether an action unit is present: 1, or 0.

    Raises:
        DataError: If it is neither; the message names `what`.
    """
    value = whole_number(text, what)
    if value not in (0, 1):
        raise OutOfRange(f"{what} must be 0 or 1, is {value}")
    return value


def points(values, count: int, what: str) -> list[list[float]]:
    """`count` points `[x, y]` from a flat list of numbers, or of texts.

    Raises:
        DataError: If there are more or fewer, one is not finite, or they lie on
            a single spot; the message names `what`.
    """
    values = list(values)
    if len(values) != 2 * count:
        raise DataError(
            f"{what}: {len(values)} numbers where there must be {2 * count}"
        )
    try:
        array = np.array(values, np.float64).reshape(count, 2)
    except ValueError as error:
        raise DataError(f"{what}: not all are numbers") from error
    if not np.isfinite(array).all():
        raise DataError(f"{what}: a point is not finite")
    if not np.ptp(array, axis=0).any():
        raise DataError(f"{what}: the points lie on a single spot")
    return array.tolist()
