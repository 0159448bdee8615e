import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from fer_tf.export import formats, saved_model
from fer_tf.faces.alignment import to_color
from fer_tf.faces.images import read_image
from tests.fer_tf.export.small_models import by_hand, colours, encoded, random_crops

ENCODINGS = {
    f"{mode} {kind} {options}": (mode, kind, options)
    for mode in ("L", "RGB")
    for kind, options in (
        ("JPEG", {"quality": 90, "subsampling": 0}),
        ("JPEG", {"quality": 75, "subsampling": 2}),
        ("JPEG", {"quality": 60, "subsampling": 1, "progressive": True}),
        ("JPEG", {"quality": 95, "optimize": True}),
        ("PNG", {}),
    )
}
ENCODINGS |= {f"{mode} PNG": (mode, "PNG", {}) for mode in ("1", "P", "RGBA")}


@pytest.mark.slow
@pytest.mark.parametrize("way", ENCODINGS)
def test_bytes_are_read_as_read_image_reads_them(exported, signatures, way):
    """Not close: the same pixels, whatever the picture is encoded as."""
    mode, kind, options = ENCODINGS[way]
    pictures = [Image.fromarray(colours(48, seed)).convert(mode) for seed in range(6)]
    given = [encoded(picture, kind, **options) for picture in pictures]
    crops = np.stack([to_color(read_image(one), "grey") for one in given])
    expected = signatures["serving_default"](crops=tf.constant(crops))["probabilities"]
    found = signatures["serve_bytes"](encoded=tf.constant(given))["probabilities"]
    assert np.ptp(expected, axis=0).max() > 1e-4, "must depend on the picture"
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found, by_hand(exported[0], crops), atol=1e-5)


@pytest.mark.slow
def test_every_colour_becomes_the_grey_of_opencv():
    """All 16.7 million, by the numbers that the graph holds."""
    every = np.arange(256, dtype=np.uint8)
    for red in (*range(0, 256, 17), 1, 254):
        rows = np.stack(np.meshgrid([red], every, every, indexing="ij"), -1)[0]
        rows = rows.astype(np.uint8)
        parts = (rows.astype(int) * saved_model._GREY).sum(-1)
        grey = (parts + (1 << (saved_model._GREY_BITS - 1))) >> (saved_model._GREY_BITS)
        np.testing.assert_array_equal(grey, to_color(rows, "grey")[..., 0])


@pytest.mark.slow
def test_bytes_that_would_be_read_otherwise_are_refused(signatures):
    serve = signatures["serve_bytes"]
    grey, colour = random_crops(1)[0, ..., 0], Image.fromarray(colours(48))
    clear = colour.convert("RGBA")
    clear.putalpha(Image.fromarray(grey))
    key = int(grey[0, 0])
    refused = {
        "a PNG must have 8 bits a channel at most": [encoded(grey.astype("u2") * 257)],
        "a PNG must not be transparent": [
            encoded(clear), encoded(clear.convert("LA")),
            encoded(Image.fromarray(grey), transparency=key),
            encoded(clear.quantize(64)),
        ],
        "a JPEG must not be CMYK": [encoded(colour.convert("CMYK"), "JPEG")],
    }  # fmt: skip
    for message, pictures in refused.items():
        for picture in pictures:
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                serve(encoded=tf.constant([picture]))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 48, 48, 3), (1, 24, 96, 1), (4, 24, 24, 1)])
def test_crops_of_another_shape_are_refused(signatures, shape):
    """Three channels would be three faces to a graph that reshapes them."""
    serve = signatures["serving_default"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        serve(crops=tf.zeros(shape, tf.uint8))
    assert serve.structured_input_signature[1]["crops"].shape == (None, 48, 48, 1)


@pytest.mark.slow
def test_the_fast_way_of_decoding_would_not_be_kept(exported, tmp_path, monkeypatch):
    """The export's own check sees a JPEG that is decoded in another way."""
    model, _ = exported
    exact = tf.io.decode_jpeg
    monkeypatch.setattr(tf.io, "decode_jpeg", lambda x, **_: exact(x, channels=3))
    with pytest.raises(ValueError, match="saved_model, serve_bytes: prob.* differs"):
        formats.export_model(model, str(tmp_path / "out"), crops=random_crops(8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bytes_of_another_size_and_colour_are_brought_to_the_crops(signatures):
    serve = signatures["serve_bytes"]
    crop = np.full((48, 48), 90, np.uint8)
    colour = np.full((100, 100, 3), 90, np.uint8)
    same = [encoded(crop), encoded(colour), encoded(crop, "JPEG")]
    found = serve(encoded=tf.constant(same))["probabilities"].numpy()
    np.testing.assert_allclose(found[1:], found[[0, 0]], atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("side", [30, 100, 221])
def test_bytes_of_another_size_are_resized_as_pillow_does(signatures, side):
    serve = signatures["serve_bytes"]
    y, x = np.mgrid[:side, :side] / side
    image = (127 + 60 * np.sin(5 * x) + 60 * np.cos(7 * y)).astype(np.uint8)
    small = Image.fromarray(image).resize((48, 48), Image.Resampling.BILINEAR)
    given = tf.constant([encoded(image), encoded(np.asarray(small))])
    found = serve(encoded=given)["probabilities"].numpy()
    np.testing.assert_allclose(found[0], found[1], atol=2e-3)


@pytest.mark.slow
def test_the_signature_of_bytes_caps_what_it_takes(signatures):
    serve = signatures["serve_bytes"]
    good = encoded(np.zeros((48, 48), np.uint8))
    bomb = bytearray(encoded(np.zeros((8, 8), np.uint8)))
    bomb[16:24] = (30_000).to_bytes(4, "big") * 2
    hostile = {
        "at most 256 a call": [good] * 257,
        "at most 4194304 bytes": [good + bytes(saved_model.MAX_BYTES)],
        "at most 4194304 pixels": [bytes(bomb)],
        "must be JPEG or PNG": [encoded(np.zeros((8, 8), np.uint8), "GIF")],
        "(?i)png": [good[:40]],
    }
    for message, value in hostile.items():
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            serve(encoded=tf.constant(value))
    assert serve(encoded=tf.constant([good]))["probabilities"].shape == (1, 7)
