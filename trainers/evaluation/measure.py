"""All that is measured of one split: metrics, intervals, calibration, groups."""

from collections.abc import Sequence

import numpy as np

from fer_tf import scores
from fer_tf.scores import bootstrap, calibration
from trainers.evaluation import scoring
from trainers.evaluation.predictions import Predictions

COVERAGES = (1.0, 0.9, 0.8, 0.7)

# Output of a model -> the task whose labels it is measured by.
_LABELLED_BY = {
    "expression": "expression",
    "is_face": "is_face",
    "action_units": "action_units",
    "valence_arousal": "valence_arousal",
    "valence": "valence_arousal",
    "arousal": "valence_arousal",
}


def measure_split(
    predictions: Predictions,
    validation: Predictions | None = None,
    *,
    expressions: Sequence[str],
) -> dict:
    """Everything measured of a split, ready for JSON.

    Args:
        predictions: Of the split.
        validation: Of the validation split, on which the temperature is fitted; None
            where there is none.
        expressions: Names of the model's expressions, in the order of its outputs; it
            may be longer than they are.

    Returns:
        `"num_examples"`, and how many of them have a label of each task, `"labelled"`
        `{task: n}`; where expressions are predicted, `"unknown_expressions"`, how many
        examples have one that the model lacks, and `"absent_expressions"`, how many of
        the model's have no example; `"metrics"` and their 95 % `"intervals"`;
        `"resampling"`, what is drawn for them, of all examples, of which a metric's
        own are those with its label; where an example has an expression that is
        predicted, `"confusion"` (see `_confusion`) and `"calibration"` (see
        `calibration_of`); where the data names groups of people, `"groups"`
        `{attribute: {value: {"num_examples", "labelled", "num_units", "metrics",
        "intervals"}}}`.
    """
    units, unit = predictions.independent_units()
    result = {
        "num_examples": len(predictions),
        "labelled": _labelled(predictions),
        "metrics": scoring.scalars(scoring.score(predictions)),
        "intervals": scoring.intervals(predictions),
        "resampling": {
            "unit": unit,
            "num_units": len(np.unique(units)),
            "num_resamples": bootstrap.NUM_RESAMPLES,
            "level": bootstrap.LEVEL,
        },
    }
    if "expression" in predictions.outputs:
        result |= _class_counts(predictions)
        if predictions.labelled("expression").any():
            result["confusion"] = _confusion(predictions, expressions)
            result["calibration"] = calibration_of(predictions, validation)
    groups = {
        attribute: {v: _of_group(predictions.take(rows)) for v, rows in values.items()}
        for attribute, values in predictions.by_group().items()
    }
    return {**result, "groups": groups} if groups else result


def _labelled(predictions):
    tasks = {_LABELLED_BY[k] for k in predictions.outputs if k in _LABELLED_BY}
    return {task: int(predictions.labelled(task).sum()) for task in sorted(tasks)}


def _class_counts(predictions):
    """Where the classes of data and model are not the same."""
    true = predictions.labels["expression"]
    width = predictions.outputs["expression"].shape[1]
    present = np.unique(true[predictions.labelled("expression")])
    return {
        "unknown_expressions": int((true >= width).sum()),
        "absent_expressions": width - len(present),
    }


def _confusion(predictions, expressions):
    """How often each expression was taken for which.

    Returns:
        `"expressions"`, their names; `"counts"`, a row each true one and a column each
        that was said; `"intervals"`, `{"recall", "precision"}`: `[low, high]` of each,
        or None of fewer than two people.
    """
    true, logits, units = _expressions(predictions)
    width, said = logits.shape[1], logits.argmax(1)
    ends = {}
    for name, shown in (("recall", true), ("precision", said)):
        parts = [shown == k for k in range(width)]
        ends[name] = [_share_interval((said == true)[p], units[p]) for p in parts]
    return {
        "expressions": list(expressions[:width]),
        "counts": scores.confusion_matrix(true, said, width).tolist(),
        "intervals": ends,
    }


