import io
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, features

from fer_tf.faces import images
from fer_tf.faces.images import ImageError, read_image


def photo(height=60, width=80):
    rng = np.random.default_rng(3)
    small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


PHOTO = photo()
GREY = PHOTO[..., 1]


def encoded(picture, kind, **options):
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png_header(width, height):
    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_are_exact(kind, tmp_path):
    data = encoded(PHOTO, kind)
    np.testing.assert_array_equal(read_image(data), PHOTO)
    path = tmp_path / "a.dat"
    path.write_bytes(data)
    np.testing.assert_array_equal(read_image(path), PHOTO)
    np.testing.assert_array_equal(read_image(str(path)), PHOTO)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_agree_with_opencv(kind):
    data = encoded(PHOTO, kind, quality=95)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert abs(read_image(data).astype(int) - expected).max() <= 1


# What a phone does to an upright picture before it stores it: the inverse of
# the transform that EXIF names.
STORED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", sorted(STORED))
def test_every_orientation_is_turned_upright(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    stored = np.ascontiguousarray(STORED[orientation](PHOTO))
    data = encoded(stored, kind, exif=exif, **options)
    np.testing.assert_array_equal(read_image(data), PHOTO)


@pytest.mark.parametrize("orientation", sorted(STORED))
def test_jpeg_orientation_agrees_with_opencv(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(PHOTO, "JPEG", exif=exif)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert abs(read_image(data).astype(int) - expected).max() <= 1


def test_grey_palette_and_bits():
    thrice = np.repeat(GREY[..., None], 3, -1)
    np.testing.assert_array_equal(read_image(encoded(GREY, "PNG")), thrice)
    palette = Image.fromarray(PHOTO).quantize(32)
    expected = np.array(palette.convert("RGB"))
    for kind in ("PNG", "GIF"):
        np.testing.assert_array_equal(read_image(encoded(palette, kind)), expected)
    bits = read_image(encoded(Image.fromarray(GREY).convert("1"), "PNG"))
    assert set(np.unique(bits)) == {0, 255}


@pytest.mark.parametrize("extension", [".png", ".tiff", ".pgm"])
def test_sixteen_bits_become_eight(extension):
    pictures = [(GREY, np.repeat(GREY[..., None], 3, -1)), (PHOTO[..., ::-1], PHOTO)]
    for picture, expected in pictures[: 1 if extension == ".pgm" else 2]:
        wide = cv2.imencode(extension, picture.astype(np.uint16) * 257)[1].tobytes()
        np.testing.assert_array_equal(read_image(wide), expected)


def test_transparency_lies_over_white():
    rgba = np.dstack([PHOTO, np.full(GREY.shape, 255, np.uint8)])
    rgba[:20, :, 3], rgba[20:40, :, 3] = 0, 128
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        pixels = read_image(encoded(rgba, kind, **options)).astype(int)
        assert (pixels[:20] == 255).all()
        np.testing.assert_array_equal(pixels[40:], PHOTO[40:])
        half = 255 + (PHOTO[20:40].astype(int) - 255) * 128 / 255
        assert abs(pixels[20:40] - half).max() <= 1
    keyed = encoded(Image.fromarray(np.zeros((4, 4), np.uint8)), "PNG", transparency=0)
    assert (read_image(keyed) == 255).all()


def test_cmyk_agrees_with_opencv():
    data = encoded(Image.fromarray(PHOTO).convert("CMYK"), "JPEG", quality=95)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert abs(read_image(data).astype(int) - expected).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP", "GIF", "BMP", "PPM"])
def test_every_mode_that_a_format_holds_is_the_same_picture(kind):
    """Smooth colours: what is stored in any mode of three channels comes back."""
    smooth = cv2.resize(PHOTO[:2, :2], (64, 48), interpolation=cv2.INTER_LINEAR)
    picture, seen = Image.fromarray(smooth), []
    for mode in ("RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "P", "PA", "LA", "L", "1"):
        try:
            data = encoded(picture.convert(mode), kind)
        except (OSError, ValueError, KeyError):
            continue  # The format does not hold it.
        if kind == "TIFF" and mode == "YCbCr":
            continue  # Pillow writes it uncompressed, and cannot read that.
        pixels = read_image(data)
        assert pixels.shape == smooth.shape and pixels.dtype == np.uint8, mode
        if mode not in ("P", "PA", "LA", "L", "1"):
            assert abs(pixels.astype(int) - smooth).mean() < 8, mode
        seen.append(mode)
    assert {"RGB", "L", "1"} <= set(seen)


def test_first_picture_of_a_phones_several():
    """MPO: JPEGs with a preview or a depth map behind the picture."""
    first, second = Image.fromarray(PHOTO), Image.fromarray(PHOTO[::-1].copy())
    data = encoded(first, "MPO", save_all=True, append_images=[second])
    np.testing.assert_array_equal(read_image(data), read_image(encoded(first, "JPEG")))


def claims(kind, width, height):
    """A small file whose header states another size."""
    data = bytearray(encoded(PHOTO, kind))
    if kind == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", height, width)
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", width, height)
    elif kind == "PPM":
        data = bytearray(b"P6\n%d %d\n255\n" % (width, height)) + data[13:]
    elif kind == "TIFF":
        for tag, side in ((256, width), (257, height)):
            at = next(
                data.index(entry)
                for entry in (struct.pack("<HHI", tag, t, 1) for t in (3, 4))
                if entry in data
            )
            data[at : at + 12] = struct.pack("<HHII", tag, 4, 1, side)
    return bytes(data)


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "BMP", "PPM", "TIFF"])
def test_bombs_are_refused_from_the_header(kind, monkeypatch):
    # Decoding would come first to a place that says so.
    monkeypatch.setattr(images, "_to_rgb", lambda picture: pytest.fail("decoded"))
    for width, height, reason in (
        (20_000, 20_000, "more than 110 megapixels"),
        (65_000, 65_000, "more than 110 megapixels"),
        (40_000, 8, "a side of more than 32766 pixels"),
        (8, 40_000, "a side of more than 32766 pixels"),
    ):
        with pytest.raises(ImageError, match=reason):
            read_image(claims(kind, width, height))


@pytest.mark.parametrize("chunk", [b"zTXt", b"iCCP"])
def test_a_bomb_beside_the_pixels(chunk):
    """A PNG may hold texts and profiles, compressed a thousandfold."""
    png = encoded(PHOTO, "PNG")
    body = b"a\0\0" + zlib.compress(bytes(64 << 20), 9)
    crc = struct.pack(">I", zlib.crc32(chunk + body))
    data = png[:33] + struct.pack(">I", len(body)) + chunk + body + crc + png[33:]
    tracemalloc.start()
    with pytest.raises(ImageError, match="damaged image"):
        read_image(data)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_first_frame_of_an_animation():
    first, second = Image.new("RGB", (9, 9), "red"), Image.new("RGB", (9, 9), "blue")
    for kind in ("GIF", "WEBP", "PNG"):
        options = {"save_all": True, "append_images": [second]}
        pixels = read_image(encoded(first, kind, **options))
        assert pixels.shape == (9, 9, 3)
        assert abs(pixels.astype(int) - (255, 0, 0)).max() < 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_truncation_is_never_half_a_picture(kind):
    data = encoded(PHOTO, kind)
    for length in np.linspace(1, len(data) - 40, 25).astype(int):
        with pytest.raises(ImageError) as caught:
            read_image(data[:length])
        assert len(str(caught.value)) < 40


def test_progressive_truncation_is_seen():
    data = encoded(PHOTO, "JPEG", progressive=True)
    for part in (0.5, 0.8, 0.95):
        with pytest.raises(ImageError, match="truncated image"):
            read_image(data[: int(part * len(data))])


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "empty file"),
        (b"<html><body>404</body></html>", "an HTML page"),
        (b"\n <!DOCTYPE html><html>", "an HTML page"),
        (b"path,expression\n", "not an image of a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture: save it as JPEG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "damaged"),
        (png_header(30_000, 30_000), "more than 110 megapixels"),
        (png_header(12_000, 9_300), "more than 110 megapixels"),
        (png_header(40_000, 10), "a side of more than 32766"),
        (encoded(PHOTO.astype(np.float32)[..., 0], "TIFF"), "32-bit"),
    ],
)
def test_each_failure_has_its_reason(data, reason):
    with pytest.raises(ImageError, match=reason):
        read_image(data)


