"""Pictures of a summary: means, paired differences and courses over time.

Every function returns a figure; `fer_tf.plotting.style.save_figure` writes it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from fer_tf.plotting.colors import INK
from fer_tf.plotting.style import tidy

# After Okabe and Ito; dots and lines of groups.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", INK)
_COLUMNS = 3

_SHARE, _DIMENSION = "probability or share", "valence, arousal"
_SCALES = {_SHARE: (0, 1), _DIMENSION: (-1, 1)}
_DIMENSIONS = ("valence", "arousal", "circumplex_valence", "circumplex_arousal")


def dots(groups: Mapping[str, Mapping], xlabel: str, *, zero: bool = False) -> Figure:
    """A dot for each mean and a line for its interval.

    Probabilities and shares, from 0 to 1, and dimensions, from -1 to 1, have an axis
    each.

    Args:
        groups: Title of a group -> `{reading: {"mean", "interval"}}`.
        xlabel: What the axes show of the readings.
        zero: Whether to draw a line at 0: of differences, which have no bounds.
    """
    kinds = _by_scale(next(iter(groups.values())))
    rows = [len(names) + 0.8 for names in kinds.values()]
    figure = Figure(figsize=(7, 0.9 + 0.34 * sum(rows) + 0.2 * len(groups) * len(rows)))
    figure.set_layout_engine("constrained")
    panels = figure.subplots(len(rows), squeeze=False, height_ratios=rows)[:, 0]
    for axes, (kind, names) in zip(panels, kinds.items()):
        _draw_dots(axes, groups, names)
        if zero:
            axes.axvline(0, color=INK, lw=0.8)
        else:
            low, high = axes.get_xlim()
            least, most = _SCALES[kind]
            axes.set_xlim(min(low, least - 0.03), max(high, most + 0.03))
        axes.set_xlabel(f"{kind}: {xlabel}", fontsize=10)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside upper left", fontsize=9,
        frameon=False,
    )  # fmt: skip
    return figure


def _draw_dots(axes, groups, names):
    places = np.arange(len(names))
    shifts = np.linspace(-0.25, 0.25, len(groups)) if len(groups) > 1 else [0.0]
    for index, ((title, values), shift) in enumerate(zip(groups.items(), shifts)):
        color = _COLORS[index % len(_COLORS)]
        middle = [values[name]["mean"] for name in names]
        axes.plot(middle, places + shift, "o", color=color, ms=5, label=title)
        ends = np.array([values[n].get("interval", (np.nan,) * 2) for n in names])
        axes.hlines(places + shift, *ends.T, color=color, lw=1.8)
    axes.set_yticks(places, [_label(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    tidy(axes)


def _by_scale(names):
    """Kind of a scale -> the names of the readings on it."""
    kinds = {}
    for name in names:
        kind = _DIMENSION if name in _DIMENSIONS else _SHARE
        kinds.setdefault(kind, []).append(name)
    return kinds


def courses(
    groups: Mapping[str, Sequence[Mapping]],
    names: Sequence[str],
    xlabel: str,
    ylabel: str,
    *,
    zero: bool = False,
) -> Figure:
    """The mean of each reading over time, with its interval as a band.

    A band is cut where it is larger than any change of a reading could be.

    Args:
        groups: Title -> spans `{"time", "people", "values"}`.
        names: Of the readings.
        xlabel: What the times are.
        ylabel: What is shown.
        zero: Whether to draw a line at the time 0.
    """
    rows = -(-len(names) // _COLUMNS)
    figure = Figure(figsize=(10, 0.9 + 2.0 * rows), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, sharex=True, squeeze=False)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    # Readings of a kind have one scale, so that small changes look small.
    firsts = {}
    for kind, same in _by_scale(names).items():
        first, *others = (axes for axes, n in zip(grid.flat, names) if n in same)
        firsts[kind] = first
        for axes in others:
            axes.sharey(first)
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
    for kind, first in firsts.items():
        # No change is larger; few people's intervals would hide the means.
        largest = 1.05 * (_SCALES[kind][1] - _SCALES[kind][0])
        low, high = first.get_ylim()
        first.set_ylim(max(low, -largest), min(high, largest))
    figure.supylabel(ylabel, fontsize=10)
    figure.legend(
        *grid.flat[0].get_legend_handles_labels(), loc="outside upper left",
        fontsize=9, frameon=False,
    )  # fmt: skip
    return figure


def _label(name):
    """A reading's name; what follows from other readings is called derived."""
    return f"{name} (derived)" if name.startswith("circumplex_") else name
