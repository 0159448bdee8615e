"""Scores that depend on a set of faces only through sums over its rows.

Every score here does: through a confusion matrix, second moments, hits. `SumScores`
keeps what each row adds, so that a thousand resamples of a set are one matrix
product; see `fer_tf.scores.bootstrap`.
"""

import dataclasses
import types
from collections.abc import Callable

import numpy as np


def ratio(numerator, denominator) -> np.ndarray:
    """Elementwise quotient in float64, 0 where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    )
    return np.divide(
        numerator, denominator, out=np.zeros(numerator.shape), where=denominator != 0
    )


NUMPY = types.SimpleNamespace(
    abs=np.abs, diagonal=np.diagonal, divide_no_nan=ratio, mean=np.mean, sqrt=np.sqrt,
    sum=np.sum,
)  # fmt: skip
"""What the formulas of `fer_tf.scores.table` call, under the names of `keras.ops`."""


@dataclasses.dataclass(frozen=True)
class SumScores:
    """Scores that are a function of sums over rows.

    Attributes:
        rows: float64 `(n, s)`, what each row adds to the sums.
        finish: From sums `(..., s)` to `{name: (...)}`, for many sets at once.
    """

    rows: np.ndarray
    finish: Callable[[np.ndarray], dict[str, np.ndarray]]

    def values(self) -> dict:
        """The scores of all rows: floats, and arrays where a score is one."""
        scores = self.finish(self.rows.sum(axis=0))
        return {k: float(v) if np.ndim(v) == 0 else v for k, v in scores.items()}


def valid_rows(weights, *arrays):
    """The arrays, and weights, of the rows whose weight is positive.

    Raises:
        ValueError: If the arrays differ in length, or no row is valid.
    """
    arrays = [np.asarray(array) for array in arrays]
    weights = np.ones(len(arrays[0])) if weights is None else np.asarray(weights)
    if any(len(array) != len(weights) for array in arrays):
        raise ValueError(
            "All arrays must have as many rows. "
            f"Received: {[len(array) for array in (*arrays, weights)]}."
        )
    kept = weights > 0
    if not kept.any():
        raise ValueError(
            f"At least one row must be valid. Received: {len(weights)} rows, none."
        )
    return *(array[kept] for array in arrays), weights[kept].astype(np.float64)
