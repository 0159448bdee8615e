"""An image at every scale, laid out on one canvas: one network call, not ten."""

import dataclasses
import functools

import cv2
import numpy as np

# The canvas grows in such steps, so that images of like sizes share one shape:
# each new shape costs the convolutions some preparation.
_STEP = 16

# The side of P-Net's window, so the least side of a level.
WINDOW = 12


@dataclasses.dataclass(frozen=True)
class Level:
    """One scale of the pyramid and where it lies on the canvas."""

    scale: float
    height: int
    width: int
    top: int
    left: int


def scales(height: int, width: int, min_face_size: float, factor: float) -> np.ndarray:
    """Scales at which to look for faces, from the finest.

    At the first a face of the least size fills P-Net's window. There are as
    many as in the `mtcnn` package at its least size of 20; that package keeps
    the number for other sizes, where its last levels are smaller than the
    window or larger than need be.
    """
    first = WINDOW / min_face_size
    largest = min(height, width) * first / (0.6 * WINDOW)
    if largest <= 0:
        return np.zeros(0)
    count = round(np.log(largest) / -np.log(factor) - 1)
    values = first * factor ** np.arange(max(count, 0))
    return values[[int(min(height, width) * s) >= WINDOW for s in values]]


@functools.lru_cache(maxsize=256)
def layout(
    height: int, width: int, min_face_size: float, factor: float
) -> tuple[tuple[Level, ...], tuple[int, int]]:
    """Places the levels of an image of this size on a canvas.

    Returns:
        The levels, and the canvas' `(height, width)`, (0, 0) if there is none.
    """
    levels = []
    free = []  # Rectangles (top, left, height, width), the last without end.
    for scale in scales(height, width, min_face_size, factor):
        # Cut off, not rounded, as in the `mtcnn` package.
        h, w = int(height * scale), int(width * scale)
        # P-Net pools cells of 2 x 2: levels begin at even places.
        even_h, even_w = h + h % 2, w + w % 2
        if not free:
            free = [(0, 0, even_h, np.inf)]
        i = next(
            i for i, (*_, fh, fw) in enumerate(free) if even_h <= fh and even_w <= fw
        )
        top, left, fh, fw = free.pop(i)
        levels.append(Level(float(scale), h, w, top, left))
        below = (top + even_h, left, fh - even_h, even_w)
        beside = (top, left + even_w, fh, fw - even_w)
        free[i:i] = [below, beside]
    rows = max((level.top + level.height for level in levels), default=0)
    columns = max((level.left + level.width for level in levels), default=0)
    return tuple(levels), (-(-rows // _STEP) * _STEP, -(-columns // _STEP) * _STEP)


def draw(image: np.ndarray, levels, canvas: np.ndarray) -> None:
    """Draws an image at every level.

    Args:
        image: uint8 `(height, width, 3)`.
        levels: From `layout`.
        canvas: float32 `(rows, columns, 4)`, written in place: colours, 0..255,
            and a fourth channel that is 1 where no level lies.
    """
    canvas[...] = (0, 0, 0, 1)
    image = image.astype(np.float32)
    for level in levels:
        part = canvas[
            level.top : level.top + level.height, level.left : level.left + level.width
        ]
        part[..., :3] = cv2.resize(
            image, (level.width, level.height), interpolation=cv2.INTER_AREA
        )
        part[..., 3] = 0
