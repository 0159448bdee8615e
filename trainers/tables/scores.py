"""From finished runs to the numbers of a row: means, deviations, intervals, confusion.

A number is the mean over seeds of a metric on the test set; its interval resamples
the test set's people, the same ones for every seed. In a cross-validation `accuracy`
is the mean of the folds', and what ends in `_pooled` is of all faces at once.
"""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from fer_tf import labels
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import read_card
from fer_tf.model_io.protocol import Protocol
from fer_tf.scores import SumScores, classification_sums
from trainers.evaluation import scoring
from trainers.evaluation.predictions import Predictions
from trainers.evaluation.scoring import TaskScores
from trainers.tables.plan import PlannedRow
from trainers.tables.runs import Run


def row_scores(
    planned: PlannedRow, protocol: Protocol, classes: Sequence[str] = ()
) -> dict | None:
    """What the finished seeds of a row measured under a protocol.

    Args:
        planned: The row.
        protocol: How the weights are chosen.
        classes: Classes of the confusion matrix, in its order; empty: none.

    Returns:
        `{"seeds", "mean", "std", "intervals", "per_seed", "num_examples",
        "resampled", "weights"}` and, with `classes`, `"confusion"` and (in a
        cross-validation) `"confusion_pooled"`, fractions of each true class. None
        if no seed is finished, or there was nothing to choose the weights by.
    """
    seeds = finished_seeds(planned, protocol)
    if not seeds:
        return None
    predicted = [seed_predictions(seed, protocol) for seed in seeds]
    units, unit = Predictions.concatenate(predicted[0]).independent_units()
    scored = [seed_tasks(folds, classes) for folds in predicted]
    per_seed = [seed_values(tasks) for tasks in scored]
    intervals = scoring.intervals_of(map(mean_scores, zip(*scored)), units)
    names = [name for name, value in per_seed[0].items() if np.ndim(value) == 0]
    values = {name: [of_seed[name] for of_seed in per_seed] for name in names}
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
            rates = np.mean([of_seed[f"{name}_rates"] for of_seed in per_seed], axis=0)
            result[name] = rates.round(6).tolist()
    return result


def finished_seeds(planned: PlannedRow, protocol: Protocol) -> list:
    """The seeds of a row, each `[fold][network]`, of which every run is measured."""
    return [
        seed
        for seed in planned.runs
        if all(_is_measured(run, protocol) for fold in seed for run in fold)
    ]


def seed_predictions(seed, protocol: Protocol) -> list[Predictions]:
    """The predictions of a finished seed, of each fold."""
    return [_merged([predictions(run, protocol) for run in fold]) for fold in seed]


def predictions(run: Run, protocol: Protocol) -> Predictions:
    """Predictions of a run's best weights on the test set.

    They are on `validation` if the data has no test set.
    """
    return Predictions.load(_predictions_file(run, protocol))


def weights_hash(run: Run, protocol: Protocol) -> str:
    """sha256 of a run's best weights."""
    folder = model_folder.find(run.path, protocol=protocol)
    return read_card(folder)["weights"]["sha256"]


def _predictions_file(run, protocol):
    return os.path.join(run.path, "outputs", f"{protocol}.npz")


def _is_measured(run, protocol):
    return run.finished and os.path.exists(_predictions_file(run, protocol))


def _merged(networks):
    """The predictions of a row's networks as if they were one."""
    outputs = {name: v for network in networks for name, v in network.outputs.items()}
    if {"valence", "arousal"} <= set(outputs):
        # 2Att-CNN: two networks, a dimension each.
        pair = [outputs.pop("valence"), outputs.pop("arousal")]
        outputs["valence_arousal"] = np.concatenate(pair, axis=1)
    return dataclasses.replace(networks[-1], outputs=outputs)


def seed_values(tasks: Sequence[TaskScores]) -> dict:
    """Every metric of a seed by name."""
    return {k: v for task in tasks for k, v in task.sums.values().items()}


def seed_tasks(
    folds: Sequence[Predictions], classes: Sequence[str] = ()
) -> list[TaskScores]:
    """The scores of a seed, whose folds are one set."""
    whole = Predictions.concatenate(folds)
    tasks = list(scoring.tasks(whole))
    if whole.labelled("expression").any() and (len(folds) > 1 or classes):
        fold = np.repeat(range(len(folds)), list(map(len, folds)))
        # Behind the others, whose scores of the same name give way to its own.
        tasks.append(_of_folds(whole, fold, classes))
    return tasks


def _of_folds(whole, fold, classes):
    """Scores of single folds, and the confusion in the order of `classes`."""
    labelled = whole.labelled("expression")
    logits, true = (
        columns["expression"][labelled] for columns in (whole.outputs, whole.labels)
    )
    fold = fold[labelled]
    pooled = classification_sums(true, logits, logits.shape[1])
    size, num_folds = pooled.rows.shape[1], fold.max() + 1
    order = [labels.EXPRESSIONS.index(name) for name in classes]
    ordered = lambda matrix: matrix[..., order, :][..., order]
    # A block of columns for each fold, so that one sum holds the sums of all folds.
    rows = np.zeros((len(fold), num_folds, size))
    rows[np.arange(len(fold)), fold] = pooled.rows

    def finish(sums):
        blocks = sums.reshape(*sums.shape[:-1], num_folds, size)
        by_fold, pooled_scores = pooled.finish(blocks), pooled.finish(blocks.sum(-2))
        values = {}
        if num_folds > 1:
            held = (by_fold["confusion"].sum((-1, -2)) > 0).sum(-1)
            values["accuracy"] = by_fold["accuracy"].sum(-1) / np.maximum(held, 1)
            values["accuracy_pooled"] = pooled_scores["accuracy"]
        if classes:
            # A class that a fold has no example of counts 0 in the folds' mean.
            rates = ordered(_rates(by_fold["confusion"]).mean(-3))
            values["confusion_rates"] = rates
            if num_folds > 1:
                own = np.diagonal(rates, axis1=-2, axis2=-1)
                values["mean_class_accuracy"] = own.mean(-1)
                values["confusion_pooled_rates"] = ordered(
                    _rates(pooled_scores["confusion"])
                )
        return values

    return TaskScores(SumScores(rows.reshape(len(fold), -1), finish), labelled)


def _rates(confusion):
    """Fractions of each true class; zeros for one without an example."""
    return confusion / np.maximum(confusion.sum(-1, keepdims=True), 1)


def mean_scores(tasks: Sequence[TaskScores]) -> TaskScores:
    """The mean over seeds of one task's scores, as sums over the same rows."""
    rows_of_seeds = [task.sums.rows for task in tasks]
    widths = np.cumsum([rows.shape[1] for rows in rows_of_seeds])[:-1]

    def finish(sums):
        parts = np.split(sums, widths, axis=-1)
        seeds = [task.sums.finish(part) for task, part in zip(tasks, parts)]
        return {name: np.mean([s[name] for s in seeds], axis=0) for name in seeds[0]}

    rows = np.concatenate(rows_of_seeds, axis=1)
    return TaskScores(SumScores(rows, finish), tasks[0].rows)
