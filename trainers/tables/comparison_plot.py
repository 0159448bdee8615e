"""The picture of a comparison: each difference with its interval."""

import os

from matplotlib.figure import Figure

from fer_tf.plotting.colors import INK
from fer_tf.plotting.style import tidy

_DECIDED, _OPEN = "#0072b2", "#767676"


def draw(result: dict) -> Figure:
    """A line a metric and an expression; right of zero, the first has the larger value.

    Args:
        result: Of `trainers.compare`.
    """
    rows = [*result["metrics"].items()]
    rows += [(f"recall of {k}", v) for k, v in result.get("recall", {}).items()]
    figure = Figure((7.5, 1.5 + 0.32 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, (_, row) in enumerate(rows):
        color = _DECIDED if row["better"] else _OPEN
        ends = row.get("interval") or row["faces"]
        if ends:
            axes.plot(ends, [place, place], color=color, lw=1.5)
        axes.plot(row["difference"], place, "o", color=color, ms=5)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks(range(len(rows)), [name.replace("_", " ") for name, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("first less second; blue: zero is outside of the 95 % interval")
    last = lambda path: os.path.basename(os.path.normpath(path))
    names = [" + ".join(map(last, result[k])) for k in ("first", "second")]
    axes.set_title(
        f"{names[0]} (first) against {names[1]} (second)\n"
        f"{result['num_examples']:,} faces",
        fontsize=10,
    )
    tidy(axes)
    return figure
