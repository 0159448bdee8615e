"""An image at every scale, laid out on one canvas: one network call, not ten."""

import dataclasses
import functools

import cv2
import numpy as np

# The canvas grows in such steps, so that images of like sizes share one shape:
# each new shape costs the convolutions some preparation.
_STEP = 4

# Below this scale, OpenCV's area averaging, whose time depends on the picture
# and not on the level, is slower than `_strips`.
_STRIPS_BELOW = 0.25

# For `cv2.mixChannels`: three channels, and 0 as the fourth.
_COLORS_AND_ZERO = [0, 0, 1, 1, 2, 2, -1, 3]

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


def draw(image: np.ndarray, levels: tuple[Level, ...], canvas: np.ndarray) -> None:
    """Draws an image at every level.

    Args:
        image: uint8 `(height, width, 3)`.
        levels: From `layout`.
        canvas: float32 zeros `(rows, columns, 4)`, written in place: colours,
            0..255, and a fourth channel that is 1 where no level lies.
    """
    canvas[..., 3] = 1
    source, sums = image.astype(np.float32), None
    for level in levels:
        if level.scale < _STRIPS_BELOW:
            sums = cv2.integral(image) if sums is None else sums
            source = _strips(image, sums, level.height)
        # Averages of the areas that the pixels cover, as good as exact: a grey
        # level of 0.2 more or less changes which of the many candidates of a
        # face survives, and its box by some pixels.
        size = (level.width, level.height)
        colors = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        place = canvas[level.top :, level.left :][: level.height, : level.width]
        cv2.mixChannels([colors], [place], _COLORS_AND_ZERO)


def _strips(image, sums, count) -> np.ndarray:
    """Means over `count` equal horizontal strips, float32 `(count, width, 3)`.

    A strip's sum is that of whole rows, from the integral image, and of parts
    of the row in which it begins and of that in which it ends.
    """
    height = image.shape[0]
    edges = np.arange(count + 1) * (height / count)
    rows = np.minimum(edges.astype(int), height)
    parts = (edges - rows).astype(np.float32)[:, None, None]
    partial = image[np.minimum(rows, height - 1)] * parts
    whole = np.diff(sums[rows], axis=0)
    strips = (whole[:, 1:] - whole[:, :-1]).astype(np.float32)
    strips += partial[1:]
    strips -= partial[:-1]
    strips *= np.float32(count / height)
    return strips
