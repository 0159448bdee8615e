"""Pictures of scores: valence and arousal, action units, calibration, groups.

Every function returns a figure; `fer_tf.plotting.style.save_figure` writes it.
"""

import numpy as np
from matplotlib.figure import Figure

from fer_tf.plotting.colors import COLORS, INK
from fer_tf.plotting.style import map_title, tidy
from fer_tf.scores import calibration

_BLUE, _GREY, _ORANGE = "#0072b2", "#9a9a9a", "#d55e00"
# More points than this are a blot; an even sample of them is drawn.
_MOST_POINTS = 3000


def circumplex(true, predicted, expressions=None, *, title: str = "") -> Figure:
    """Valence and arousal as they are and as they are read.

    Args:
        true: `(n, 2)` valence and arousal, in [-1, 1].
        predicted: As `true`; drawn at the rim where it lies beyond.
        expressions: `(n,)` names, which colour the points; None for none.
        title: Printed above.

    Returns:
        On the left the predictions on the circle, with an arrow for each
        expression from the mean of its labels to the mean of its readings; on
        the right label against reading, for each dimension.
    """
    true, predicted = np.asarray(true, float), np.asarray(predicted, float)
    count = len(true)
    step = -(-count // _MOST_POINTS)
    shown = slice(None, None, step)
    names = np.full(count, "") if expressions is None else np.asarray(expressions)
    colors = [COLORS.get(name, _BLUE) for name in names[shown]]
    size = 30 if count < 300 else 14
    points = dict(s=size, c=colors, alpha=0.65, lw=0)

    figure = Figure(figsize=(9.6, 5.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(2.2, 1))
    axes = figure.add_subplot(grid[:, 0])
    draw_circle(axes)
    inside = np.clip(predicted, -1, 1)
    axes.scatter(*inside[shown].T, **points)
    for name, color in COLORS.items():
        rows = names == name
        if rows.any():
            tail, head = true[rows].mean(0), inside[rows].mean(0)
            axes.annotate(
                "", head, tail,
                arrowprops=dict(arrowstyle="-|>", color=INK, lw=1.6, shrinkA=0,
                                shrinkB=0),
            )  # fmt: skip
            axes.plot(*tail, "o", ms=8, mfc="white", mec=color, mew=2.4, label=name)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            fontsize=9, frameon=False, loc="upper center", ncols=4,
            bbox_to_anchor=(0.5, -0.02), title="mean label → mean reading",
            title_fontsize=9,
        )  # fmt: skip
    sampled = "" if step == 1 else f", every {step}. of {count:,} points"
    axes.set_title(f"{title or 'readings'}{sampled}", fontsize=11)
    for row, name in enumerate(("valence", "arousal")):
        axes = figure.add_subplot(grid[row, 1])
        axes.plot([-1, 1], [-1, 1], color=_GREY, lw=1)
        axes.scatter(true[shown, row], inside[shown, row], **points)
        axes.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal")
        axes.set_xlabel(f"{name}, label", fontsize=9)
        axes.set_ylabel(f"{name}, read", fontsize=9)
        axes.set_xticks([-1, 0, 1])
        axes.set_yticks([-1, 0, 1])
        tidy(axes)
    return figure


def draw_circle(axes) -> None:
    """The empty circumplex: unit circle, axes, and what lies where."""
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angle), np.sin(angle), color=_GREY, lw=1)
    axes.plot([-1, 1], [0, 0], color=_GREY, lw=0.8)
    axes.plot([0, 0], [-1, 1], color=_GREY, lw=0.8)
    for x, y, text in (
        (0.78, 0.8, "excited"), (-0.78, 0.8, "tense"), (-0.78, -0.8, "gloomy"),
        (0.78, -0.8, "calm"),
    ):  # fmt: skip
        axes.text(x, y, text, ha="center", va="center", fontsize=9, color="#707070",
                  style="italic")  # fmt: skip
    axes.text(1.03, 0, "valence", va="center", ha="left", fontsize=9.5, color=INK)
    axes.text(0, 1.04, "arousal", va="bottom", ha="center", fontsize=9.5, color=INK)
    axes.set(xlim=(-1.08, 1.32), ylim=(-1.08, 1.14), aspect="equal")
    axes.set_axis_off()


