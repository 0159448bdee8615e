"""Pictures of a summary: means, paired differences and courses over time.

Every function returns a figure; `fer_tf.plotting.style.save_figure` writes it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from fer_tf.plotting.style import INK, tidy

# After Okabe and Ito; dots and lines of groups.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", INK)
_COLUMNS = 3


def dots(groups: Mapping[str, Mapping], xlabel: str, *, zero: bool = False) -> Figure:
    """A dot for each mean and a line for its interval.

    Args:
        groups: Title of a group -> `{reading: {"mean", "interval"}}`.
        xlabel: What the axis shows.
        zero: Whether to draw a line at 0.
    """
    names = list(next(iter(groups.values())))
    figure = Figure(figsize=(7, 1.6 + 0.34 * len(names) + 0.2 * len(groups)))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    places = np.arange(len(names))
    shifts = np.linspace(-0.25, 0.25, len(groups)) if len(groups) > 1 else [0.0]
    for index, ((title, values), shift) in enumerate(zip(groups.items(), shifts)):
        color = _COLORS[index % len(_COLORS)]
        middle = [values[name]["mean"] for name in names]
        axes.plot(middle, places + shift, "o", color=color, ms=5, label=title)
        ends = np.array([values[n].get("interval", (np.nan,) * 2) for n in names])
        axes.hlines(places + shift, *ends.T, color=color, lw=1.8)
    if zero:
        axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks(places, [_label(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(xlabel, fontsize=10)
    axes.grid(axis="x", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    tidy(axes)
    figure.legend(loc="outside upper left", fontsize=9, frameon=False)
    return figure


def courses(
    groups: Mapping[str, Sequence[Mapping]],
    names: Sequence[str],
    xlabel: str,
    ylabel: str,
    *,
    zero: bool = False,
) -> Figure:
    """The mean of each reading over time, with its interval as a band.

    Args:
        groups: Title -> spans `{"time", "people", "values"}`.
        names: Of the readings.
        xlabel: What the times are.
        ylabel: What is shown.
        zero: Whether to draw a line at the time 0.
    """
    rows = -(-len(names) // _COLUMNS)
    figure = Figure(figsize=(10, 0.9 + 2.0 * rows), layout="constrained")
    # One scale, so that small changes look small.
    grid = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(grid.flat, names):
        for index, (title, spans) in enumerate(groups.items()):
            color = _COLORS[index % len(_COLORS)]
            times = [span["time"] for span in spans]
            values = [span["values"][name] for span in spans]
            axes.plot(times, [v["mean"] for v in values], color=color, label=title)
            ends = np.array([v.get("interval", (np.nan,) * 2) for v in values])
            axes.fill_between(times, *ends.T, color=color, alpha=0.2, lw=0)
        if zero:
            axes.axvline(0, color=INK, lw=0.8, ls=":")
        axes.set_title(_label(name), fontsize=10)
        axes.set_xlabel(xlabel, fontsize=9)
        axes.tick_params(labelbottom=True)
        tidy(axes)
    figure.supylabel(ylabel, fontsize=10)
    figure.legend(
        *grid.flat[0].get_legend_handles_labels(), loc="outside upper left",
        fontsize=9, frameon=False,
    )  # fmt: skip
    return figure


def _label(name):
    """A reading's name; what follows from other readings is called derived."""
    return f"{name} (derived)" if name.startswith("circumplex_") else name
