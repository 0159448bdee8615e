"""Confidence intervals of scores, by resampling what is independent.

The faces of one person, or of one video, are not independent: they are drawn
together or not at all, as many people as there are, with replacement. Scores
that are sums over rows need no pass over the data for that, see
`fer_tf.scores.SumScores`.
"""

import numpy as np

from fer_tf.scores.sums import SumScores

NUM_RESAMPLES = 1000
LEVEL = 0.95

# More units than this are drawn in bundles of several at random, which spread as
# much as the units themselves: hundreds of thousands would take minutes.
_MOST_UNITS = 10_000

# Counts of one block of resamples, at most, in memory.
_BLOCK = 1 << 22


def intervals(
    scores: SumScores,
    units=None,
    *,
    num_resamples: int = NUM_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, tuple]:
    """Percentile intervals of scores.

    Args:
        scores: What is resampled.
        units: `(n,)` labels of what is drawn together, such as subjects; None
            for single rows.
        num_resamples: How often to resample.
        level: Coverage, in (0, 1).
        seed: Of the resampling.

    Returns:
        `{name: (low, high)}` of floats, or of arrays where a score is an array;
        empty if there are fewer than two units, which tell nothing of how
        another sample would differ.

    Raises:
        ValueError: If `level` is out of range, or the units are not one per row.

    >>> from fer_tf.scores import classification_sums
    >>> labels, logits = [0, 1] * 50, [[1.0, 0.0]] * 100
    >>> low, high = intervals(classification_sums(labels, logits, 2))["accuracy"]
    >>> low < 0.5 < high
    True
    """
    count = len(scores.rows)
    units = np.arange(count) if units is None else np.asarray(units)
    if not 0 < level < 1 or len(units) != count:
        raise ValueError(
            "`level` must be in (0, 1) and `units` one per row. "
            f"Received: level={level}, {len(units)} units, {count} rows."
        )
    sums = unit_sums(scores.rows, units)
    if len(sums) < 2:
        return {}
    rng = np.random.default_rng(seed)
    if len(sums) > _MOST_UNITS:
        sums = unit_sums(sums, rng.permutation(len(sums)) % _MOST_UNITS)
    block = max(1, _BLOCK // len(sums))
    blocks = [
        scores.finish(_counts(rng, min(block, num_resamples - start), len(sums)) @ sums)
        for start in range(0, num_resamples, block)
    ]
    tails = [50 * (1 - level), 50 * (1 + level)]
    drawn = {
        name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]
    }
    ends = {k: np.percentile(values, tails, axis=0) for k, values in drawn.items()}
    return {
        name: tuple(map(float, pair)) if pair.ndim == 1 else tuple(pair)
        for name, pair in ends.items()
    }


def unit_sums(rows, units) -> np.ndarray:
    """Sums of the rows `(n, s)` of each unit, `(units, s)`, in sorted order.

    >>> unit_sums(np.array([[1.0], [2.0], [4.0]]), ["b", "a", "b"]).tolist()
    [[2.0], [5.0]]
    """
    _, codes = np.unique(units, return_inverse=True)
    if len(codes) and codes.max() + 1 == len(codes):
        return rows[np.argsort(codes)]
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return np.add.reduceat(rows[order], starts, axis=0)


def _counts(rng, num_resamples, num_units):
    """How often each unit is in each resample, `(resamples, units)`."""
    drawn = rng.integers(0, num_units, (num_resamples, num_units))
    drawn += num_units * np.arange(num_resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=num_resamples * num_units)
    return counts.reshape(num_resamples, num_units).astype(np.float64)