@pytest.mark.parametrize(
    "given, reason",
    [
        ("data:image/jpeg;base64," + "/9j/" * 250_000, "decode its base64"),
        ("/9j/" * 250_000, "cannot be opened: File name too long"),
        ("https://example.org/a.jpg", "fetch it first"),
    ],
)
def test_what_is_no_path_gives_a_short_line(given, reason):
    with pytest.raises(ImageError, match=reason) as caught:
        read_image(given)
    assert len(str(caught.value)) < 80


def test_files_that_are_none(tmp_path, monkeypatch):
    with pytest.raises(ImageError, match="no such file"):
        read_image(tmp_path / "absent.jpg")
    with pytest.raises(ImageError, match="not a file"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="cannot be opened"):
        read_image("a\0b.jpg")
    (tmp_path / "big.jpg").write_bytes(bytes(2000))
    monkeypatch.setattr(images, "MAX_BYTES", 1000)
    with pytest.raises(ImageError, match="64 MiB"):
        read_image(tmp_path / "big.jpg")


def test_flipped_bytes_give_a_picture_or_a_reason():
    rng = np.random.default_rng(0)
    data = encoded(PHOTO, "JPEG")
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(rng.choice([1, 5, 40])):
            damaged[rng.integers(len(data))] = rng.integers(256)
        try:
            pixels = read_image(bytes(damaged))
        except ImageError:
            continue
        assert pixels.dtype == np.uint8 and pixels.shape[2] == 3


