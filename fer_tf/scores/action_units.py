"""Scores of action units, in NumPy float64."""

import numpy as np

from fer_tf.arguments import require
from fer_tf.labels import action_unit_names
from fer_tf.scores import table
from fer_tf.scores.sums import SumScores


def action_unit_sums(labels, logits, weights=None, names=None) -> SumScores:
    """`action_unit_scores`, as sums over all rows."""
    labels, detected = np.asarray(labels) > 0.5, np.asarray(logits) > 0
    names = action_unit_names(labels.shape[1]) if names is None else names
    require(labels.shape[1] == len(names), f"name {labels.shape[1]} units", names=names)
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights)
    if weights.ndim == 1:
        weights = weights[:, None]
    weights = np.broadcast_to(weights, labels.shape).astype(np.float64)
    if not weights.any():
        raise ValueError(
            f"At least one unit must be valid. Received: {len(labels)} rows, none."
        )
    hits, wrong = weights * (labels & detected), weights * (labels != detected)
    # Nothing is known of a unit that nobody annotated, not even that it never occurs.
    annotated = np.flatnonzero(weights.any(axis=0))

    def finish(sums):
        parts = sums.reshape(*sums.shape[:-1], 3, len(names))
        units = table.UnitSums(*np.moveaxis(parts, -2, 0))
        scores = table.values(table.UNITS, units)
        for metric, values in table.values(table.UNIT, units).items():
            scores |= {metric.format(names[i]): values[..., i] for i in annotated}
        return scores

    return SumScores(np.concatenate([hits, wrong, weights], axis=1), finish)


def action_unit_scores(labels, logits, weights=None, names=None) -> dict[str, float]:
    """Scores of action units, each detected where its logit is positive.

    Args:
        labels: `(n, units)` of 0 and 1.
        logits: `(n, units)`.
        weights: Validity, `(n,)` or `(n, units)`.
        names: The units' names, in order; by default Aff-Wild2's, of their number.

    Returns:
        Floats "au_f1" (the mean over annotated units; one that never occurs counts
        0), "au_accuracy" (over all valid decisions), "au_score" (ABAW-2020's half
        of each), and "au_f1_<name>" of each annotated unit.

    Raises:
        ValueError: If nothing is valid, or the names are not as many as units.

    >>> logits = [[9, -9], [-9, 9]]
    >>> scores = action_unit_scores([[1, 0], [1, 1]], logits, names=["A", "B"])
    >>> round(scores["au_f1_A"], 3), scores["au_f1_B"], scores["au_accuracy"]
    (0.667, 1.0, 0.75)
    """
    return action_unit_sums(labels, logits, weights, names).values()
