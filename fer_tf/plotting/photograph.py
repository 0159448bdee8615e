"""A photograph with its faces boxed, and bars of the readings beside it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from fer_tf.face_types import Face
from fer_tf.faces.pyramid import shrunk
from fer_tf.plotting.style import COLORS, INK

# Inches: height of the figure, and width of the panel of bars.
_HEIGHT, _PANEL = 5.2, 2.3
# Widest, and highest, ratio of the photograph's sides.
_WIDEST = 4.0
# Pixels that a photograph is drawn from: over twice those that are saved.
_DRAWN_HEIGHT = 1600
_MOST_BARS = 4


def annotated(image: np.ndarray, faces: list[Face]) -> Figure:
    """A photograph with its faces boxed, and their readings beside it.

    Args:
        image: uint8 RGB `(height, width, 3)`.
        faces: From `fer_tf.Predictor`.

    Example:
        >>> import numpy as np
        >>> from fer_tf.plotting.photograph import annotated
        >>> face = {"box": [10, 10, 40, 40], "landmarks": [[30, 30]] * 5}
        >>> face |= {"expression": "fear", "probabilities": {"fear": 1.0}}
        >>> len(annotated(np.zeros((90, 120, 3), np.uint8), [face]).axes)
        2
    """
    height, width = image.shape[:2]
    panel = _PANEL if faces else 0.0
    # A narrow strip of a picture gets white beside it, not a figure of its own shape,
    # which could be of any size.
    shape = np.clip(width / height, 1 / _WIDEST, _WIDEST)
    figure = Figure(figsize=(_HEIGHT * shape + panel, _HEIGHT), facecolor="white")
    photo_share = 1 - panel / figure.get_figwidth()
    axes = figure.add_axes((0, 0, photo_share, 1))
    # Matplotlib holds some 50 bytes a pixel. Coordinates stay those of the picture.
    small = shrunk(image, round(_DRAWN_HEIGHT * max(1, shape)))
    axes.imshow(small, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    axes.set_axis_off()
    for number, face in enumerate(faces, 1):
        _draw_face(axes, number, face)
    if faces:
        _draw_bars(figure, faces, photo_share)
    return figure


def bars(faces: list[Face]) -> Figure:
    """The probabilities of the first four faces, as beside `annotated`."""
    figure = Figure(figsize=(3.6, 2.2 * min(len(faces), _MOST_BARS)), facecolor="white")
    _draw_bars(figure, faces, 0.0)
    return figure


def _draw_face(axes: Axes, number: int, face: Face):
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
    probability = face.get("probabilities", {}).get(name)
    text = f"{number} {name}" + ("" if probability is None else f" {probability:.0%}")
    axes.text(
        x, y - 0.03 * h, text, va="bottom", ha="left", fontsize=9, color="white",
        weight="bold", clip_on=True,
        bbox=dict(facecolor=color, alpha=0.9, pad=2.2, lw=0),
    )  # fmt: skip


def _draw_bars(figure: Figure, faces: list[Face], left: float):
    """Probabilities of the first faces, right of `left`, a share of the width."""
    faces = faces[:_MOST_BARS]
    height = 1 / len(faces)
    for number, face in enumerate(faces, 1):
        axes = figure.add_axes(
            (left + 0.42 * (1 - left), 1 - (number - 0.14) * height, 0.5 * (1 - left),
             0.74 * height)
        )  # fmt: skip
        named = {**face.get("probabilities", {}), **face.get("action_units", {})}
        rows = range(len(named))
        axes.barh(rows, named.values(), color=[COLORS.get(name, INK) for name in named])
        # With action units below the expressions, four faces have many names.
        points = 72 * figure.get_figheight() * 0.74 * height / max(1, len(named))
        axes.set_yticks(rows, named, fontsize=min(7.5, 0.9 * points))
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"], fontsize=7)
        axes.set_title(_face_title(number, face), fontsize=8.5, loc="left")
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(left=False)


def _face_title(number: int, face: Face):
    text = f"face {number}"
    for name in ("valence", "arousal"):
        if name in face:
            text += f"  {name[0]} {face[name]:+.2f}"
    return text
