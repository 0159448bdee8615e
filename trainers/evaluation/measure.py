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
    derived: Sequence[str] = (),
) -> dict:
    """Everything measured of a split, ready for JSON.

    Args:
        predictions: Of the split.
        validation: Of the validation split, on which the temperature is fitted; None
            where there is none.
        expressions: Names of the model's expressions, in the order of its outputs; it
            may be longer than they are.
        derived: Kinds of the data's labels that are derived from other labels.

    Returns:
        A dict of these keys:

        - `num_examples`: how many there are.
        - `labelled`: `{task: n}`, how many have a label of each task.
        - `metrics`, and their 95 % `intervals`.
        - `resampling`: what is resampled for the intervals, counted over all examples.
          A metric uses those that have its label.

        If labels that it is measured by are derived from other labels:

        - `derived`: their tasks.

        If the model predicts expressions:

        - `unknown_expressions`: how many examples have one that the model lacks.
        - `absent_expressions`: how many of the model's have no example.
        - `confusion` and `calibration`, if an example has such a label; see
          `_confusion` and `calibration_of`.

        If the data names groups of people:

        - `groups`: `{attribute: {value: {"num_examples", "labelled", "num_units",
          "metrics", "intervals"}}}`.
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
    if measured := [task for task in derived if result["labelled"].get(task)]:
        result["derived"] = measured
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
        A dict of these keys:

        - `expressions`: their names.
        - `counts`: a row for each true one, a column for each predicted one.
        - `intervals`: `{"recall", "precision"}`, a list of `[low, high]`, or None for
          fewer than two people.
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
        A dict of these keys:

        - `temperature`: fitted on `num_fitted` validation examples; None without any.
        - `ece_before`, `nll_before`: without the temperature.
        - `ece_after`, `nll_after`: with it; None if it was fitted on these examples.
        - `coverage`: a list of `{"coverage", "accuracy", "interval", "confidence"}`:
          the accuracy of the surest part, and the confidence from which a face belongs
          to it. That is the model's own confidence, without the temperature, as a user
          sees it.
    """
    labels, logits, units = _expressions(predictions)
    temperature, num_fitted = fit_temperature(validation)
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


def fit_temperature(validation: Predictions | None) -> tuple[float | None, int]:
    """The temperature, and the number of validation examples it was fitted on.

    Args:
        validation: Of the validation split; None, or one without an expression, gives
            None and 0.
    """
    if validation is None or not validation.labelled("expression").any():
        return None, 0
    labels, logits, _ = _expressions(validation)
    return calibration.fit_temperature(labels, logits), len(labels)


def _expressions(predictions):
    """Labels, logits and independent units of the rows with an expression."""
    rows = predictions.labelled("expression")
    true, logits = (
        columns["expression"][rows]
        for columns in (predictions.labels, predictions.outputs)
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
    """Whether a metric says something of the model in this group.

    One that needs every class does not where a class is missing.
    """
    return metric.by_group and (task.complete or not metric.needs_all)
