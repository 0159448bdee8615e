"""The orientation of a picture, and nothing else, from its EXIF block.

Pillow's own reader takes quadratic time on a block that repeats its first bytes,
and unbounded memory on one whose entries overlap. A block costs nothing here,
whatever it holds.
"""

import re
import struct

_ORIENTATION = 0x0112
_SHORT = 3
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_XMP_BYTES = 1 << 20


def orientation(info: dict) -> int:
    """The orientation that a picture's `info` of Pillow's states, 1 to 8.

    Without one, or where it is broken, the picture stands upright: 1.
    """
    block = info.get("exif") or _from_text(info.get("Raw profile type exif"))
    value = _of_block(block) if isinstance(block, bytes) else None
    if value is None:
        xmp = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
        xmp = xmp.encode(errors="replace") if isinstance(xmp, str) else xmp
        match = _XMP.search(xmp[:_XMP_BYTES])
        value = int(match[1]) if match else 1
    return value if 1 <= value <= 8 else 1


def _of_block(block):
    """The value of the tag in the first directory, or None."""
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    try:
        (start,) = struct.unpack_from(f"{order}I", block, 4)
        (count,) = struct.unpack_from(f"{order}H", block, start)
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, number, value = struct.unpack_from(f"{order}HHIH", block, at)
            if (tag, kind, number) == (_ORIENTATION, _SHORT, 1):
                return value
    except struct.error:  # Not such a block, or cut short.
        pass
    return None


def _from_text(profile):
    """The block that ImageMagick writes into a PNG as text, or None."""
    try:
        return bytes.fromhex("".join(profile.split("\n")[3:]))
    except (AttributeError, ValueError):
        return None
