"""The geometry of the augmentations, the same for TensorFlow and for NumPy.

This module draws how far a picture moves, and moves its landmarks. The kernels
(`tensor_kernels`, `array_kernels`) move the pixels. `xp` is `numpy` or
`tensorflow.experimental.numpy`; a batch holds arrays of that kind.
"""

import math

from data_pipelines.batches import stateless_random
from data_pipelines.synthetic.geometry import MIRROR

# RAF-DB's 37: brows, nose, eyes, outer lip (clockwise from the left corner).
_MIRROR_37 = (
    *range(5, -1, -1),
    *(6, 7),
    *range(12, 7, -1),
    *(22, 21, 20, 19, 24, 23, 16, 15, 14, 13, 18, 17),
    *range(31, 24, -1),
    *range(36, 31, -1),
)
# Index of the mirrored point, by number of points; the five are eyes, nose and mouth
# corners, the 68 iBUG's.
MIRRORED_POINTS = {5: (1, 0, 2, 4, 3), 37: _MIRROR_37, 68: tuple(MIRROR.tolist())}


def uniform(xp, batch, seed: int, purpose: str):
    """Uniform numbers in [0, 1), one for each example: float32 `(batch,)`."""
    keys, epoch = batch["key"], batch["epoch"]
    return stateless_random.uniform(xp, keys, seed=seed, epoch=epoch, purpose=purpose)


def crop_offsets(xp, batch, size: int, seed: int | None):
    """Top left corner of each window: int64 `(batch,)` `top` and `left`.

    Random with a seed, central without.

    Raises:
        ValueError: If the window does not fit the picture.
    """
    height, width = batch["image"].shape[1:3]
    if size > min(height, width):
        raise ValueError(
            f"`size` must not exceed the picture. Received: size={size}, picture "
            f"{height}x{width}."
        )
    if seed is None:
        zero = xp.zeros_like(batch["key"])
        return zero + (height - size) // 2, zero + (width - size) // 2
    draw = lambda extent, axis: stateless_random.integers(
        xp,
        batch["key"],
        extent - size + 1,
        seed=seed,
        epoch=batch["epoch"],
        purpose=f"crop {axis}",
    )
    return draw(height, "y"), draw(width, "x")


def affine(xp, batch, *, seed, degrees, zoom, shift):
    """Output (x, y) is read from (cos x - sin y + dx, sin x + cos y + dy).

    Returns:
        `cos`, `sin`, `dx`, `dy`: float32 `(batch,)`. `cos` and `sin` have the
        scale in them.
    """
    height, width = batch["image"].shape[1:3]
    draw = lambda what: uniform(xp, batch, seed, f"affine {what}") * 2 - 1
    angle = draw("angle") * math.radians(degrees)
    scale = 1 / (1 + zoom * draw("zoom"))
    cos, sin = xp.cos(angle) * scale, xp.sin(angle) * scale
    center_x, center_y = (width - 1) / 2, (height - 1) / 2
    to_x = center_x + draw("x") * shift * width
    to_y = center_y + draw("y") * shift * height
    dx = center_x - cos * to_x + sin * to_y
    dy = center_y - sin * to_x - cos * to_y
    return cos, sin, dx, dy


def moved_points(xp, points, cos, sin, dx, dy):
    """Where `affine` moves the landmarks `(batch, n, 2)`."""
    x, y = points[..., 0] - dx[:, None], points[..., 1] - dy[:, None]
    cos, sin = cos[:, None], sin[:, None]
    det = cos * cos + sin * sin
    return xp.stack([(cos * x + sin * y) / det, (cos * y - sin * x) / det], axis=-1)


def mirrored_points(xp, points, width: int):
    """The landmarks of the mirrored picture, left and right exchanged in the list."""
    moved = xp.take(points, MIRRORED_POINTS[points.shape[1]], axis=1)
    return xp.stack([width - 1.0 - moved[..., 0], moved[..., 1]], axis=-1)


def erased(xp, batch, *, seed, probability, area):
    """Which pixels a random square covers: bool `(batch, height, width)`."""
    height, width = batch["image"].shape[1:3]
    draw = lambda what: uniform(xp, batch, seed, f"erase {what}")[:, None]
    half = xp.sqrt(draw("area") * area) / 2
    half = xp.where(draw("whether") < probability, half, xp.zeros_like(half))
    places = lambda n: (xp.arange(n, dtype=xp.float32) + 0.5) / n
    rows = xp.abs(places(height) - draw("y")) < half
    columns = xp.abs(places(width) - draw("x")) < half
    return rows[:, :, None] & columns[:, None, :]
