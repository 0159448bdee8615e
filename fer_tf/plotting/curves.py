"""How a training went, from the rows of metrics.csv."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_tf.plotting.colors import INK
from fer_tf.plotting.style import tidy

_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
_NOT_LOSSES = ("stage", "epoch", "step", "learning_rate", "loss")


def training_curves(
    rows: list[dict],
    *,
    select: str,
    title: str = "",
    rates: tuple[list[float], list[float]] | None = None,
) -> Figure:
    """Losses, selection metric and learning rate over the epochs.

    The validation loss is the cross entropy of the expressions, for models that have
    them: training losses may hold more, such as weight decay or label smoothing. A
    dashed upright line marks where a stage begins. Rates below a two-thousandth of the
    highest lie below the axis.

    Args:
        rows: Of metrics.csv, one an evaluation.
        select: Name of the metric that chose the checkpoint; "-" before it says that
            less is better.
        title: Printed above.
        rates: Epochs and the learning rates there, of the whole training; by default
            those of the rows.

    Example:
        >>> from fer_tf.plotting.curves import training_curves
        >>> row = {"stage": "all", "epoch": 1, "loss": 2.0, "validation/accuracy": 0.5}
        >>> figure = training_curves([row] * 3, select="accuracy")
        >>> [axes.get_title() for axes in figure.axes]
        ['losses', 'accuracy', 'learning rate']
    """
    metric = select.lstrip("-")
    figure = Figure(figsize=(11.4, 3.7), layout="constrained")
    losses, scores, rate = figure.subplots(1, 3, width_ratios=(1, 1, 0.7))
    epochs, starts = _epochs(rows)
    tasks = _task_losses(rows)
    named = {"loss": "training, sum" if tasks else "training"} | {t: t for t in tasks}
    for (name, label), color in zip(named.items(), (INK, *_LINES)):
        _draw_line(losses, epochs, _column(rows, name), color, label)
    _draw_line(losses, epochs, _column(rows, "validation/nll"), _LINES[0],
               "validation, cross entropy", ls=":")  # fmt: skip
    for split, color in zip(("validation", "test"), _LINES):
        _draw_line(scores, epochs, _column(rows, f"{split}/{metric}"), color, split)
    if rates is None:
        _draw_line(rate, epochs, _column(rows, "learning_rate"), INK)
    else:
        _draw_line(rate, *rates, INK, marker="")
    highest = max((line.get_ydata().max() for line in rate.lines), default=0)
    if highest > 0:
        rate.set_yscale("log")
        # At least a decade, or a constant rate would have an odd axis.
        least = np.clip(0.7 * _least(rate), highest / 2000, highest / 10)
        rate.set_ylim(least, 1.4 * highest)
    for axes, name in ((losses, "losses"), (scores, metric), (rate, "learning rate")):
        axes.set_title(name, fontsize=10)
        _finish(axes, starts)
    figure.suptitle(title, fontsize=11)
    return figure


def _epochs(rows):
    """Epochs since the training began of each row, and where later stages begin."""
    epochs, starts = [], []
    for row, before in zip(rows, [None, *rows]):
        if before is not None and row["stage"] != before["stage"]:
            starts.append(epochs[-1])
        epochs.append(row["epoch"] + (starts[-1] if starts else 0))
    return epochs, starts


def _column(rows, name):
    return [row.get(name, math.nan) for row in rows]


def _least(axes):
    return min(line.get_ydata().min() for line in axes.lines)


def _draw_line(axes: Axes, epochs, values, color, label=None, marker=".", ls="-"):
    if not np.isnan(values).all():
        axes.plot(epochs, np.asarray(values), color=color, label=label, marker=marker,
                  ms=5, ls=ls)  # fmt: skip


def _finish(axes: Axes, starts):
    """Lines where stages begin, and a legend of more than one curve."""
    for epoch in starts:
        axes.axvline(epoch, color="#aaaaaa", lw=0.8, ls="--")
    axes.set_xlabel("epochs", fontsize=9)
    axes.xaxis.get_major_locator().set_params(integer=True)
    tidy(axes)
    if (count := len(axes.get_legend_handles_labels()[0])) > 1:
        axes.legend(
            fontsize=9, frameon=False, ncols=2 if count in (2, 4) else 3,
            loc="upper center", bbox_to_anchor=(0.5, -0.17), columnspacing=1.2,
        )  # fmt: skip


def _task_losses(rows):
    """Names of the losses that sum to `loss`, where there are several."""
    names = dict.fromkeys(name for row in rows for name in row)
    tasks = [
        name
        for name in names
        if name not in _NOT_LOSSES and "/" not in name and "variance" not in name
    ]
    return tasks if len(tasks) > 1 else []
