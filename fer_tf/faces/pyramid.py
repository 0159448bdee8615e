"""An image at every scale, on two sheets: two network calls, not ten."""

import dataclasses
import functools

import cv2
import numpy as np

# Sheets of several levels grow in these steps, so that images of similar sizes share
# one shape: each new shape costs the convolutions some preparation.
_STEP = 4

# Below this scale, OpenCV's area averaging, whose time depends on the picture
# and not on the level, is slower than `_strips`.
_STRIPS_BELOW = 0.25

# For `cv2.mixChannels`: three channels, and 0 as the fourth.
_COLORS_AND_ZERO = [0, 0, 1, 1, 2, 2, -1, 3]

# The side of P-Net's window, and so the smallest side of a level.
WINDOW = 12


@dataclasses.dataclass(frozen=True)
class Level:
    """One scale of the pyramid and where it lies on its sheet."""

    scale: float
    height: int
    width: int
    top: int
    left: int


@dataclasses.dataclass(frozen=True)
class Sheet:
    """Levels that pass P-Net together, and the size of what they lie on."""

    levels: tuple[Level, ...]
    height: int
    width: int

    @property
    def channels(self) -> int:
        """3 of colour, and a fourth that marks the gaps between several levels."""
        return 3 if len(self.levels) == 1 else 4


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
def sheets(
    height: int, width: int, min_face_size: float, factor: float
) -> tuple[Sheet, ...]:
    """Lays out the levels of an image of this size.

    The finest has a sheet to itself and the others share one: at the usual
    factor, whose square is a half, two equal pieces of work for two threads.
    """
    # Cut off, not rounded, as in the `mtcnn` package.
    levels = [
        (float(scale), int(height * scale), int(width * scale))
        for scale in scales(height, width, min_face_size, factor)
    ]
    return tuple(_sheet(part) for part in (levels[:1], levels[1:]) if part)


def _sheet(levels) -> Sheet:
    """Places levels `(scale, height, width)`, from the finest, side by side."""
    placed = []
    free = []  # Rectangles (top, left, height, width), the last without end.
    for scale, h, w in levels:
        # P-Net pools cells of 2 x 2: levels begin at even places.
        even_h, even_w = h + h % 2, w + w % 2
        if not free:
            free = [(0, 0, even_h, np.inf)]
        i = next(
            i for i, (*_, fh, fw) in enumerate(free) if even_h <= fh and even_w <= fw
        )
        top, left, fh, fw = free.pop(i)
        placed.append(Level(scale, h, w, top, left))
        below = (top + even_h, left, fh - even_h, even_w)
        beside = (top, left + even_w, fh, fw - even_w)
        free[i:i] = [below, beside]
    rows = max(level.top + level.height for level in placed)
    columns = max(level.left + level.width for level in placed)
    if len(placed) > 1:
        rows, columns = (-(-side // _STEP) * _STEP for side in (rows, columns))
    return Sheet(tuple(placed), rows, columns)


def shrunk(image: np.ndarray, max_side: int) -> np.ndarray:
    """The picture, made smaller if a side is longer than allowed."""
    height, width = image.shape[:2]
    ratio = max_side / max(height, width, 1)
    if ratio >= 1:
        return image
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def draw(image: np.ndarray, sheet: Sheet, out: np.ndarray) -> None:
    """Draws an image at every level of a sheet.

    Args:
        image: uint8 `(height, width, 3)`.
        sheet: From `sheets`, for images of this size.
        out: float32 `(rows, columns, channels)` of the sheet, written in place:
            colours, 0..255, and in a fourth channel 1 where no level lies.
    """
    if sheet.channels == 4:
        out.fill(0)
        out[..., 3] = 1
    source, sums = None, None
    for level in sheet.levels:
        if level.scale < _STRIPS_BELOW:
            sums = cv2.integral(image) if sums is None else sums
            source = _strips(image, sums, level.height)
        elif source is None:
            source = image.astype(np.float32)
        # Averages of the areas that the pixels cover, as good as exact: a grey
        # level of 0.2 more or less changes which of the many candidates of a
        # face survives, and its box by some pixels.
        size = (level.width, level.height)
        if sheet.channels == 3:
            cv2.resize(source, size, dst=out, interpolation=cv2.INTER_AREA)
        else:
            colors = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
            place = out[level.top :, level.left :][: level.height, : level.width]
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
