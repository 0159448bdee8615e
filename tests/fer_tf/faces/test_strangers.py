"""Picture files made to cost more than a picture: each ends soon, in little memory."""

import io
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, features

from fer_tf.faces import exif, strangers
from fer_tf.faces.images import ImageError, read_image

PICTURE = Image.fromarray(
    np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
)


def encoded(kind, picture=PICTURE, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


PNG, JPEG, GIF = encoded("PNG"), encoded("JPEG"), encoded("GIF", PICTURE.quantize(16))
GIF_FRAME = b",\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"


def in_png(kind, body):
    crc = struct.pack(">I", zlib.crc32(kind + body))
    return PNG[:33] + struct.pack(">I", len(body)) + kind + body + crc + PNG[33:]


def in_jpeg(marker, body, times=1):
    segment = bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
    return JPEG[:2] + segment * times + JPEG[2:]


def overlapping(count, size):
    """A directory of EXIF or TIFF, each entry of which is nearly the whole file."""
    head = b"II*\0" + struct.pack("<IH", 8, count)
    entries = (struct.pack("<HHII", 300 + i, 7, size, 8) for i in range(count))
    return (head + b"".join(entries) + bytes(4)).ljust(size + 100, b"\0")


def scans(times, **options):
    """A JPEG whose last scan comes again and again, each over every pixel."""
    data = encoded("JPEG", Image.new("L", (2000, 2000)), **options)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * times + b"\xff\xd9"


HEX = b"\nexif\n  12\n" + (b"Exif\0\0" * 80_000).hex().encode()
PROFILE = b"Raw profile type exif\0\0" + zlib.compress(HEX)

FILES = {
    "the block of 1.9 MB that took 29 s": in_png(b"eXIf", b"Exif\0\0" * 316_000),
    "the same as text": in_png(b"zTXt", PROFILE),
    "the same in a JPEG": in_jpeg(0xE1, b"Exif\0\0" * 10_000),
    "many blocks, joined": in_jpeg(0xE1, b"Exif\0\0ab", 1_000_000),
    "entries that overlap": in_jpeg(0xE1, b"Exif\0\0" + overlapping(5000, 65_000)),
    "such a list of pictures": in_jpeg(0xE2, b"MPF\0" + overlapping(5000, 65_000)),
    "segments of nothing": in_jpeg(0xE1, b"", 10_000_000),
    "progressive scans": scans(5000, progressive=True),
    "scans of all": scans(5000),
    "profiles": PNG[:33]
    + in_png(b"iCCP", b"a\0\0" + zlib.compress(bytes(1 << 20), 9))[33:-24] * 10_000,
    "comments of a GIF": GIF[:61]
    + (b"!\xfe" + (b"\xff" + bytes(255)) * 200_000 + b"\0")
    + GIF[61:],
    "frames of a GIF": GIF[:-1] + GIF_FRAME * 2_000_000 + b";",
    "entries of a TIFF that overlap": overlapping(60_000, 5_000_000),
    "comments of a PPM": b"P3\n100 100\n255\n" + b"#\n" * 20_000_000,
    "a header without an end": b"P6\n" + b" " * 60_000_000,
}


@pytest.mark.parametrize("name", FILES)
def test_an_end_within_seconds_and_megabytes(name):
    tracemalloc.start()
    begun = time.thread_time()
    try:
        assert read_image(FILES[name]).shape == (64, 64, 3)
    except ImageError as error:
        assert len(str(error)) < 60
    seconds = time.thread_time() - begun
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # `tracemalloc` doubles the time of a loop; 2 s and 0.2 a megapixel are given.
    assert seconds < 12 and peak < 250 << 20


def test_a_picture_that_scans_follow_is_read():
    """A phone's motion photograph has its video behind it."""
    data = JPEG + b"\xff\xda" * 5000
    np.testing.assert_array_equal(read_image(data), read_image(JPEG))
    with pytest.raises(ImageError, match="more than 100 scans"):
        read_image(scans(200))


def test_nothing_that_is_hidden_changes_a_pixel():
    block = Image.Exif()
    block[0x0112] = 3
    plain = read_image(JPEG)
    turned = encoded("JPEG", PICTURE, exif=block)
    np.testing.assert_array_equal(read_image(turned), plain[::-1, ::-1])
    # A second block, and one in a picture behind the first, are not the picture's.
    np.testing.assert_array_equal(read_image(JPEG + turned), plain)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_an_avifs_exif_is_not_parsed():
    block = overlapping(20_000, 500_000)
    # Pillow parses what it is to write: another block, of that size.
    harmless = b"II*\0".ljust(len(block), b"\0")
    data = encoded("AVIF", PICTURE, exif=harmless)
    assert data.count(harmless) == 1
    data = data.replace(harmless, block)
    tracemalloc.start()
    assert read_image(data).shape == (64, 64, 3)
    assert tracemalloc.get_traced_memory()[1] < 50 << 20
    tracemalloc.stop()


def test_an_orientation_is_found_or_none_is():
    def block(order, kind=3, count=1, value=6):
        mark = {"<": b"II", ">": b"MM"}[order]
        entries = struct.pack(f"{order}HHIHH", 0x0112, kind, count, value, 0)
        return mark + struct.pack(f"{order}HIH", 42, 8, 1) + entries

    for order in "<>":
        assert exif.orientation({"exif": block(order)}) == 6
        assert exif.orientation({"exif": b"Exif\0\0" + block(order)}) == 6
        for cut in range(len(block(order)) - 4):
            assert exif.orientation({"exif": block(order)[:cut]}) == 1
    assert exif.orientation({"exif": block("<", value=9)}) == 1
    assert exif.orientation({"exif": block("<", kind=4)}) == 1
    assert exif.orientation({"xmp": b' tiff:Orientation="8"'}) == 8
    text = "\nexif\n  12\n" + block(">").hex()
    assert exif.orientation({"Raw profile type exif": text}) == 6
    assert exif.orientation({"Raw profile type exif": "\n\n\nzz"}) == 1
    assert exif.orientation({}) == 1


def test_the_budget_counts_what_is_read_again():
    file = strangers.Measured(bytes(1 << 20))
    for _ in range(5):
        file.seek(0)
        file.read()
    file.seek(0)
    with pytest.raises(strangers.TooMuch, match="too often"):
        file.read()