def action_units(metrics: dict, intervals: dict, rates: dict[str, float]) -> Figure:
    """F1 of each action unit, beside what saying "yes" always would get.

    Args:
        metrics: With "au_f1_<name>" for every name in `rates`.
        intervals: `{metric: (low, high)}`; may lack some.
        rates: How often each unit is present, `{name: fraction}`.
    """
    names = list(rates)
    values = np.array([metrics[f"au_f1_{name}"] for name in names])
    ends = np.array(
        [intervals.get(f"au_f1_{n}", (v, v)) for n, v in zip(names, values)]
    )
    figure = Figure(figsize=(1.6 + 0.8 * len(names), 3.9), layout="constrained")
    axes = figure.add_subplot()
    place = np.arange(len(names))
    axes.bar(place, values, color=_BLUE, width=0.62, label="F1, 95 % interval")
    axes.vlines(place, ends[:, 0], ends[:, 1], color=INK, lw=1.4)
    always = [2 * rate / (1 + rate) for rate in rates.values()]
    axes.hlines(
        always, place - 0.36, place + 0.36, color=_ORANGE, lw=2.2,
        label="F1 of always saying yes",
    )  # fmt: skip
    labels = [f"{name}\n{rate:.0%}" for name, rate in rates.items()]
    axes.set_xticks(place, labels, fontsize=9.5)
    axes.set_xlabel("action unit, and how often it is there", fontsize=9.5)
    axes.set_ylim(0, 1)
    tidy(axes)
    figure.legend(fontsize=9.5, frameon=False, loc="outside upper left", ncols=2)
    return figure


def calibration_curves(labels, logits, temperature: float | None, curve) -> Figure:
    """Accuracy by confidence, and accuracy by how many faces are answered.

    Args:
        labels: int `(n,)`.
        logits: `(n, classes)`.
        temperature: Fitted on other data; None if there was none.
        curve: Rows of `{"coverage", "accuracy", "interval", "confidence"}`.
    """
    figure = Figure(figsize=(9.4, 4.3), layout="constrained")
    left, right = figure.subplots(1, 2)
    hits = logits.argmax(1) == labels
    lines = [("as trained", logits, _GREY, "s")]
    if temperature is not None:
        name = f"temperature {temperature:.2f}"
        lines.append((name, logits / temperature, _BLUE, "o"))
    left.plot([0, 1], [0, 1], color=INK, lw=1, ls=":")
    for name, scaled, color, marker in lines:
        sure = calibration.confidence(scaled)
        bins = calibration.reliability(hits, sure)
        filled = bins["count"] > 0
        area = 14 + 260 * bins["count"][filled] / len(hits)
        x, y = bins["confidence"][filled], bins["accuracy"][filled]
        left.plot(x, y, color=color, lw=1.4)
        left.scatter(x, y, area, color=color, marker=marker, label=name, zorder=3)
    left.set(xlim=(0, 1), ylim=(0, 1.02), aspect="equal")
    left.set_xlabel("confidence (area: share of the faces)", fontsize=9.5)
    left.set_ylabel("accuracy", fontsize=9.5)
    left.set_title("does the confidence mean what it says?", fontsize=10.5)
    legend = left.legend(fontsize=9, frameon=False, loc="lower right")
    for handle in legend.legend_handles:
        handle.set_sizes([36])

    # By the model's own confidence, which is what its user sees.
    own = calibration.confidence(logits)
    accuracy, _ = calibration.selective_accuracy(hits, own)
    share = np.arange(1, len(hits) + 1) / len(hits)
    right.plot(share, accuracy, color=_BLUE, lw=1.4)
    ends = [row.get("interval", [row["accuracy"]] * 2) for row in curve]
    for row, (low, high) in zip(curve, ends):
        right.plot([row["coverage"]] * 2, [low, high], color=INK, lw=1.4)
        right.plot(row["coverage"], row["accuracy"], "o", color=_BLUE, ms=6)
        right.text(
            row["coverage"], high + 0.012, f"{row['accuracy']:.1%}", fontsize=9,
            ha="center", va="bottom",
        )  # fmt: skip
    # The few surest are too few to tell anything.
    right.set_xlim(0.3, 1.04)
    shown = accuracy[int(0.3 * len(hits)) :]
    values = np.concatenate([shown, np.ravel(ends)])
    right.set_ylim(max(0, values.min() - 0.05), values.max() + 0.07)
    right.set_xlabel("share of faces answered, the surest first", fontsize=9.5)
    right.set_ylabel("accuracy of the answers", fontsize=9.5)
    right.set_title("what does abstaining buy?", fontsize=10.5)
    for axes in (left, right):
        tidy(axes)
    return figure


