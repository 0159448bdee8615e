"""Pictures of where a model looks: maps over faces, and grids of them.

Maps are drawn in the colours of `inferno`, which get brighter as values rise, for
colour-blind readers too. A map's largest value has the brightest colour: colours
compare places within a picture, not pictures.
"""

import cv2
import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from fer_tf.plotting.colors import INK

# Least height in pixels of a drawn crop.
_CELL = 112
# A map whose least value is this share of its largest shows no place.
_EVEN = 0.9
# Inches below the pictures for the bar of colours.
_BAR = 0.42


def face(image: np.ndarray) -> np.ndarray:
    """A crop, `(h, w, 1 or 3)` in 0..255, as uint8 RGB at least 112 pixels high."""
    rgb = np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image
    rgb = np.clip(np.round(rgb), 0, 255).astype(np.uint8)
    return _enlarged(rgb)


def overlay(image: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A map over a face.

    Args:
        image: `(h, w, 1 or 3)` in 0..255.
        values: `(height, width)`, non-negative, of any size.

    Returns:
        uint8 RGB; the face in dark grey where the map is 0. A map without a place has
        the words of `says_nothing` instead of colours.

    Example:
        >>> import numpy as np
        >>> from fer_tf.plotting import attention_maps
        >>> crop = np.zeros((56, 56, 3))
        >>> attention_maps.overlay(crop, np.eye(7)).shape
        (112, 112, 3)
    """
    picture = face(image).astype(np.float32)
    grey = picture.mean(-1, keepdims=True)
    side = picture.shape[1::-1]
    if words := says_nothing(values):
        return _written(np.repeat(0.75 * grey, 3, axis=-1), words)
    scaled = cv2.resize(_scaled(values), side, interpolation=cv2.INTER_LINEAR)
    colors = 255 * matplotlib.colormaps["inferno"](scaled)[..., :3]
    strength = (0.25 + 0.5 * scaled)[..., None]
    return np.round((1 - strength) * grey + strength * colors).astype(np.uint8)


def says_nothing(values: np.ndarray) -> str:
    """Why a map shows no place, in words; empty if it shows one.

    Example:
        >>> import numpy as np
        >>> from fer_tf.plotting.attention_maps import says_nothing
        >>> [says_nothing(v) for v in (np.zeros((2, 2)), np.ones((2, 2)), np.eye(2))]
        ['no evidence', 'alike everywhere', '']
    """
    values = np.asarray(values)
    if not values.max() > 0:
        return "no evidence"
    return "alike everywhere" if values.min() >= _EVEN * values.max() else ""


def signed(gradient: np.ndarray) -> np.ndarray:
    """A gradient by the image, `(h, w, c)`, as uint8 RGB around a middle grey."""
    # A few pixels hold the largest values: they are cut off.
    limit = np.percentile(np.abs(gradient), 99.8) or 1.0
    picture = face(127.5 + 127.5 * np.clip(gradient / limit, -1, 1))
    return picture if gradient.any() else _written(0.5 * picture, "no evidence")


def product(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """A face times a map `(h, w)`, brightened to the full range."""
    values = image * weights[..., None]
    return face(255 * values / max(values.max(), 1e-9))


def grid(cells, *, rows=(), columns=(), title: str = "", bar: bool = False) -> Figure:
    """Pictures in rows and columns that have names.

    Args:
        cells: Rows of uint8 RGB pictures; None leaves a place empty.
        rows: Names of the rows.
        columns: Names of the columns.
        title: Printed above.
        bar: Whether a bar below explains the colours of `overlay`.
    """
    count = max(len(row) for row in cells)
    cell = 1.35
    left = 0.24 + max(_inches(name, 9.5) for name in rows) if any(rows) else 0.12
    top = (0.5 if title else 0.12) + 0.36 * bool(any(columns))
    bottom = 0.12 + _BAR * bar
    width = max(left + cell * count + 0.12, _inches(title, 11) + 0.3, 3.2 * bar)
    height = top + cell * len(cells) + bottom
    figure = Figure(figsize=(width, height), facecolor="white")
    for i, row in enumerate(cells):
        for j, picture in enumerate(row):
            if picture is not None:
                corner = left + cell * j, bottom + cell * (len(cells) - 1 - i)
                _place(figure, picture, corner, 0.96 * cell)
    text = dict(color=INK, ha="center", va="center")
    for j, name in enumerate(columns):
        x, y = left + cell * (j + 0.48), height - top + 0.16
        # A cell has room for some twenty letters.
        longest = max(map(len, name.split("\n")))
        size = min(9.0, 9.0 * 19 / longest)
        figure.text(x / width, y / height, name, fontsize=size, **text)
    for i, name in enumerate(rows):
        y = bottom + cell * (len(cells) - i - 0.52)
        figure.text(
            (left - 0.1) / width, y / height, name, fontsize=9.5, color=INK,
            ha="right", va="center",
        )  # fmt: skip
    if title:
        figure.text(0.5, 1 - 0.24 / height, title, fontsize=11, **text)
    if bar:
        _draw_bar(figure)
    return figure


def captioned(rows, *, title: str = "", bar: bool = False) -> Figure:
    """Rows of `(name, picture)`, each picture under its own name.

    Args:
        rows: Names and uint8 RGB pictures.
        title: Printed above.
        bar: Whether a bar below explains the colours of `overlay`.
    """
    lines = 1 + max(name.count("\n") for row in rows for name, _ in row)
    cell, gap = 1.5, 0.12 + 0.13 * lines
    count = max(len(row) for row in rows)
    top = 0.3 if title else 0.08
    width = max(cell * count + 0.16, _inches(title, 10.5) + 0.2, 3.2 * bar)
    height = top + (cell + gap) * len(rows) + _BAR * bar
    figure = Figure(figsize=(width, height), facecolor="white")
    for i, row in enumerate(rows):
        for j, (name, picture) in enumerate(row):
            x, y = 0.08 + cell * j, height - top - (cell + gap) * (i + 1)
            _place(figure, picture, (x, y), 0.97 * cell)
            figure.text(
                (x + cell / 2) / width, (y + cell + gap / 2 - 0.02) / height, name,
                fontsize=8.5, color=INK, ha="center", va="center", linespacing=1.1,
            )  # fmt: skip
    if title:
        figure.text(0.08 / width, 1 - 0.18 / height, title, fontsize=10.5, color=INK,
                    va="center")  # fmt: skip
    if bar:
        _draw_bar(figure)
    return figure


def _draw_bar(figure):
    """A bar of the colours at the lower left, from nothing to the most of a map."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0.45 / width, 0.15 / height, 1.1 / width, 0.12 / height))
    axes.imshow(np.linspace(0, 1, 256)[None], cmap="inferno", aspect="auto")
    axes.set_axis_off()
    for x, words, side in (
        (0.4, "none", "right"),
        (1.6, "most in its picture", "left"),
    ):
        figure.text(x / width, 0.21 / height, words, fontsize=8, color=INK, ha=side,
                    va="center")  # fmt: skip


def _inches(text, size):
    """Width of a line of text, with a little room for the pixels of the letters."""
    if not text.strip():
        return 0.0  # No letter has no path.
    return 1.05 * TextPath((0, 0), text, size=size).get_extents().x1 / 72


def _written(picture, words):
    """White words across the middle of a picture."""
    picture = np.ascontiguousarray(np.round(picture), np.uint8)
    font, side = cv2.FONT_HERSHEY_SIMPLEX, picture.shape[1]
    (width, height), _ = cv2.getTextSize(words, font, 1.0, 1)
    scale = 0.8 * side / width
    corner = round(0.08 * side), round((picture.shape[0] + height * scale) / 2)
    thick = max(1, side // 112)
    # A dark band, or the words could not be read on a bright face.
    band = slice(round(corner[1] - 1.8 * height * scale),
                 round(corner[1] + 0.8 * height * scale))  # fmt: skip
    picture[band] = 24
    return cv2.putText(picture, words, corner, font, scale, (255, 255, 255), thick,
                       cv2.LINE_AA)  # fmt: skip


def _place(figure, picture, corner, side):
    """Draws a picture at its lower left corner, in inches."""
    width, height = figure.get_size_inches()
    (x, y), box = corner, (side / width, side / height)
    axes = figure.add_axes((x / width, y / height, *box))
    axes.imshow(picture)
    axes.set_axis_off()


def _scaled(values):
    values = np.asarray(values, np.float32)
    return values / max(values.max(), 1e-12)


def _enlarged(picture):
    times = max(1, -(-_CELL // picture.shape[0]))
    side = (picture.shape[1] * times, picture.shape[0] * times)
    return cv2.resize(picture, side, interpolation=cv2.INTER_NEAREST)
