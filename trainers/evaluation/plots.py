"""The pictures of an evaluation, drawn from the predictions and their scores."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fer_tf.labels import action_unit_names
from fer_tf.plotting import score_figures
from fer_tf.plotting.confusion import confusion_matrix
from fer_tf.plotting.style import save_figure
from fer_tf.scores import leading, metric_of
from trainers.evaluation.predictions import Predictions


def draw(
    predictions: Predictions,
    scores: Mapping[str, Any],
    folder: str,
    *,
    expressions: Sequence[str],
    title: str,
) -> list[str]:
    """Writes a picture for each thing that was measured.

    Args:
        predictions: Of a split.
        scores: From `measure.measure_split` of them.
        folder: Existing; pictures of the same names are replaced.
        expressions: Names of the data's expressions, for the circumplex.
        title: Model, data and split, in words.

    Returns:
        File names: `confusion.png`, `calibration.png`, `circumplex.png`,
        `action_units.png`, `groups.png`, as far as there is something to show.
    """
    pictures = {
        "confusion.png": _confusion(scores, title),
        "calibration.png": _calibration(predictions, scores),
        "circumplex.png": _circumplex(predictions, expressions, title),
        "action_units.png": _action_units(predictions, scores),
        "groups.png": _groups(scores),
    }
    pictures = {name: figure for name, figure in pictures.items() if figure is not None}
    for name, figure in pictures.items():
        save_figure(figure, os.path.join(folder, name))
    return list(pictures)


def _confusion(scores, title):
    if "confusion" not in scores:
        return None
    names, counts = scores["confusion"]["expressions"], scores["confusion"]["counts"]
    return confusion_matrix(np.array(counts), names, title=title)


def _calibration(predictions, scores):
    if "calibration" not in scores:
        return None
    rows, calibration = predictions.labelled("expression"), scores["calibration"]
    return score_figures.calibration_curves(
        predictions.labels["expression"][rows],
        predictions.outputs["expression"][rows],
        calibration["temperature"],
        calibration["coverage"],
    )


def _circumplex(predictions, expressions, title):
    rows = predictions.labelled("valence_arousal")
    if "valence_arousal" not in predictions.outputs or not rows.any():
        return None
    names = None
    if "expression" in predictions.labels:
        names = np.array(expressions)[predictions.labels["expression"]]
        names = np.where(predictions.labelled("expression"), names, "")[rows]
    return score_figures.circumplex(
        predictions.labels["valence_arousal"][rows],
        predictions.outputs["valence_arousal"][rows],
        names,
        title=title,
    )


def _action_units(predictions, scores):
    if "action_units" not in predictions.outputs:
        return None
    weights = predictions.weights["action_units"]
    if not weights.any():
        return None
    present = (predictions.labels["action_units"] * weights).sum(0)
    names = predictions.action_unit_names or action_unit_names(len(present))
    counted = zip(names, present, weights.sum(0))
    return score_figures.action_units(
        scores["metrics"],
        scores["intervals"],
        {name: yes / count for name, yes, count in counted if count},
    )


def _groups(scores):
    # What needs all classes is not measured in every group.
    names = [name for name in scores["metrics"] if not metric_of(name).needs_all]
    if "groups" not in scores or not names:
        return None
    name = leading(names)[0]
    return score_figures.groups(scores["groups"], name, scores["metrics"][name])