def groups(by_attribute: dict, metric: str, overall: float) -> Figure:
    """A metric for every group of people, with its interval and its size.

    Args:
        by_attribute: `{attribute: {value: {"num_examples", "metrics", "intervals"}}}`.
        metric: Which; a group that does not have it is left out.
        overall: Its value over all.
    """
    rows = [
        (f"{attribute}: {value}", group)
        for attribute, values in by_attribute.items()
        for value, group in values.items()
        if metric in group["metrics"]
    ]
    first = [i for i in range(1, len(rows))
             if rows[i][0].split(":")[0] != rows[i - 1][0].split(":")[0]]  # fmt: skip
    figure = Figure(figsize=(7.6, 1.1 + 0.34 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.axvline(overall, color=_ORANGE, lw=1.6, label=f"all: {overall:.3f}")
    for place, (_, group) in enumerate(rows):
        value, ends = group["metrics"][metric], group["intervals"].get(metric)
        if ends:
            axes.plot(ends, [place] * 2, color=_BLUE, lw=2)
        # Hollow where there are too few people for an interval.
        axes.plot(value, place, "o", color=_BLUE, ms=7, mfc=_BLUE if ends else "white")
    for place in first:
        axes.axhline(place - 0.5, color="#dddddd", lw=0.8)
    labels = [f"{name}  ({group['num_examples']:,})" for name, group in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize=9.5)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(f"{metric}, 95 % interval (faces in brackets)", fontsize=9.5)
    axes.legend(fontsize=9.5, frameon=False, loc="lower left", bbox_to_anchor=(0, 1))
    tidy(axes)
    return figure


def localisation(by_model: dict) -> Figure:
    """The share of every map on the right place, beside that of a uniform map.

    Args:
        by_model: `{model: {map: {"mass", "interval", "uniform"}}}`; a map without any
            mass is left out.
    """
    rows = [
        (model, map_title(name), row)
        for model, maps in by_model.items()
        for name, row in maps.items()
        if row["mass"] is not None
    ]
    figure = Figure(figsize=(8, 1.2 + 0.32 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for place, (_, _, row) in enumerate(rows):
        low, high = row["interval"] or (row["mass"], row["mass"])
        axes.plot([low, high], [place] * 2, color=_BLUE, lw=2)
        axes.plot(row["mass"], place, "o", color=_BLUE, ms=7, label="the map")
        axes.plot(row["uniform"], place, "|", color=_ORANGE, ms=14, mew=2.4,
                  label="a uniform map")  # fmt: skip
    for place in range(1, len(rows)):
        if rows[place][0] != rows[place - 1][0]:
            axes.axhline(place - 0.5, color="#cccccc", lw=0.8)
    labels = [f"{model}: {name}" for model, name, _ in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize=9.5)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel(
        "share on the moving parts of the face, 95 % interval", fontsize=9.5
    )
    handles, names = axes.get_legend_handles_labels()
    axes.legend(
        handles[:2], names[:2], fontsize=9.5, frameon=False, ncols=2,
        loc="lower left", bbox_to_anchor=(0, 1),
    )  # fmt: skip
    tidy(axes)
    return figure
