"""The pixel kernels of `data_pipelines.batches.ops` on NumPy arrays.

`tensor_kernels` has the same functions; their docstrings stand here.
"""

import numpy as np

xp = np
"""The module that draws random numbers and moves landmarks for this kind of array."""


def crop(images, top, left, size: int):
    """Windows of `(batch, height, width, channels)` with corners `(batch,)` int64."""
    window = np.arange(size)
    rows = (top[:, None] + window)[:, :, None]
    columns = (left[:, None] + window)[:, None, :]
    return images[np.arange(len(rows))[:, None, None], rows, columns]


def mirror(images, flip):
    """The images, mirrored where bool `(batch,)` says so."""
    images = images.copy()
    images[flip] = images[flip, :, ::-1]
    return images


def warp(images, cos, sin, dx, dy):
    """Reads (x, y) from (cos x - sin y + dx, sin x + cos y + dy), as float32.

    Bilinear; beyond an edge, the edge. The four are float32 `(batch,)`.
    """
    height, width = images.shape[1:3]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    cos, sin, dx, dy = (value[:, None, None] for value in (cos, sin, dx, dy))
    return _bilinear(images, cos * x - sin * y + dx, sin * x + cos * y + dy)


def fill_with_mean(images, where):
    """The images as float32, their mean where bool `(batch, height, width)` is."""
    images = images.astype(np.float32)
    mean = images.mean(axis=(1, 2), keepdims=True)
    return np.where(where[..., None], mean, images)


def drawn(draw, landmarks, shape):
    """`draw(landmarks)`, a NumPy function's float32 of a known shape."""
    return draw(landmarks)


def look_up(table, index):
    """Entries of a float32 table."""
    return np.asarray(table, np.float32)[index]


def is_text(feature) -> bool:
    """Whether a feature holds text."""
    return feature.dtype.kind in "SUO"


def to_float(feature):
    """The feature as float32."""
    return feature.astype(np.float32)


def fill_up(feature, batch_size: int):
    """The feature with rows of zeros behind it, `batch_size` in all."""
    filled = np.zeros((batch_size, *feature.shape[1:]), feature.dtype)
    filled[: len(feature)] = feature
    return filled


def _bilinear(images, x, y):
    """Values at (x, y); beyond an edge, the edge."""
    height, width = images.shape[1:3]
    left, top = np.floor(x), np.floor(y)
    across, down = (x - left)[..., None], (y - top)[..., None]
    rows = np.arange(len(images))[:, None, None]
    at = lambda dy, dx: images[
        rows,
        (top + dy).clip(0, height - 1).astype(np.int64),
        (left + dx).clip(0, width - 1).astype(np.int64),
    ].astype(np.float32)
    above = at(0, 0) * (1 - across) + at(0, 1) * across
    below = at(1, 0) * (1 - across) + at(1, 1) * across
    return above * (1 - down) + below * down