def calibration_of(predictions: Predictions, validation: Predictions | None) -> dict:
    """How far the expression's confidence can be trusted.

    Args:
        predictions: Of the split that is measured.
        validation: Of the validation split.

    Returns:
        `"temperature"`, fitted on `"num_fitted"` validation examples, or None
        without any; `"ece_before"`, `"ece_after"`, `"nll_before"` and
        `"nll_after"` it, the latter None where the examples are those that it was
        fitted on; `"coverage"`: a list of `{"coverage", "accuracy",
        "interval", "confidence"}`, the accuracy of the surest part and the
        confidence from which a face belongs to it: the model's own, which whoever
        uses it sees, without the temperature.
    """
    labels, logits, units = _expressions(predictions)
    temperature, num_fitted = _fit_temperature(validation)
    judged = temperature is not None and validation is not predictions
    before = scores.classification_scores(labels, logits, logits.shape[1])
    cooled = logits / (temperature or 1.0)
    after = scores.classification_scores(labels, cooled, logits.shape[1])
    return {
        "temperature": temperature,
        "num_fitted": num_fitted,
        "ece_before": before["ece"],
        "ece_after": after["ece"] if judged else None,
        "nll_before": before["nll"],
        "nll_after": after["nll"] if judged else None,
        "coverage": list(_coverage(labels, logits, units)),
    }


def _coverage(labels, logits, units):
    """The accuracy of the surest parts of the faces."""
    hits, sure = logits.argmax(1) == labels, calibration.confidence(logits)
    accuracy, level = calibration.selective_accuracy(hits, sure)
    for coverage in COVERAGES:
        last = calibration.kept(coverage, len(hits)) - 1
        chosen = sure >= level[last]
        ends = _share_interval(hits[chosen], units[chosen])
        yield {
            "coverage": coverage,
            "accuracy": float(accuracy[last]),
            **({"interval": ends} if ends else {}),
            "confidence": float(level[last]),
        }


def _fit_temperature(validation: Predictions | None) -> tuple[float | None, int]:
    """The temperature of the validation split, and of how many examples it is."""
    if validation is None or not validation.labelled("expression").any():
        return None, 0
    labels, logits, _ = _expressions(validation)
    return calibration.fit_temperature(labels, logits), len(labels)


def _expressions(predictions):
    """Labels, logits and independent units of the rows with an expression."""
    rows = predictions.labelled("expression")
    true, logits = (
        each["expression"][rows] for each in (predictions.labels, predictions.outputs)
    )
    return true.astype(np.int64), logits, predictions.independent_units()[0][rows]


def _share_interval(hits, units) -> list[float] | None:
    """The interval of the share of hits; None of fewer than two units."""
    if not len(hits):
        return None
    rows = np.stack([hits, np.ones(len(hits))], axis=1)
    share = scores.SumScores(
        rows, lambda sums: {"accuracy": sums[..., 0] / sums[..., 1]}
    )
    task = scoring.TaskScores(share, np.ones(len(hits), bool))
    return scoring.intervals_of([task], units).get("accuracy")


def _of_group(part):
    """What is measured of one group of people."""
    units = part.independent_units()[0]
    tasks = list(scoring.tasks(part))
    metrics = {
        name: value
        for task in tasks
        for name, value in scoring.scalars(task.sums.values()).items()
        if _tells_of_a_group(scores.metric_of(name), task)
    }
    ends = scoring.intervals_of(tasks, units)
    return {
        "num_examples": len(part),
        "labelled": _labelled(part),
        "num_units": len(np.unique(units)),
        "metrics": metrics,
        "intervals": {name: ends[name] for name in metrics if name in ends},
    }


def _tells_of_a_group(metric, task):
    """Where a class is missing, what needs all measures the group, not the model."""
    return metric.by_group and (task.complete or not metric.needs_all)
