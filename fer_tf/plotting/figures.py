"""The pictures: annotated photographs, confusion matrices, training curves.

Every function returns a `matplotlib.figure.Figure`, made without pyplot, so
that nothing global is touched and no display is needed; `save` writes it.
"""

import math
import os

import numpy as np
from matplotlib.figure import Figure

from fer_tf.faces.pyramid import shrunk
from fer_tf.utils.disk import clear, name_file

# One colour an expression, the same in every picture; chosen to stay apart for
# colour-blind readers (after Okabe and Ito).
COLORS = {
    "neutral": "#8c8c8c",
    "happiness": "#e69f00",
    "sadness": "#0072b2",
    "surprise": "#56b4e9",
    "fear": "#9467bd",
    "disgust": "#009e73",
    "anger": "#d55e00",
    "contempt": "#cc79a7",
}
INK = "#222222"
_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")

_MAP_TITLES = {
    "grad_cam": "Grad-CAM",
    "guided_grad_cam": "guided Grad-CAM",
    "guided_backpropagation": "guided backpropagation",
    "edges": "edges of the image",
}


def map_title(name: str) -> str:
    """What a map is called in a picture."""
    return _MAP_TITLES.get(name, name.replace("_", " "))


def tidy(axes) -> None:
    """Takes away the frame that says nothing, and makes the numbers legible."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)


def save(figure: Figure, path: str, *, dpi: int = 110) -> None:
    """Writes a figure; the file appears whole or not at all."""
    folder, name = os.path.split(path)
    part = os.path.join(folder, f".part-{name}")
    try:
        clear(part)
        figure.savefig(part, dpi=dpi)
        os.replace(part, path)
    except OSError as error:
        name_file(error, path)
        raise
    finally:
        clear(part)


_WIDEST = 4.0
# Pixels that a photograph is drawn from: over twice those that `save` writes.
_DRAWN_HEIGHT = 1600


def annotated(image: np.ndarray, faces: list[dict]) -> Figure:
    """A photograph with its faces boxed, and what was read beside it.

    Args:
        image: uint8 RGB `(height, width, 3)`.
        faces: As `fer_tf.Predictor` returns them.
    """
    height, width = image.shape[:2]
    panel = 2.3 if faces else 0.0
    shown = 5.2
    # A strip of a picture has white beside it: its own shape could be any size.
    shape = np.clip(width / height, 1 / _WIDEST, _WIDEST)
    figure = Figure(figsize=(shown * shape + panel, shown), facecolor="white")
    photo_share = 1 - panel / figure.get_figwidth()
    axes = figure.add_axes((0, 0, photo_share, 1))
    # Matplotlib holds some 50 bytes a pixel. Points stay those of the whole picture.
    small = shrunk(image, round(_DRAWN_HEIGHT * max(1, shape)))
    axes.imshow(small, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    axes.set_axis_off()
    for number, face in enumerate(faces, 1):
        _draw_face(axes, number, face)
    if faces:
        _draw_bars(figure, faces, photo_share)
    return figure


def bars(faces: list[dict]) -> Figure:
    """The probabilities of the first four faces, as beside `annotated`."""
    figure = Figure(figsize=(3.6, 2.2 * min(len(faces), 4)), facecolor="white")
    _draw_bars(figure, faces, 0.0)
    return figure


def _draw_face(axes, number, face):
    from matplotlib.patches import FancyBboxPatch

    x, y, w, h = face["box"]
    name = face.get("expression", "face")
    color = COLORS.get(name, "#ffffff")
    axes.add_patch(
        FancyBboxPatch(
            (x, y), w, h, boxstyle=f"round,pad=0,rounding_size={0.06 * w}",
            fill=False, ec=color, lw=2.4,
        )
    )  # fmt: skip
    points = np.asarray(face["landmarks"])
    axes.plot(points[:, 0], points[:, 1], ".", color=color, ms=4, mec="white", mew=0.4)
    sure = face.get("probabilities", {}).get(name)
    text = f"{number} {name}" + (f" {sure:.0%}" if sure is not None else "")
    axes.text(
        x, y - 0.03 * h, text, va="bottom", ha="left", fontsize=9, color="white",
        weight="bold", clip_on=True,
        bbox=dict(facecolor=color, alpha=0.9, pad=2.2, lw=0),
    )  # fmt: skip


def _draw_bars(figure, faces, left):
    """Probabilities of the first faces as bars, right of the photograph."""
    shown = faces[:4]
    for row, face in enumerate(shown):
        height = 1 / len(shown)
        bottom = 1 - (row + 1) * height
        axes = figure.add_axes(
            (left + 0.42 * (1 - left), bottom + 0.14 * height, 0.5 * (1 - left),
             0.74 * height)
        )  # fmt: skip
        probabilities = {
            **face.get("probabilities", {}), **face.get("action_units", {})
        }  # fmt: skip
        names = list(probabilities)
        values = [probabilities[name] for name in names]
        axes.barh(range(len(names)), values, color=[COLORS.get(n, INK) for n in names])
        # With action units below the expressions, the names of four faces are many.
        points = 72 * figure.get_figheight() * 0.74 * height / max(1, len(names))
        axes.set_yticks(range(len(names)), names, fontsize=min(7.5, 0.9 * points))
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"], fontsize=7)
        axes.set_title(_face_title(row + 1, face), fontsize=8.5, loc="left")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(left=False)


def _face_title(number, face):
    text = f"face {number}"
    for name in ("valence", "arousal"):
        if name in face:
            text += f"  {name[0]} {face[name]:+.2f}"
    return text


def confusion_matrix(
    counts: np.ndarray, names: list[str], *, title: str = "", rates: bool = False
):
    """Row-normalised confusion matrix in percent, true classes as rows.

    Args:
        counts: `(classes, classes)`, rows true.
        names: Of the classes.
        title: Printed above.
        rates: Whether these are fractions of the true classes already, as a mean
            of several matrices is; how many faces there were is then not said.
    """
    totals = counts.sum(axis=1, keepdims=True)
    percent = 100 * counts if rates else 100 * counts / np.maximum(totals, 1)
    side = 1.9 + 0.62 * len(names)
    figure = Figure(figsize=(side, side * 0.95), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    for row, column in np.ndindex(percent.shape):
        value = percent[row, column]
        axes.text(
            column, row, f"{value:.1f}", ha="center", va="center", fontsize=8.5,
            color="white" if value > 55 else INK,
            weight="bold" if row == column else "normal",
        )  # fmt: skip
    rows = [f"{name}\n{total:,.0f}" for name, total in zip(names, totals[:, 0])]
    rows = names if rates else rows
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=9)
    axes.set_yticks(range(len(names)), rows, fontsize=9)
    axes.set_xlabel("predicted, % of the true class", fontsize=9)
    axes.set_ylabel("true" if rates else "true, and how many", fontsize=9)
    axes.set_title(title, fontsize=10)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def training_curves(rows: list[dict], *, select: str, title: str = "") -> Figure:
    """Losses, selection metric and learning rate, from the rows of metrics.csv.

    A thin line marks where a stage begins.
    """
    metric = select.lstrip("-")
    tasks = [name for name in ("loss", *_task_losses(rows))]
    figure = Figure(figsize=(11.4, 3.7), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 0.7))
    epochs = np.arange(1, len(rows) + 1)
    column = lambda name: [row.get(name, math.nan) for row in rows]
    for name, color in zip(tasks, (INK, *_LINES)):
        left.plot(epochs, column(name), color=color, label=name, marker=".", ms=5)
    left.set_title("training losses", fontsize=10)
    for split, color in (("validation", _LINES[0]), ("test", _LINES[1])):
        values = column(f"{split}/{metric}")
        if not all(map(math.isnan, values)):
            middle.plot(epochs, values, color=color, label=split, marker=".", ms=5)
    middle.set_title(metric, fontsize=10)
    right.plot(epochs, column("learning_rate"), color=INK, marker=".", ms=5)
    right.set_title("learning rate", fontsize=10)
    if min(column("learning_rate"), default=0) > 0:
        right.set_yscale("log")
    starts = [
        i for i in range(1, len(rows)) if rows[i]["stage"] != rows[i - 1]["stage"]
    ]
    for axes in (left, middle, right):
        for start in starts:
            axes.axvline(start + 0.5, color="#aaaaaa", lw=0.8, ls="--")
        axes.set_xlabel("evaluations", fontsize=9)
        axes.xaxis.get_major_locator().set_params(integer=True)
        tidy(axes)
        if (count := len(axes.get_legend_handles_labels()[0])) > 1:
            axes.legend(
                fontsize=9, frameon=False, ncols=2 if count in (2, 4) else 3,
                loc="upper center", bbox_to_anchor=(0.5, -0.17), columnspacing=1.2,
            )  # fmt: skip
    figure.suptitle(title, fontsize=11)
    return figure


def _task_losses(rows):
    """Names of the losses that sum to `loss`, where there are several."""
    names = dict.fromkeys(name for row in rows for name in row)
    known = ("stage", "epoch", "step", "learning_rate", "loss")
    tasks = [
        n for n in names if n not in known and "/" not in n and "variance" not in n
    ]
    return tasks if len(tasks) > 1 else []
