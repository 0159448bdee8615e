"""From finished runs to the numbers of a row: means, deviations, intervals, confusion.

A number is the mean over seeds of a metric on the test set; its interval resamples
the test set's people, the same ones for every seed. In a cross-validation `accuracy`
is the mean of the folds', and what ends in `_pooled` is of all faces at once.
"""

import os
from collections.abc import Sequence

import numpy as np

from fer_tf import labels
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import read_card
from fer_tf.scores import SumScores, classification
from trainers.evaluation import evaluator
from trainers.tables.plan import PlannedRow
from trainers.tables.runs import Run


def row_scores(
    planned: PlannedRow, protocol: str, classes: Sequence[str] = ()
) -> dict | None:
    """What the finished seeds of a row measured under a protocol.

    Args:
        planned: The row.
        protocol: `clean` or `paper`.
        classes: Classes of the confusion matrix, in its order; empty: none.

    Returns:
        `{"seeds", "mean", "std", "intervals", "per_seed", "num_examples",
        "resampled", "weights"}` and, with `classes`, `"confusion"` and (in a
        cross-validation) `"confusion_pooled"`, fractions of each true class. None
        if no seed is finished, or there was nothing to choose the weights by.
    """
    seeds = [
        seed
        for seed in planned.runs
        if all(_measured(run, protocol) for fold in seed for run in fold)
    ]
    if not seeds:
        return None
    columns = [
        [_merged([outputs(run, protocol) for run in fold]) for fold in seed]
        for seed in seeds
    ]
    scored = [_scores(folds, classes) for folds in columns]
    per_seed = [_flat(families) for families, _ in scored]
    units, unit = scored[0][1]
    together = zip(*(families for families, _ in scored))
    intervals = evaluator.intervals_of(
        [(_mean(families), families[0][1]) for families in together], units
    )
    names = [name for name, value in per_seed[0].items() if np.ndim(value) == 0]
    values = {name: [found[name] for found in per_seed] for name in names}
    result = {
        "seeds": len(seeds),
        "mean": {name: float(np.mean(v)) for name, v in values.items()},
        "std": {
            name: float(np.std(v, ddof=1)) if len(v) > 1 else None
            for name, v in values.items()
        },
        "intervals": {name: intervals[name] for name in names if name in intervals},
        "per_seed": values,
        "num_examples": len(units),
        "resampled": unit,
        "weights": [
            weights_hash(run, protocol)
            for seed in seeds
            for fold in seed
            for run in fold
        ],
    }
    for name in ("confusion", "confusion_pooled"):
        if classes and f"{name}_rates" in per_seed[0]:
            rates = np.mean([found[f"{name}_rates"] for found in per_seed], axis=0)
            result[name] = rates.round(6).tolist()
    return result


def outputs(run: Run, protocol: str) -> dict[str, np.ndarray]:
    """What a finished run's best weights say of the test set, with its labels.

    That is `validation` where the data has no test set.
    """
    return evaluator.load_outputs(_outputs_file(run, protocol))


def weights_hash(run: Run, protocol: str) -> str:
    """sha256 of a run's best weights."""
    folder = model_folder.find(run.path, protocol=protocol)
    return read_card(folder)["weights"]["sha256"]


def _outputs_file(run, protocol):
    return os.path.join(run.path, "outputs", f"{protocol}.npz")


def _measured(run, protocol):
    return run.finished and os.path.exists(_outputs_file(run, protocol))


def _merged(networks):
    """The columns of a row's networks as if they were one."""
    columns = {name: v for found in networks for name, v in found.items()}
    if {"valence", "arousal"} <= set(columns):
        # 2Att-CNN: two networks, a dimension each.
        pair = [columns.pop("valence"), columns.pop("arousal")]
        columns["valence_arousal"] = np.concatenate(pair, axis=1)
    return columns


def _scores(folds, classes):
    """`[(SumScores, rows given), ...]` of a seed, and `(units, what they are)`."""
    columns = {n: np.concatenate([f[n] for f in folds]) for n in folds[0]}
    units = evaluator.independent_units(columns)
    families = list(evaluator.families(columns))
    given = columns.get("expression_weight", np.zeros(1)) > 0
    if given.any() and (len(folds) > 1 or classes):
        number = np.repeat(range(len(folds)), [len(f["sample_id"]) for f in folds])
        # Behind the others, whose scores of the same name give way to its own.
        families += [(_classified(columns, given, number[given], classes), given)]
    return families, units


def _classified(columns, given, fold, classes):
    """Scores of single folds, and the confusion in the order of `classes`."""
    logits, true = columns["expression"][given], columns["true_expression"][given]
    pooled = classification(true, logits, logits.shape[1])
    size, num_folds = pooled.rows.shape[1], fold.max() + 1
    order = [labels.EXPRESSIONS.index(name) for name in classes]
    ordered = lambda matrix: matrix[..., order, :][..., order]
    # A block of columns a fold, so that one sum holds the sums of all folds.
    rows = np.zeros((len(fold), num_folds, size))
    rows[np.arange(len(fold)), fold] = pooled.rows

    def finish(sums):
        each = pooled.finish(sums.reshape(*sums.shape[:-1], num_folds, size))
        whole = pooled.finish(sums.reshape(*sums.shape[:-1], num_folds, size).sum(-2))
        found = {}
        if num_folds > 1:
            held = (each["confusion"].sum((-1, -2)) > 0).sum(-1)
            found["accuracy"] = each["accuracy"].sum(-1) / np.maximum(held, 1)
            found["accuracy_pooled"] = whole["accuracy"]
        if classes:
            # A class that a fold has no example of counts 0 in the folds' mean.
            rates = ordered(_rates(each["confusion"]).mean(-3))
            found["confusion_rates"] = rates
            if num_folds > 1:
                own = np.diagonal(rates, axis1=-2, axis2=-1)
                found["mean_class_accuracy"] = own.mean(-1)
                found["confusion_pooled_rates"] = ordered(_rates(whole["confusion"]))
        return found

    return SumScores(rows.reshape(len(fold), -1), finish)


def _rates(confusion):
    """Fractions of each true class; zeros for one without an example."""
    return confusion / np.maximum(confusion.sum(-1, keepdims=True), 1)


def _flat(families):
    return {name: v for family, _ in families for name, v in family.values().items()}


def _mean(families):
    """The mean over seeds of one family's scores, as sums over the same rows."""
    scores = [family for family, _ in families]
    widths = np.cumsum([family.rows.shape[1] for family in scores])[:-1]

    def finish(sums):
        parts = np.split(sums, widths, axis=-1)
        found = [family.finish(part) for family, part in zip(scores, parts)]
        return {name: np.mean([f[name] for f in found], axis=0) for name in found[0]}

    return SumScores(np.concatenate([f.rows for f in scores], axis=1), finish)
