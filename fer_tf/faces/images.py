"""Encoded pictures -> uint8 RGB arrays, or one short reason why not.

Pillow decodes, not OpenCV: `cv2.imdecode` drops transparency, gives no size
before it decodes and no reason when it fails, and up to version 4 it fills the
missing part of a truncated JPEG with grey and says nothing.
"""

import os
import stat
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from fer_tf.faces import strangers
from fer_tf.faces.exif import orientation

MAX_BYTES = 64 * 2**20
# The largest sensors whose pictures phones store whole have 108 megapixels.
MAX_PIXELS = 110_000_000
# OpenCV cannot warp pictures with a longer side.
MAX_SIDE = 32_766

# Formats of photographs. Pillow knows more, of which some start other programs.
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF", "PPM")

# How some files begin that people take for pictures, and what to do about them.
_OTHERS = (
    (b"<!doctype html", "an HTML page, not an image"),
    (b"<html", "an HTML page, not an image"),
    (b"<head", "an HTML page, not an image"),
    (b"<body", "an HTML page, not an image"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the image: git lfs pull"),
    (b"<svg", "an SVG drawing: save it as PNG"),
    (b"%pdf", "a PDF: save its page as PNG"),
    (b"%!ps", "PostScript: save it as PNG"),
    (b"8bps", "a Photoshop file: save it as JPEG or PNG"),
    (b"\xff\x0a", "a JPEG XL picture: save it as JPEG or PNG"),
    (b"\0\0\0\x0cjxl ", "a JPEG XL picture: save it as JPEG or PNG"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture: save it as JPEG or PNG"),
    (b"\0\0\0\x0cjp  ", "a JPEG 2000 picture: save it as JPEG or PNG"),
)
_HEIC = (
    "a HEIC picture: save it as JPEG (an iPhone takes JPEG by Settings > Camera > "
    "Formats > Most Compatible)"
)
_AVIF = "an AVIF picture, which this Pillow does not read: install pillow>=11.3"
# How files of the readable formats begin: one that cannot be read is damaged.
_KNOWN = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"RIFF")

# An address in place of a path.
_ADDRESSES = (
    ("data:", "a data address, no path: decode its base64 and give the bytes"),
    (("http:", "https:"), "an address, no path: fetch it first"),
)

# Tags of TIFF.
_BITS, _PHOTOMETRIC = 258, 262
_MODES = "1 L P RGB RGBA RGBX RGBa CMYK YCbCr HSV LA La PA".split()

# Pixels that are converted together.
_STRIP = 1 << 22

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


def read_image(
    source: str | os.PathLike | bytes | Image.Image, *, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Decodes a picture as people see it, upright and in colour.

    The EXIF orientation is applied, transparency lies over white, 16 bits
    become 8, grey is repeated in three channels, and of an animation the first
    frame is taken. The header is read before any pixel: nothing above 110
    megapixels or 64 MiB is decoded. What a stranger's file can cost is bounded;
    see `fer_tf.faces.strangers`.

    Args:
        source: Path of a file, the bytes of one, or a picture of Pillow's.
        max_pixels: Most pixels of a file, for whoever allows fewer.

    Returns:
        uint8 RGB `(height, width, 3)`.

    Raises:
        ImageError: If there is no whole picture in it.

    >>> read_image(Image.new("L", (640, 480))).shape
    (480, 640, 3)
    """
    return read_with_note(source, max_pixels=max_pixels)[0]


def read_with_note(
    source, *, max_pixels: int = MAX_PIXELS
) -> tuple[np.ndarray, str | None]:
    """Decodes a picture; the note says if it is the first of several.

    Args:
        source: See `read_image`.
        max_pixels: See `read_image`.

    Returns:
        The pixels of `read_image`; and "first of 12 frames" of an animation, "first
        of 3 pages" of a TIFF, or None.

    Raises:
        ImageError: See `read_image`.
    """
    if isinstance(source, Image.Image):
        return _decoded(source), None
    data = bytes(source) if _is_bytes(source) else _read_file(source)
    if not data:
        raise ImageError("empty file")
    if len(data) > MAX_BYTES:
        raise ImageError("more than 64 MiB")
    try:
        file = strangers.opened(data)
        with _opened(file) as picture:
            _check_size(*picture.size, max_pixels)
            file.allow(picture.width * picture.height)
            return _decoded(picture), _note(picture)
    except ImageError:
        raise
    except strangers.TooMuch as error:
        raise ImageError(str(error)) from None
    except UnidentifiedImageError:
        raise ImageError(_what_else(data)) from None
    except Image.DecompressionBombError:
        raise ImageError(_too_large(max_pixels)) from None
    except Exception as error:
        raise ImageError("damaged image") from error


def _opened(file):
    """A picture of Pillow's whose header has been read."""
    with warnings.catch_warnings():
        # Pillow warns of half of what is too large to it; our own limit is stated.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        picture = Image.open(file, formats=_FORMATS)
    if file.exif:
        picture.info["exif"] = file.exif
    return picture


def _decoded(picture) -> np.ndarray:
    """Pixels of an opened picture, upright, RGB."""
    # Pillow's decoders raise many kinds of errors over a damaged file:
    # SyntaxError, struct.error, zlib.error, EOFError, ...
    try:
        _check_size(*picture.size)
        picture.load()
        return _upright(picture)
    except (ImageError, strangers.TooMuch):
        raise
    except MemoryError:
        raise ImageError("needs too much memory") from None
    except Exception as error:
        reason = "truncated" if "truncated" in str(error).lower() else "damaged"
        raise ImageError(f"{reason} image") from error


def _note(picture):
    """A note if an opened file has more than one picture, or None."""
    try:
        count = getattr(picture, "n_frames", 1)
    except Exception:  # The first is whole; how many follow, the file does not say.
        return None
    pages = "pages" if picture.format == "TIFF" else "frames"
    return f"first of {count} {pages}" if count > 1 else None


def address_hint(path: str | os.PathLike) -> str | None:
    """Advice for an address in place of a path; None for a path."""
    start = str(path)[:9].lower()
    return next((hint for what, hint in _ADDRESSES if start.startswith(what)), None)


def _is_bytes(source) -> bool:
    return isinstance(source, bytes | bytearray | memoryview)


def _read_file(path) -> bytes:
    """The bytes of a regular file, at most one more than allowed."""
    if hint := address_hint(path):
        raise ImageError(hint)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ImageError("not a file")
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError("no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path.
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"cannot be opened: {reason}") from error


def _too_large(max_pixels):
    return f"more than {max_pixels // 1_000_000} megapixels"


def _check_size(width, height, max_pixels=MAX_PIXELS):
    if width * height > max_pixels:
        raise ImageError(_too_large(max_pixels))
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"a side of more than {MAX_SIDE} pixels")


def _what_else(data) -> str:
    """Names the kind of file that is no image."""
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4]), 256)]
        if b"avif" in brands:
            return "damaged image" if features.check("avif") else _AVIF
        if any(name in brands for name in (b"hei", b"hev", b"mif1", b"msf1")):
            return _HEIC
    if data.startswith(_KNOWN):
        return "damaged, or of an unknown kind"
    start = data[:256].lstrip().lower()
    for beginning, name in _OTHERS:
        if start.startswith(beginning):
            return name
    return "not an image of a known format"


