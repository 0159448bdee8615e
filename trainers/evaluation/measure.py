"""All that is measured of one split: metrics, intervals, calibration, groups."""

from collections.abc import Sequence

import numpy as np

from fer_tf import scores
from fer_tf.scores import bootstrap, calibration
from trainers.evaluation import evaluator

COVERAGES = (1.0, 0.9, 0.8, 0.7)

# A class or unit that does not occur counts as 0 in these: in a group that lacks
# one they would measure the group, not the model.
_NEED_EVERY_CLASS = ("macro_f1", "expression_score")
_NEED_EVERY_UNIT = ("au_f1", "au_score")
_GROUP_METRICS = (
    "accuracy", "mean_class_accuracy", *_NEED_EVERY_CLASS, "ccc_valence",
    "ccc_arousal", "ccc_mean", "rmse_valence", "rmse_arousal", *_NEED_EVERY_UNIT,
    "au_accuracy", "face_accuracy",
)  # fmt: skip

# Output of a model -> the task whose labels it is measured by.
_LABELLED_BY = {
    "expression": "expression",
    "is_face": "is_face",
    "action_units": "action_units",
    "valence_arousal": "valence_arousal",
    "valence": "valence_arousal",
    "arousal": "valence_arousal",
}


def measured(
    columns: dict, validation: dict | None = None, *, expressions: Sequence[str]
) -> dict:
    """Everything measured of a split, ready for JSON.

    Args:
        columns: From `Evaluator.outputs`.
        validation: The same of the validation split, on which the temperature
            is fitted; None where there is none.
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
        `calibrated`); where the data names groups of people, `"groups"`
        `{attribute: {value: {"num_examples", "labelled", "num_units", "metrics",
        "intervals"}}}`.
    """
    units, unit = evaluator.independent_units(columns)
    found = {
        "num_examples": len(units),
        "labelled": _labelled(columns),
        "metrics": evaluator.scalars(evaluator.score(columns)),
        "intervals": evaluator.intervals(columns),
        "resampling": {
            "unit": unit,
            "num_units": len(np.unique(units)),
            "num_resamples": bootstrap.NUM_RESAMPLES,
            "level": bootstrap.LEVEL,
        },
    }
    if "expression" in columns:
        found |= _classes(columns)
    if _classified(columns).any():
        found["confusion"] = _confusion(columns, expressions)
        found["calibration"] = calibrated(columns, validation)
    groups = {
        attribute: {value: _of_group(columns, rows) for value, rows in values.items()}
        for attribute, values in evaluator.by_group(columns).items()
    }
    return {**found, "groups": groups} if groups else found


def _labelled(columns):
    found = {}
    for output in columns.keys() & _LABELLED_BY.keys():
        task = _LABELLED_BY[output]
        given = columns[f"{task}_weight"] > 0
        found[task] = int(given.reshape(len(given), -1).any(axis=1).sum())
    return dict(sorted(found.items()))


def _classes(columns):
    """Where the classes of data and model are not the same."""
    true, width = columns["true_expression"], columns["expression"].shape[1]
    present = np.unique(true[_classified(columns)])
    return {
        "unknown_expressions": int((true >= width).sum()),
        "absent_expressions": width - len(present),
    }


def _confusion(columns, expressions):
    """How often each expression was taken for which.

    Returns:
        `"expressions"`, their names; `"counts"`, a row each true one and a column each
        that was said; `"intervals"`, `{"recall", "precision"}`: `[low, high]` of each,
        or None of fewer than two people.
    """
    true, logits, units = _expressions(columns)
    width, said = logits.shape[1], logits.argmax(1)
    counts = scores.confusion_matrix(true, said, width)
    ends = {}
    for name, shown in (("recall", true), ("precision", said)):
        parts = [shown == k for k in range(width)]
        found = [_of_share((said == true)[part], units[part]) for part in parts]
        ends[name] = [share.get("interval") for share in found]
    return {
        "expressions": list(expressions[:width]),
        "counts": counts.tolist(),
        "intervals": ends,
    }


def calibrated(columns: dict, validation: dict | None) -> dict:
    """How far the expression's confidence can be trusted.

    Args:
        columns: Of the split that is measured.
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
    labels, logits, units = _expressions(columns)
    temperature, num_fitted = _fit_temperature(validation)
    judged = temperature is not None and validation is not columns
    before = scores.classification_scores(labels, logits, logits.shape[1])
    cooled = logits / (temperature or 1.0)
    after = scores.classification_scores(labels, cooled, logits.shape[1])
    hits, sure = logits.argmax(1) == labels, calibration.confidence(logits)
    accuracy, level = calibration.selective_accuracy(hits, sure)
    curve = []
    for coverage in COVERAGES:
        last = calibration.kept(coverage, len(hits)) - 1
        row = {"coverage": coverage, "accuracy": float(accuracy[last])}
        chosen = sure >= level[last]
        ends = _of_share(hits[chosen], units[chosen])
        curve.append({**row, **ends, "confidence": float(level[last])})
    return {
        "temperature": temperature,
        "num_fitted": num_fitted,
        "ece_before": before["ece"],
        "ece_after": after["ece"] if judged else None,
        "nll_before": before["nll"],
        "nll_after": after["nll"] if judged else None,
        "coverage": curve,
    }


def _fit_temperature(validation: dict | None) -> tuple[float | None, int]:
    """The temperature of the validation split, and of how many examples it is."""
    if validation is None or not _classified(validation).any():
        return None, 0
    labels, logits, _ = _expressions(validation)
    return calibration.fit_temperature(labels, logits), len(labels)


def _classified(columns):
    return columns.get("expression_weight", np.zeros(1)) > 0


def _expressions(columns):
    """Labels, logits and independent units of the rows with an expression."""
    given = _classified(columns)
    units = evaluator.independent_units(columns)[0]
    true, logits = columns["true_expression"], columns["expression"]
    return true[given].astype(np.int64), logits[given], units[given]


def _of_share(hits, units):
    """`{"interval": [low, high]}`, or nothing of fewer than two units."""
    if not len(hits):
        return {}
    rows = np.stack([hits, np.ones(len(hits))], axis=1)
    share = scores.SumScores(
        rows, lambda sums: {"accuracy": sums[..., 0] / sums[..., 1]}
    )
    found = evaluator.intervals_of([(share, np.ones(len(hits), bool))], units)
    return {"interval": found["accuracy"]} if found else {}


def _of_group(columns, rows):
    part = {name: values[rows] for name, values in columns.items()}
    units = evaluator.independent_units(part)[0]
    found = evaluator.scalars(evaluator.score(part))
    left_out = set()
    if not _every_class(part):
        left_out.update(_NEED_EVERY_CLASS)
    if not _every_unit(part):
        left_out.update(_NEED_EVERY_UNIT)
    names = [k for k in _GROUP_METRICS if k in found and k not in left_out]
    ends = evaluator.intervals(part)
    return {
        "num_examples": int(rows.sum()),
        "labelled": _labelled(part),
        "num_units": len(np.unique(units)),
        "metrics": {name: found[name] for name in names},
        "intervals": {name: ends[name] for name in names if name in ends},
    }


def _every_class(columns):
    given = _classified(columns)
    if not given.any():
        return False
    classes = columns["expression"].shape[1]
    return len(np.unique(columns["true_expression"][given])) == classes


def _every_unit(columns):
    if "action_units" not in columns:
        return False
    present = columns["true_action_units"] * columns["action_units_weight"]
    return bool((present > 0).any(axis=0).all())
