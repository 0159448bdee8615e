"""Pictures of where a model looks: maps over faces, and grids of them.

Maps are drawn in the colours of `inferno`, which get brighter as values rise, for
colour-blind readers too. A map's largest value has the brightest colour: colours
compare places within a picture, not pictures.
"""

import cv2
import matplotlib
import numpy as np
from matplotlib.figure import Figure

from fer_tf.plotting.style import INK

# Least height in pixels of a drawn crop.
_CELL = 112


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
        uint8 RGB; the face in dark grey where the map is 0.

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
    scaled = cv2.resize(_scaled(values), side, interpolation=cv2.INTER_LINEAR)
    colors = 255 * matplotlib.colormaps["inferno"](scaled)[..., :3]
    strength = (0.25 + 0.5 * scaled)[..., None]
    return np.round((1 - strength) * grey + strength * colors).astype(np.uint8)


def signed(gradient: np.ndarray) -> np.ndarray:
    """A gradient by the image, `(h, w, c)`, as uint8 RGB around a middle grey."""
    # A few pixels hold the largest values: they are cut off.
    limit = np.percentile(np.abs(gradient), 99.8) or 1.0
    return face(127.5 + 127.5 * np.clip(gradient / limit, -1, 1))


def product(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """A face times a map `(h, w)`, brightened to the full range."""
    values = image * weights[..., None]
    return face(255 * values / max(values.max(), 1e-9))


def grid(cells, *, rows=(), columns=(), title: str = "") -> Figure:
    """Pictures in rows and columns that have names.

    Args:
        cells: Rows of uint8 RGB pictures; None leaves a place empty.
        rows: Names of the rows.
        columns: Names of the columns.
        title: Printed above.
    """
    count = max(len(row) for row in cells)
    cell = 1.35
    left = 0.24 + 0.088 * max(map(len, rows), default=0) if any(rows) else 0.12
    top, bottom = (0.5 if title else 0.12) + 0.36 * bool(any(columns)), 0.12
    width = left + cell * count + 0.12
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
    return figure


def captioned(rows, *, title: str = "") -> Figure:
    """Rows of `(name, picture)`, each picture under its own name."""
    lines = 1 + max(name.count("\n") for row in rows for name, _ in row)
    cell, gap = 1.5, 0.12 + 0.13 * lines
    count = max(len(row) for row in rows)
    width, top = cell * count + 0.16, 0.3 if title else 0.08
    height = top + (cell + gap) * len(rows)
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
    return figure


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