@pytest.mark.parametrize(
    "kind, options, note",
    [
        ("GIF", {"save_all": True}, "first of 3 frames"),
        ("WEBP", {"save_all": True}, "first of 3 frames"),
        ("PNG", {"save_all": True}, "first of 3 frames"),
        ("TIFF", {"save_all": True}, "first of 3 pages"),
        ("MPO", {"save_all": True}, None),  # A phone's picture and its depth.
        ("JPEG", {}, None),
        ("PNG", {}, None),
        ("GIF", {}, None),
    ],
)
def test_of_how_many_frames_it_is_the_first_is_said(kind, options, note):
    first, *others = (Image.new("RGB", (9, 9), c) for c in ("red", "blue", "lime"))
    if options:
        options = {**options, "append_images": others}
    pixels, said = images.read_with_note(encoded(first, kind, **options))
    assert said == note
    assert abs(pixels.astype(int) - (255, 0, 0)).max() < 4


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read_and_turned_by_its_own_boxes():
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.rot90(PHOTO, 1)
    data = encoded(stored.copy(), "AVIF", quality=95, exif=exif)
    pixels = read_image(data)
    assert pixels.shape == PHOTO.shape
    assert abs(pixels.astype(int) - PHOTO).mean() < 4


def tiff(rows, bits, photometric):
    """A grey TIFF of one strip, by hand: Pillow does not write these."""
    height, width = rows.shape
    packed = np.packbits(
        np.unpackbits(rows.astype(">u2")[..., None].view(np.uint8), axis=-1)[
            ..., 16 - bits :
        ].reshape(height, -1),
        axis=-1,
    )
    if bits == 16:
        packed = rows.astype("<u2")
    entries = [
        (256, 3, width), (257, 3, height), (258, 3, bits), (259, 3, 1),
        (262, 3, photometric), (273, 4, 8), (278, 3, height), (279, 4, packed.nbytes),
    ]  # fmt: skip
    directory = b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in entries)
    at = 8 + packed.nbytes
    head = b"II*\0" + struct.pack("<I", at)
    return (
        head + packed.tobytes() + struct.pack("<H", len(entries)) + directory + bytes(4)
    )


@pytest.mark.parametrize("bits", [12, 16])
def test_a_tiff_is_as_bright_as_its_bits_say(bits):
    most = (1 << bits) - 1
    rows = np.array([[0, most // 2, most, most // 4]] * 2)
    wanted = [0, 127, 255, 63 if bits == 12 else 64]
    pixels = read_image(tiff(rows, bits, 1))
    assert abs(pixels[0, :, 0].astype(int) - wanted).max() <= 1
    if bits == 16:  # Where white is 0.
        pixels = read_image(tiff(rows, bits, 0))
        assert abs(pixels[0, :, 0].astype(int) - 255 + wanted).max() <= 1


def test_a_phones_108_megapixels_are_allowed():
    images._check_size(12_000, 9_000)
    images._check_size(12_032, 9_024)


def test_a_large_picture_is_held_twice_and_not_more():
    """Pillow's copy of 4 bytes a pixel, ours of 3, and strips."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("RGB", (6000, 4000), "red"), "JPEG", exif=exif)
    tracemalloc.start()  # Sees numpy's memory, not Pillow's.
    pixels = read_image(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pixels.shape == (6000, 4000, 3) and pixels.flags.c_contiguous
    assert peak < pixels.nbytes + (40 << 20)


def test_strips_meet_without_a_seam(monkeypatch):
    monkeypatch.setattr(images, "_STRIP", 80 * 7)
    for kind in ("PNG", "TIFF"):
        np.testing.assert_array_equal(read_image(encoded(PHOTO, kind)), PHOTO)
    exif = Image.Exif()
    exif[0x0112] = 7
    stored = np.ascontiguousarray(STORED[7](PHOTO))
    np.testing.assert_array_equal(read_image(encoded(stored, "PNG", exif=exif)), PHOTO)
