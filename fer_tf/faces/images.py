"""Encoded pictures -> uint8 RGB arrays, or one short reason why not.

Pillow decodes, not OpenCV: `cv2.imdecode` drops transparency, gives no size
before it decodes and no reason when it fails, and up to version 4 it fills the
missing part of a truncated JPEG with grey and says nothing.
"""

import io
import os
import stat

import numpy as np
from PIL import Image, UnidentifiedImageError

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 64_000_000
# OpenCV cannot warp pictures with a longer side.
MAX_SIDE = 32_766

# Formats of photographs. Pillow knows more, of which some start other programs.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")

_ORIENTATION = 0x0112
# EXIF orientation -> what to do to the stored rows and columns, in order:
# transpose, flip up-down, flip left-right.
_TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


class ImageError(ValueError):
    """A picture that cannot be read; the message is a short reason."""


def read_image(source: str | os.PathLike | bytes | Image.Image) -> np.ndarray:
    """Decodes a picture as people see it, upright and in colour.

    The EXIF orientation is applied, transparency lies over white, 16 bits
    become 8, grey is repeated in three channels, and of an animation the first
    frame is taken. The header is read before any pixel: nothing above 64
    megapixels or 64 MiB is decoded.

    Args:
        source: Path of a file, the bytes of one, or a picture of Pillow's.

    Returns:
        uint8 RGB `(height, width, 3)`.

    Raises:
        ImageError: If there is no whole picture in it.
    """
    if isinstance(source, Image.Image):
        return _decoded(source)
    data = bytes(source) if _is_bytes(source) else _read_file(source)
    if not data:
        raise ImageError("empty file")
    if len(data) > MAX_BYTES:
        raise ImageError("more than 64 MiB")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            return _decoded(picture)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(_what_else(data)) from None
    except Image.DecompressionBombError:
        raise ImageError("more than 64 megapixels") from None
    except Exception as error:
        raise ImageError("damaged image") from error


def _decoded(picture) -> np.ndarray:
    """Pixels of an opened picture, upright, RGB."""
    # Pillow's decoders raise whatever they stumble over in a damaged file:
    # SyntaxError, struct.error, zlib.error, EOFError, ...
    try:
        _check_size(*picture.size)
        picture.load()
        pixels = _to_rgb(picture)
        turn = _TURNS.get(_orientation(picture))
    except ImageError:
        raise
    except MemoryError:
        raise ImageError("needs too much memory") from None
    except Exception as error:
        reason = "truncated" if "truncated" in str(error).lower() else "damaged"
        raise ImageError(f"{reason} image") from error
    return pixels if turn is None else _turned(pixels, *turn)


def _is_bytes(source) -> bool:
    return isinstance(source, bytes | bytearray | memoryview)


def _read_file(path) -> bytes:
    """The bytes of a regular file, one more than allowed at most."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ImageError("not a file")
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ImageError("no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path.
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"cannot be opened: {error}") from error


def _check_size(width, height):
    if width * height > MAX_PIXELS:
        raise ImageError("more than 64 megapixels")
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"a side of more than {MAX_SIDE} pixels")


def _what_else(data) -> str:
    """Names what was found in the place of an image."""
    start = data[:256].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page, not an image"
    return "not an image of a known format"


def _orientation(picture):
    """The EXIF orientation; a broken EXIF block does not spoil a picture."""
    try:
        return picture.getexif().get(_ORIENTATION)
    except Exception:
        return None


def _to_rgb(picture) -> np.ndarray:
    """Pixels of a decoded picture in any of Pillow's modes."""
    # In these formats "I" is 16 bits too: so PGM comes, and before Pillow 11 PNG.
    wide = picture.mode == "I" and picture.format in ("PNG", "PPM")
    if wide or picture.mode.startswith("I;16"):
        # Pillow clips these to 255 where they are converted.
        grey = (np.asarray(picture).astype(np.uint32) * 255 + 32767) // 65535
        return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=-1)
    if picture.mode in ("I", "F"):
        raise ImageError("32-bit pixels, of unknown range")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.array(picture.convert("RGB"))


def _turned(pixels, transpose, flip_rows, flip_columns) -> np.ndarray:
    if transpose:
        pixels = pixels.transpose(1, 0, 2)
    pixels = pixels[::-1] if flip_rows else pixels
    pixels = pixels[:, ::-1] if flip_columns else pixels
    return np.ascontiguousarray(pixels)
