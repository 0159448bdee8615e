"""The pictures of an evaluation, drawn from the arrays that it gave."""

import os
from collections.abc import Sequence

import numpy as np

from fer_tf.plotting import score_figures
from fer_tf.plotting.confusion import confusion_matrix
from fer_tf.plotting.style import save_figure
from trainers.evaluation import evaluator


def draw(
    columns: dict, found: dict, folder: str, *, expressions: Sequence[str], title: str
) -> list[str]:
    """Writes a picture for each thing that was measured.

    Args:
        columns: From `Evaluator.outputs`.
        found: From `measuring.measured` of them.
        folder: Existing; pictures of the same names are replaced.
        expressions: Names of the data's expressions, for the circumplex.
        title: Model, data and split, in words.

    Returns:
        File names: `confusion.png`, `calibration.png`, `circumplex.png`,
        `action_units.png`, `groups.png`, as far as there is something to show.
    """
    makers = (_confusion, _calibration, _circumplex, _action_units, _groups)
    names = []
    for make in makers:
        figure = make(columns, found, expressions, title)
        if figure is not None:
            names.append(f"{make.__name__.lstrip('_')}.png")
            save_figure(figure, os.path.join(folder, names[-1]))
    return names


def _confusion(columns, found, expressions, title):
    if "confusion" not in found:
        return None
    names, counts = found["confusion"]["expressions"], found["confusion"]["counts"]
    return confusion_matrix(np.array(counts), names, title=title)


def _calibration(columns, found, expressions, title):
    if "calibration" not in found:
        return None
    measured = found["calibration"]
    return score_figures.calibration_curves(
        *_expressions(columns), measured["temperature"], measured["coverage"]
    )


def _circumplex(columns, found, expressions, title):
    if "valence_arousal" not in columns or "ccc_mean" not in found["metrics"]:
        return None
    given = columns["valence_arousal_weight"] > 0
    names = None
    if "true_expression" in columns:
        names = np.array(expressions)[columns["true_expression"]]
        names = np.where(columns["expression_weight"] > 0, names, "")[given]
    return score_figures.circumplex(
        columns["true_valence_arousal"][given],
        columns["valence_arousal"][given],
        names,
        title=title,
    )


def _action_units(columns, found, expressions, title):
    if "au_f1" not in found["metrics"]:
        return None
    weights = columns["action_units_weight"]
    present = (columns["true_action_units"] * weights).sum(0)
    counted = zip(evaluator.action_unit_names(columns), present, weights.sum(0))
    return score_figures.action_units(
        found["metrics"],
        found["intervals"],
        {name: yes / count for name, yes, count in counted if count},
    )


def _groups(columns, found, expressions, title):
    for metric in ("accuracy", "ccc_mean", "ccc_valence", "ccc_arousal", "au_accuracy"):
        if metric in found["metrics"] and "groups" in found:
            return score_figures.groups(
                found["groups"], metric, found["metrics"][metric]
            )
    return None


def _expressions(columns):
    given = columns["expression_weight"] > 0
    return columns["true_expression"][given], columns["expression"][given]
