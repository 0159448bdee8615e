"""A sweep as a page and as a picture."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from fer_tf.plotting.colors import COLORS, INK
from fer_tf.plotting.style import tidy
from fer_tf.scores.text import MISSING, interval, number
from fer_tf.utils.markdown import head, line


def markdown(result: dict) -> str:
    """The table of a sweep, the best setting first.

    Args:
        result: As the sweep's JSON.
    """
    rows = result["settings"]
    columns = [*result["over"], f"{result['metric']}, validation", "seeds",
               "less the best", "decided", "hours"]  # fmt: skip
    lines = [f"# {result['config']} on {result['data']}", "", *head(columns)]
    lines += [line(_cells(row)) for row in rows]
    finished, wanted = len(rows), result["num_settings"]
    lines += [
        "",
        f"{finished} of {wanted} settings, {_hours(rows)} hours. Numbers are means "
        "over seeds ± their deviation, of the validation faces; the test set was not "
        "read. In brackets is the 95 % interval of the difference, paired over the "
        "same faces. With several seeds it covers other seeds too; with one it does "
        "not, and nothing is decided. "
        f"The best of {finished} is chosen on these very faces, so its number is "
        "somewhat too good.",
        "",
        "![sweep.png](sweep.png)",
        "",
    ]
    return "\n".join(lines)


def _cells(row):
    deviation = "" if row["std"] is None else f" ± {number(row['std'])}"
    less, gap, decided = row["less_best"], MISSING, MISSING
    if less is not None:
        gap = number(less["difference"]) + interval(less["interval"] or less["faces"])
        decided = "yes" if less["decided"] else "not decided"
    return [
        *row["values"].values(),
        f"{number(row['mean'])}{deviation}",
        str(len(row["per_seed"])),
        gap,
        decided,
        f"{row['hours']:.2f}",
    ]


def _hours(rows):
    return f"{sum(row['hours'] for row in rows):.2f}"


def draw(result: dict) -> Figure:
    """Every seed's number: along the values of one key, a line for each of the others.

    Args:
        result: As the sweep's JSON.
    """
    along, *others = result["over"]
    rows, places = result["settings"], list(result["over"][along])
    figure = Figure((7, 4.2), layout="constrained")
    axes = figure.subplots()
    groups = {tuple(row["values"][key] for key in others): [] for row in rows}
    for row in rows:
        groups[tuple(row["values"][key] for key in others)].append(row)
    colors = [c for name, c in COLORS.items() if name != "neutral"]
    for place, (group, of_group) in enumerate(sorted(groups.items())):
        color = colors[place % len(colors)]
        _draw_line(axes, of_group, along, places, color, ", ".join(group))
    axes.set_xticks(range(len(places)), places)
    axes.set_xlim(-0.5, len(places) - 0.5)
    axes.set_xlabel(along)
    axes.set_ylabel(f"{result['metric'].replace('_', ' ')}, validation")
    if others:
        axes.legend(title=", ".join(others), fontsize=8, title_fontsize=8)
    axes.set_title(
        "a dot is a seed, the line their mean", fontsize=9, color=INK, loc="left"
    )
    tidy(axes)
    return figure


def _draw_line(axes, rows: Sequence[dict], along, places, color, label):
    at = sorted((places.index(row["values"][along]), row) for row in rows)
    for place, row in at:
        seeds = row["per_seed"]
        axes.plot([place] * len(seeds), seeds, "o", color=color, ms=4, alpha=0.6)
    means = [row["mean"] for _, row in at]
    axes.plot([place for place, _ in at], means, "-", color=color, lw=1.5, label=label)
