"""A picture file from a stranger, before and while Pillow reads it.

Pillow checks the size in pixels, but in its own loops it follows what a file says:
a JPEG of a megabyte may have thousands of scans, a TIFF entries that overlap to
terabytes. Here each such loop has an end:

- What the file makes Pillow read goes through `Measured`, which stops at four times
  the file's bytes, and at a share of processor time that grows with the pixels.
- EXIF blocks and lists of pictures, which are parsed between two reads, are
  hidden from it; see `fer_tf.faces.exif`.
- A JPEG's scans are counted first: between two reads lie thousands of them.

What is left is one call of a native decoder on a picture of bounded size.
"""

import io
import itertools
import re
import time

# An encoder writes ten scans, one that tries hard some dozens.
_SCANS = 100
_SEGMENTS = 10_000
# The start of a segment: not zero, which escapes a byte of pixels, and no restart.
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
_SCAN, _END, _APP1 = 0xDA, 0xD9, 0xE1
# Two a picture, and a file may hold several pictures.
_NAMES = 1000
# Pillow cuts each comment of a PPM in text out of a whole megabyte.
_COMMENTS = 1000

# Seconds of this thread's processor time: for the header, and for a megapixel, of which
# a large JPEG or PNG needs an eighth.
_SECONDS, _SECONDS_A_MEGAPIXEL = 2.0, 0.2


class TooMuch(Exception):
    """The file takes more than any picture needs; the message says of what."""


class Measured(io.BytesIO):
    """A file whose reader has a budget of bytes and of processor time.

    Attributes:
        exif: The block that was hidden from Pillow, or None.
    """

    def __init__(self, data: bytes, exif: bytes | None = None):
        super().__init__(data)
        self.exif = exif
        self._bytes = 4 * len(data) + (1 << 20)
        self._end = time.thread_time() + _SECONDS

    def allow(self, pixels: int) -> None:
        """Gives time for decoding so many pixels."""
        seconds = _SECONDS + _SECONDS_A_MEGAPIXEL * pixels / 1e6
        self._end = time.thread_time() + seconds

    def read(self, size=-1, /):
        data = super().read(size)
        self._bytes -= len(data)
        if self._bytes < 0:
            raise TooMuch("refers to its own bytes too often")
        if time.thread_time() > self._end:
            raise TooMuch("takes too long to read")
        return data


def opened(data: bytes) -> Measured:
    """The file for Pillow, without the parts that would cost too much.

    Raises:
        TooMuch: If that can be told beforehand.
    """
    exif = None
    if data[:2] == b"\xff\xd8":
        # Two bytes that look like a scan may be in a video behind the picture too.
        if data.count(b"\xff\xda") > _SCANS:
            _check_scans(data)
        exif = _jpeg_exif(data)
        data = _without(data, b"Exif\0\0", b"\xff\xe1", (4,))
        data = _without(data, b"MPF\0", b"\xff\xe2", (4,))
    elif data[4:8] == b"ftyp":
        # AVIF's own boxes say how it is turned. Of a box's two versions.
        data = _without(data, b"Exif", b"infe", (12, 14))
    elif data[:2] in (b"P1", b"P2", b"P3") and data.count(b"#") > _COMMENTS:
        raise TooMuch(f"more than {_COMMENTS} comments")
    return Measured(data, exif)


def _check_scans(data):
    scans = 0
    for number, (marker, _) in enumerate(_segments(data)):
        scans += marker == _SCAN
        if scans > _SCANS or number > _SEGMENTS:
            raise TooMuch(f"a JPEG of more than {_SCANS} scans")


def _jpeg_exif(data):
    """The first EXIF block in a JPEG's header, or None."""
    for marker, body in itertools.islice(_segments(data), _SEGMENTS):
        if marker == _SCAN:
            return None
        if marker == _APP1 and data.startswith(b"Exif\0\0", body):
            return data[body : body + int.from_bytes(data[body - 2 : body]) - 2]
    return None


def _segments(data):
    """A JPEG's markers and where what each holds begins, to the picture's end."""
    at = 2
    while match := _MARKER.search(data, at):
        marker, at = match[0][-1], match.end()
        if marker == _END:
            return
        yield marker, at + 2
        at += max(2, int.from_bytes(data[at : at + 2]))


def _without(data, name, mark, distances):
    """The file with zeros for a name, wherever a mark stands so far before it."""
    if data.count(name) > _NAMES:
        raise TooMuch(f"more than {_NAMES} EXIF blocks")
    changed = None
    for match in re.finditer(re.escape(name), data):
        at = match.start()
        if any(at >= d and data.startswith(mark, at - d) for d in distances):
            changed = changed or bytearray(data)
            changed[at : at + len(name)] = bytes(len(name))
    return data if changed is None else bytes(changed)
