"""The picture of a table: the paper's numbers and ours, row by row."""

from matplotlib.figure import Figure

from fer_tf.model_io.protocol import Protocol
from trainers.tables.papers import Table

_INK, _GREY = "#222222", "#bbbbbb"
# Of each protocol: colour, marker and how far below the paper's mark it lies.
_OURS = {
    Protocol.CLEAN: ("#0072b2", "o", 0.18),
    Protocol.PAPER: ("#d55e00", "s", 0.36),
}


def draw(result: dict, table: Table) -> Figure:
    """A panel a metric; a diamond is the paper's, dots with intervals are ours.

    Args:
        result: As the table's JSON.
        table: The table.
    """
    rows = list(dict.fromkeys(entry["row"] for entry in result["rows"]))
    size = (2.6 + max(3.0, 2.1 * len(table.metrics)), 1.7 + 0.5 * len(rows))
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    panels = figure.subplots(1, len(table.metrics), sharey=True, squeeze=False)[0]
    factor = 100 if table.percent else 1
    for metric, axes in zip(table.metrics, panels):
        for entry in result["rows"]:
            _draw_entry(axes, entry, metric, rows.index(entry["row"]), factor)
        axes.set_title(metric.replace("_", " "), fontsize=9)
        axes.set_yticks(range(len(rows)), rows, fontsize=8)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="x", labelsize=7)
        axes.grid(axis="x", color=_GREY, lw=0.4)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(left=False)
    _legend(figure)
    title, color = result["title"], _INK
    if result["scale"] == "smoke":
        title, color = f"{title}\nSMOKE RUN: says nothing of the models", "#c00000"
    elif result["dataset"] != table.dataset:
        own = result["dataset"] + (" (derived labels)" if result["derived"] else "")
        title += f"\nours on {own}, the paper's on {table.dataset}"
    figure.suptitle(title, fontsize=9.5, color=color)
    return figure


def _draw_entry(axes, entry, metric, place, factor):
    stated, value = entry["paper"].get(metric), entry["ours"].get(metric)
    if stated is not None:
        axes.plot(factor * stated, place, "D", color=_INK, ms=5)
    if value is None:
        return
    color, marker, below = _OURS[entry["protocol"]]
    y = place + below
    if metric in entry["intervals"]:
        ends = [factor * end for end in entry["intervals"][metric]]
        axes.plot(ends, [y, y], color=color, lw=1)
    if entry["std"]:
        width = factor * entry["std"][metric]
        ends = [factor * value - width, factor * value + width]
        axes.plot(ends, [y, y], color=color, lw=3.5, alpha=0.5, solid_capstyle="butt")
    axes.plot(factor * value, y, marker, color=color, ms=4.5)


def _legend(figure):
    from matplotlib.lines import Line2D

    mark = lambda marker, color, label: Line2D(
        [], [], marker=marker, color=color, ls="", ms=5, label=label
    )
    handles = [mark("D", _INK, "paper")]
    for protocol, (color, marker, _) in _OURS.items():
        handles.append(mark(marker, color, f"ours, protocol {protocol}"))
    handles.append(Line2D([], [], color=_INK, lw=1, label="95 % interval"))
    handles.append(Line2D([], [], color=_INK, lw=3.5, alpha=0.5, label="± seeds"))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=5 if figure.get_figwidth() > 8 else 3,
        fontsize=7.5,
        frameon=False,
    )
