"""The metrics of predictions, and their intervals."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from fer_tf import scores
from fer_tf.scores import bootstrap, table
from trainers.evaluation.predictions import Predictions


class TaskScores(NamedTuple):
    """The metrics of one task, or of one output of it.

    Attributes:
        sums: The metrics, as sums over the rows that have a label.
        rows: Which rows these are, bool `(n,)`.
        complete: Whether every class or unit has an example.
    """

    sums: scores.SumScores
    rows: np.ndarray
    complete: bool = True


def tasks(predictions: Predictions) -> Iterator[TaskScores]:
    """Yields the metrics of each output that has a label."""
    outputs = predictions.outputs
    for task, prefix in (("expression", ""), ("is_face", table.FACE)):
        if task in outputs and predictions.labelled(task).any():
            yield _classes(predictions, task, prefix)
    rows = predictions.labelled("valence_arousal")
    if rows.any():
        true = predictions.labels["valence_arousal"][rows]
        if "valence_arousal" in outputs:
            guess = outputs["valence_arousal"][rows]
            yield TaskScores(scores.dimensional_sums(true, guess), rows)
        for index, name in enumerate(("valence", "arousal")):
            # 2Att-CNN's networks, of one dimension each.
            if name in outputs:
                guess = outputs[name][rows, 0]
                yield TaskScores(
                    scores.dimension_sums(true[:, index], guess, name), rows
                )
    if "action_units" in outputs and predictions.labelled("action_units").any():
        yield _action_units(predictions)


def _classes(predictions, task, prefix):
    rows = predictions.labelled(task)
    true, logits = predictions.labels[task][rows], predictions.outputs[task][rows]
    num_classes = logits.shape[-1]
    return TaskScores(
        scores.classification_sums(true, logits, num_classes, prefix=prefix),
        rows,
        complete=len(np.unique(true)) == num_classes,
    )


def _action_units(predictions):
    rows = predictions.labelled("action_units")
    true = predictions.labels["action_units"][rows]
    weights = predictions.weights["action_units"][rows]
    return TaskScores(
        scores.action_unit_sums(
            true,
            predictions.outputs["action_units"][rows],
            weights,
            predictions.action_unit_names or None,
        ),
        rows,
        complete=bool((true * weights > 0).any(axis=0).all()),
    )


def score(predictions: Predictions) -> dict:
    """Every metric by name; and `confusion`, an array, of expressions."""
    return {k: v for task in tasks(predictions) for k, v in task.sums.values().items()}


def scalars(values: dict) -> dict[str, float]:
    """The metrics that are single numbers."""
    return {name: float(v) for name, v in values.items() if np.ndim(v) == 0}


def intervals(predictions: Predictions) -> dict[str, list[float]]:
    """95 % bootstrap intervals of the metrics, `{name: [low, high]}`.

    Faces of one person, or else of one video, are resampled together. `METRICS` says
    which metrics have no interval, and which get Clopper and Pearson's at exactly 0
    or 1.
    """
    return intervals_of(tasks(predictions), predictions.independent_units()[0])


def intervals_of(
    scored: Iterable[TaskScores], units: np.ndarray
) -> dict[str, list[float]]:
    """As `intervals`, of scores and of `(n,)` labels of what is independent."""
    ends = {}
    for task in scored:
        values, own = task.sums.values(), units[task.rows]
        count = len(np.unique(own))
        for name, (low, high) in bootstrap.intervals(task.sums, own).items():
            if np.ndim(low):  # A confusion matrix.
                continue
            kind = scores.metric_of(name).interval
            if kind == table.NONE:
                continue
            if kind == table.SHARE and values[name] in (0.0, 1.0):
                beyond = ((1 - bootstrap.LEVEL) / 2) ** (1 / count)
                low, high = (beyond, 1.0) if values[name] else (0.0, 1 - beyond)
            ends[name] = [low, high]
    return ends
