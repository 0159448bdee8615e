"""How a training went, from the rows of metrics.csv."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_tf.plotting.style import INK, tidy

_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
_NOT_LOSSES = ("stage", "epoch", "step", "learning_rate", "loss")


def training_curves(rows: list[dict], *, select: str, title: str = "") -> Figure:
    """Losses, selection metric and learning rate over the evaluations.

    A thin line marks where a stage begins.

    Args:
        rows: Of metrics.csv, one an evaluation.
        select: Name of the metric that chose the checkpoint; "-" before it says that
            less is better.
        title: Printed above.

    Example:
        >>> from fer_tf.plotting.curves import training_curves
        >>> row = {"stage": "all", "loss": 2.0, "validation/accuracy": 0.5}
        >>> figure = training_curves([row] * 3, select="accuracy")
        >>> [axes.get_title() for axes in figure.axes]
        ['training losses', 'accuracy', 'learning rate']
    """
    metric = select.lstrip("-")
    figure = Figure(figsize=(11.4, 3.7), layout="constrained")
    losses, scores, rates = figure.subplots(1, 3, width_ratios=(1, 1, 0.7))
    for name, color in zip(("loss", *_task_losses(rows)), (INK, *_LINES)):
        _draw_line(losses, _column(rows, name), color, name)
    for split, color in zip(("validation", "test"), _LINES):
        _draw_line(scores, _column(rows, f"{split}/{metric}"), color, split)
    learning_rate = _column(rows, "learning_rate")
    _draw_line(rates, learning_rate, INK)
    if min(learning_rate, default=0) > 0:
        rates.set_yscale("log")
    for axes, name in (
        (losses, "training losses"), (scores, metric), (rates, "learning rate")
    ):  # fmt: skip
        axes.set_title(name, fontsize=10)
        _finish(axes, rows)
    figure.suptitle(title, fontsize=11)
    return figure


def _column(rows, name):
    return [row.get(name, math.nan) for row in rows]


def _draw_line(axes: Axes, values, color, label=None):
    if not all(map(math.isnan, values)):
        evaluations = np.arange(1, len(values) + 1)
        axes.plot(evaluations, values, color=color, label=label, marker=".", ms=5)


def _finish(axes: Axes, rows):
    """Lines where stages begin, and a legend of more than one curve."""
    for place in range(1, len(rows)):
        if rows[place]["stage"] != rows[place - 1]["stage"]:
            axes.axvline(place + 0.5, color="#aaaaaa", lw=0.8, ls="--")
    axes.set_xlabel("evaluations", fontsize=9)
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