def _upright(picture) -> np.ndarray:
    """Pixels of a decoded picture, turned upright.

    They are converted by strips, each to its place: of a large picture there is
    Pillow's copy and this one, and no third.
    """
    # Pillow turns a TIFF by itself.
    turn = 1 if picture.format == "TIFF" else orientation(picture.info)
    transpose, flip_rows, flip_columns = _TURNS.get(turn, (False, False, False))
    width, height = picture.size
    size = (width, height) if transpose else (height, width)
    pixels = np.empty((*size, 3), np.uint8)
    stored = pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]
    stored = stored.transpose(1, 0, 2) if transpose else stored
    rows = max(1, _STRIP // width)
    to_grey = _wide_grey(picture)
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(top + rows, height)))
        converted = to_grey(strip) if to_grey else _to_rgb(strip)
        stored[top : top + rows] = converted
    return pixels


def _wide_grey(picture):
    """The conversion of 9 to 16 bits to 8, or None for other pixels."""
    # In these formats "I" is 16 bits too: so PGM comes, and before Pillow 11 PNG.
    wide = picture.mode == "I" and picture.format in ("PNG", "PPM")
    if not wide and not picture.mode.startswith("I;16"):
        return None
    bits, inverted = 16, False
    if picture.format == "TIFF":
        # Pillow leaves 12 bits as they are, and white where a file has it at 0.
        bits = picture.tag_v2.get(_BITS, (16,))[0]
        inverted = picture.tag_v2.get(_PHOTOMETRIC) == 0
    most = (1 << bits) - 1

    def to_grey(strip):
        # Pillow clips these to 255 where they are converted.
        grey = np.minimum(np.asarray(strip).astype(np.uint32), most)
        grey = ((grey * 255 + most // 2) // most).astype(np.uint8)
        return (255 - grey if inverted else grey)[..., None]

    return to_grey


def _to_rgb(picture) -> np.ndarray:
    """Pixels of a decoded picture in any other of Pillow's modes."""
    if picture.mode in ("I", "F"):
        raise ImageError("32-bit pixels, of unknown range")
    if picture.mode not in _MODES:
        raise ImageError(f"colours of the kind {picture.mode}, which are not read")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.asarray(picture.convert("RGB"))
