import io
import os
import signal
import time

import numpy as np
import pytest
from PIL import Image

from fer_tf.faces.images import ImageError, read_image
from trainers.web_page import decode


def test_it_reads_what_read_image_reads(tmp_path):
    rng = np.random.default_rng(0)
    grey16 = Image.fromarray(rng.integers(0, 65536, (40, 30), dtype=np.uint16))
    pixels = Image.fromarray(rng.integers(0, 256, (40, 30, 4), dtype=np.uint8))
    pictures = {
        "grey16.png": grey16, "alpha.png": pixels, "grey.jpg": pixels.convert("L"),
        "cmyk.jpg": pixels.convert("CMYK"), "a.gif": pixels, "a.webp": pixels,
        "a.tiff": pixels, "a.bmp": pixels.convert("RGB"), "p.png": pixels.convert("P"),
        "line.png": pixels.resize((1, 30_000)),
    }  # fmt: skip
    for name, picture in pictures.items():
        path = str(tmp_path / name)
        picture.save(path)
        image = decode.read_apart(path)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, read_image(path), err_msg=name)


def test_a_refusal_is_the_readers_own(tmp_path):
    path = str(tmp_path / "page.jpg")
    for data in (b"<html>", b"", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"):
        with open(path, "wb") as file:
            file.write(data)
        with pytest.raises(ImageError) as here:
            read_image(path)
        with pytest.raises(ImageError) as apart:
            decode.read_apart(path)
        assert str(apart.value) == str(here.value)


def _hang(sender, path):
    time.sleep(60)


def _crash(sender, path):
    os.kill(os.getpid(), signal.SIGSEGV)


def test_one_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(decode, "_answer", _hang)
    began = time.monotonic()
    with pytest.raises(ImageError, match="takes more than 0.5 s to decode"):
        decode.read_apart("x", patience=0.5)
    assert time.monotonic() - began < 20


def test_one_that_breaks_the_decoder_breaks_nothing_else(monkeypatch):
    monkeypatch.setattr(decode, "_answer", _crash)
    with pytest.raises(ImageError, match="breaks the decoder"):
        decode.read_apart("x")


def test_a_small_file_of_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    """169 megapixels: below the count at which Pillow itself refuses."""
    buffer = io.BytesIO()
    Image.new("1", (13_000, 13_000)).save(buffer, "PNG")
    assert buffer.tell() < 300_000
    (tmp_path / "many.png").write_bytes(buffer.getvalue())
    with pytest.raises(ImageError, match="megapixels"):
        decode.read_apart(str(tmp_path / "many.png"))
