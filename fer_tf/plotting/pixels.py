"""Boxes, labels, words and bars, drawn straight onto the pixels of a picture.

All of it changes a uint8 RGB array `(height, width, 3)` in place. What lies outside the
picture is left out. Boxes are `(x, y, width, height)`, in pixels from the upper left.
"""

import functools
import math
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_tf.plotting.colors import COLORS, INK, ink_on, rgb
from fer_tf.utils import atomic

Box = Sequence[float]

# The colour of a reading that is in doubt, and of a class without one of its own.
PLAIN = "#ffffff"
# Pillow's own font has the letters of Europe's Latin alphabets.
_LATIN = 0x180
# What is left and right of a label's words, in sizes of its letters.
PADDING = 0.3


def draw_box(
    picture: np.ndarray, box: Box, color: str, *, thick: int = 2, dashed: bool = False
) -> None:
    """Draws a rectangle on a dark line, which shows it on every background."""
    x, y, w, h = (round(value) for value in box)
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], np.int32)
    cv2.polylines(picture, [corners], True, rgb(INK), thick + 2, cv2.LINE_AA)
    if not dashed:
        cv2.polylines(picture, [corners], True, rgb(color), thick, cv2.LINE_AA)
        return
    # Eight dashes a side, about as long as the gaps between them.
    for start, end in zip(corners, np.roll(corners, -1, axis=0)):
        marks = np.linspace(start, end, 16).round().astype(int).tolist()
        for one, other in zip(marks[::2], marks[1::2]):
            cv2.line(picture, one, other, rgb(color), thick, cv2.LINE_AA)


def label_size(text: str, size: int) -> tuple[int, int]:
    """Width and height of a label whose letters have a size in pixels."""
    width, height = text_size(text, size)
    return width + 2 * round(PADDING * size), height + 2


def draw_label(picture: np.ndarray, text: str, box: Box, color: str, size: int) -> None:
    """Writes on a ground of a colour, in the ink that can be read on it."""
    x, y, w, h = (round(value) for value in box)
    cv2.rectangle(picture, (x, y), (x + w - 1, y + h - 1), rgb(color), cv2.FILLED)
    write(picture, text, (x + round(PADDING * size), y + 1), size, ink_on(color))


def text_size(text: str, size: int) -> tuple[int, int]:
    """Width and height of a line of words in pixels."""
    height, width = _letters(text, size).shape
    return width, height


def write(
    picture: np.ndarray, text: str, corner: tuple[int, int], size: int, color: str
) -> None:
    """Writes a line of words, the upper left of which lies at a corner."""
    x, y = corner
    letters = _letters(text, size)
    height, width = picture.shape[:2]
    left, top = max(0, -x), max(0, -y)
    letters = letters[top : max(0, height - y), left : max(0, width - x)]
    rows, columns = letters.shape
    if not letters.size:
        return
    x, y = x + left, y + top
    under = picture[y : y + rows, x : x + columns]
    share = letters[..., None].astype(np.float32) / 255
    under[:] = np.rint(under + share * (np.float32(rgb(color)) - under))


def draw_bar(
    picture: np.ndarray, box: Box, share: float, color: str, *, pale: bool = False
) -> None:
    """Fills the left `share` of a box with a colour, or with its grey if it is pale."""
    x, y, w, h = (round(value) for value in box)
    filled = rgb(color)
    if pale:
        filled = tuple(130 + value // 4 for value in filled)
    end = x + round(w * min(max(share, 0.0), 1.0))
    cv2.rectangle(picture, (x, y), (end, y + h - 1), filled, cv2.FILLED)


def color_of(name: str) -> str:
    """The colour of an expression, and the plain one of everything else."""
    return COLORS.get(name, PLAIN)


def save_png(picture: np.ndarray, path: str) -> None:
    """Writes a picture as PNG. The file appears whole or not at all.

    Raises:
        OSError: If it cannot be written, with `path` as its file name.
    """
    # Runs alone take two thirds of the usual way's time for about the same bytes.
    how = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    how += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    _, encoded = cv2.imencode(".png", picture[..., ::-1], how)
    with atomic.replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(encoded)


# A folder of pictures and a video write the same few words again and again.
@functools.lru_cache(1024)
def _letters(text, size):
    """How much of each pixel the words cover, uint8, as high as the font's lines."""
    font = _font(size, text)
    ascent, descent = font.getmetrics()
    shape = max(1, math.ceil(font.getlength(text))), ascent + descent
    image = Image.new("L", shape)
    ImageDraw.Draw(image).text((0, 0), text, fill=255, font=font)
    letters = np.asarray(image)
    letters.flags.writeable = False
    return letters


def _font(size, text):
    if all(ord(char) < _LATIN for char in text):
        return _latin(size)
    # Fonts of the machine are Matplotlib's to find, which takes a while to import.
    from fer_tf.plotting.style import font_file

    path = font_file(text)
    return _latin(size) if path is None else ImageFont.truetype(path, size)


@functools.lru_cache(64)
def _latin(size):
    return ImageFont.load_default(size)
