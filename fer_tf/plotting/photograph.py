"""A photograph with its faces boxed, and bars of the readings beside it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.textpath import TextPath

from fer_tf.face_table import NO_FACE
from fer_tf.face_types import Face
from fer_tf.faces.pyramid import shrunk
from fer_tf.faces.sharpness import doubt
from fer_tf.plotting.placing import place_label
from fer_tf.plotting.style import COLORS, INK, ink_on

# Inches: height of the figure, and width of the panel of bars.
_HEIGHT, _PANEL = 5.2, 2.3
# Widest, and highest, ratio of the photograph's sides.
_WIDEST = 4.0
# Pixels that a photograph is drawn from: over twice those that are saved.
_DRAWN_HEIGHT = 1600
_MOST_BARS = 4
# Points of a panel of bars: title, numbers of the axis, and the least for a row.
_TITLE, _NUMBERS, _ROW = 16.0, 13.0, 7.8
# Points: letters of a label, and what surrounds them.
_LETTERS, _PAD = 9.0, 2.2
_BOLD = FontProperties(weight="bold", size=_LETTERS)
_DOUBTED = "#ffffff"


def annotated(image: np.ndarray, faces: list[Face]) -> Figure:
    """A photograph with its faces boxed, and their readings beside it.

    A face whose reading is in doubt has a dashed box, a white label that says why, and
    pale bars: see `fer_tf.faces.sharpness.doubt`. Labels cover neither each other nor,
    where there is room, faces; where a label has no room it is a number, and in a
    picture that is too small for that there is none. A picture without faces says so.

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
    doubts = [doubt(face) for face in faces]
    for face, why in zip(faces, doubts):
        _draw_face(axes, face, why)
    point = max(width / (_HEIGHT * shape), height / _HEIGHT) / 72
    _draw_labels(axes, faces, doubts, (width, height), point)
    if faces:
        _draw_bars(figure, faces, doubts, photo_share)
    else:
        _say_that_there_is_none(axes)
    return figure


def _say_that_there_is_none(axes: Axes):
    axes.text(
        0.5, 0.98, NO_FACE, transform=axes.transAxes, ha="center", va="top",
        fontproperties=_BOLD, color=ink_on(_DOUBTED),
        bbox={"fc": _DOUBTED, "ec": INK, "pad": _PAD},
    )  # fmt: skip


def _color(face, why):
    return _DOUBTED if why else COLORS.get(face.get("expression"), _DOUBTED)


def _draw_face(axes: Axes, face: Face, why: str):
    """The box, dashed where the reading is in doubt, and the landmarks."""
    x, y, w, h = face["box"]
    color = _color(face, why)
    style = f"round,pad=0,rounding_size={0.06 * w}"
    # The dark line below shows the box on every background.
    for line, width in ((INK, 3.4), (color, 2.2)):
        axes.add_patch(
            FancyBboxPatch(
                (x, y), w, h, boxstyle=style, fill=False, ec=line, lw=width,
                ls=(0, (4, 2.5)) if why and line == color else "-",
            )
        )  # fmt: skip
    points = np.asarray(face["landmarks"])
    axes.plot(points[:, 0], points[:, 1], ".", color=color, ms=4, mec=INK, mew=0.4)


def _draw_labels(axes: Axes, faces, doubts, picture, point):
    """A label for each face, none on another; `point` is in pixels of the picture."""
    taken, boxes = [], [tuple(face["box"]) for face in faces]
    for number, (face, why, box) in enumerate(zip(faces, doubts, boxes), 1):
        for text in (_label(number, face, why), str(number)):
            # Drawn on pixels, letters are up to a twentieth wider.
            letters = TextPath((0, 0), text, prop=_BOLD).get_extents().x1
            size = (1.05 * letters + 2 * _PAD) * point, (1.2 * _LETTERS + _PAD) * point
            place = place_label(size, box, taken, boxes, picture)
            if place is not None:
                break
        else:
            continue
        taken.append(place)
        x, y, w, h = place
        color = _color(face, why)
        axes.add_patch(Rectangle((x, y), w, h, fc=color, lw=0, zorder=3))
        axes.text(x + w / 2, y + h / 2, text, va="center_baseline", ha="center",
                  fontproperties=_BOLD, color=ink_on(color))  # fmt: skip


def _label(number, face, why):
    name = face.get("expression", "face")
    probability = face.get("probabilities", {}).get(name)
    text = f"{number} {name}" + ("" if probability is None else f" {probability:.0%}")
    return f"{text}? {why}" if why else text


def _named(face):
    return {**face.get("probabilities", {}), **face.get("action_units", {})}


def _most_rows(faces):
    return max(1, *(len(_named(face)) for face in faces))


def _draw_bars(figure: Figure, faces: list[Face], doubts: list[str], left: float):
    """Probabilities of the first faces, right of `left`, a share of the width.

    They are up to four, as far as their rows can be read.
    """
    points = 72 * figure.get_figheight()
    room = int(points / (_TITLE + _NUMBERS + _ROW * _most_rows(faces)))
    faces = faces[: min(_MOST_BARS, max(1, room))]
    height = 1 / len(faces)
    high = height - (_TITLE + _NUMBERS) / points
    for number, (face, why) in enumerate(zip(faces, doubts), 1):
        bottom = 1 - number * height + _NUMBERS / points
        axes = figure.add_axes(
            (left + 0.42 * (1 - left), bottom, 0.5 * (1 - left), high)
        )
        named = _named(face)
        rows = range(len(named))
        colors = [COLORS.get(name, INK) for name in named]
        axes.barh(rows, named.values(), color=colors, alpha=0.45 if why else 1)
        size = min(7.5, 0.9 * points * high / max(1, len(named)))
        axes.set_yticks(rows, named, fontsize=size)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"], fontsize=7)
        axes.set_title(_face_title(number, face, why), fontsize=8.5, loc="left", pad=2)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(left=False, length=2, pad=1)


def _face_title(number: int, face: Face, why: str):
    text = f"face {number}"
    for name in ("valence", "arousal"):
        if name in face:
            text += f"  {name[0]} {face[name]:+.2f}"
    return f"{text}, {why}" if why else text
