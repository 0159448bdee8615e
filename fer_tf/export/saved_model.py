"""The SavedModel of an export: what it takes, and how it reads encoded pictures.

Encoded pictures give the pixels that `fer_tf.faces.images.read_image` gives: the
exact JPEG arithmetic, not TensorFlow's fast one, and grey made of colour as
`fer_tf.faces.alignment.to_color` makes it. What would differ is refused.
"""

import io
import json

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from fer_tf.faces.alignment import to_color
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.faces.images import read_image
from fer_tf.model_io.serving import in_batches, make_serving_model, names_inside

# What one call of `serve_bytes` may carry.
MAX_BATCH, MAX_BYTES, MAX_PIXELS = 256, 4 << 20, 1 << 22

NOTES = (
    "crops: faces aligned as crop_spec says, uint8. encoded: JPEG or PNG of such "
    f"crops, at most {MAX_BATCH} a call, each of at most {MAX_BYTES} bytes and "
    f"{MAX_PIXELS} pixels, 8 bits a channel, neither CMYK nor transparent; brought to "
    "size and colour, but not turned: the EXIF orientation of a photograph must have "
    "been applied before."
)

# OpenCV's parts of red, green and blue in grey, of 2^15.
_GREY, _GREY_BITS = (9798, 19235, 3735), 15

# How the crops of a check are encoded, in turn: Pillow's format and its options.
_ENCODINGS = (
    ("PNG", {}),
    ("JPEG", {"quality": 90, "subsampling": 0}),
    ("JPEG", {"quality": 75, "subsampling": 2}),
    ("JPEG", {"quality": 90, "subsampling": 2, "progressive": True}),
)


def write(model: keras.Model, folder: str, calibration=None) -> None:
    """Writes a SavedModel into the folder itself.

    Its signatures:
        - `serving_default`: `crops` uint8 `(batch, size, size, channels)`.
        - `serve_bytes`: `encoded` strings `(batch,)`, each a JPEG or PNG of one
          crop; brought to size and colour. The EXIF orientation is not applied.
        - `describe`: no input; `expressions`, `action_units` (empty where the model
          predicts none), `crop_spec` (JSON) and `notes`.
    """
    spec, names = model.card.crop_spec, names_inside(model)
    serving = make_serving_model(model)

    shape = (None, spec.size, spec.size, spec.channels)

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.uint8, "crops")])
    def serve(crops):
        # A signature does not hold callers to its shape, and reshaped inside, three
        # channels would be three faces. No optimizer sees through the placeholder.
        crops = tf.compat.v1.placeholder_with_default(crops, [None] * 4)
        return serving(tf.ensure_shape(crops, shape), training=False)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "encoded")])
    def serve_bytes(encoded):
        few = tf.size(encoded) <= MAX_BATCH
        encoded = _after(encoded, (few, f"at most {MAX_BATCH} a call"))
        decode = lambda one: _decode(one, spec)
        return serve(tf.map_fn(decode, encoded, fn_output_signature=tf.uint8))

    @tf.function(input_signature=[])
    def describe():
        return {
            "expressions": tf.constant(names.get("expressions", []), tf.string),
            "action_units": tf.constant(names.get("action_units", []), tf.string),
            "crop_spec": tf.constant(json.dumps(names["crop_spec"])),
            "notes": tf.constant(NOTES),
        }

    # Not Keras' ExportArchive, which stores every weight twice.
    module = tf.Module()
    module.weights = [variable.value for variable in serving.variables]
    tf.saved_model.save(
        module,
        folder,
        signatures={
            "serving_default": serve,
            "serve_bytes": serve_bytes,
            "describe": describe,
        },
    )


def _decode(encoded, spec):
    """A JPEG or PNG as a crop; its size is read and capped before its pixels."""
    is_png = tf.equal(tf.strings.substr(encoded, 0, 8), b"\x89PNG\r\n\x1a\n")
    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, 3), b"\xff\xd8\xff")
    encoded = _after(
        encoded,
        (tf.strings.length(encoded) <= MAX_BYTES, f"at most {MAX_BYTES} bytes"),
        (is_png | is_jpeg, "must be JPEG or PNG"),
    )
    image = tf.cond(is_png, lambda: _png(encoded), lambda: _jpeg(encoded))
    if spec.channels == 1:
        parts = tf.reduce_sum(tf.cast(image, tf.int32) * _GREY, -1, keepdims=True)
        half = 1 << (_GREY_BITS - 1)
        image = tf.cast(tf.bitwise.right_shift(parts + half, _GREY_BITS), tf.uint8)
    elif spec.channel_order == "bgr":
        image = image[..., ::-1]
    image = tf.image.resize(image, (spec.size, spec.size), antialias=True)
    image = tf.cast(tf.clip_by_value(tf.round(image), 0, 255), tf.uint8)
    return tf.ensure_shape(image, (spec.size, spec.size, spec.channels))


def _png(encoded):
    """Pixels of a PNG, RGB."""
    # Width and height, four bytes each, follow the name of the first chunk, then the
    # bits of a channel.
    header = tf.strings.substr(encoded, 16, 9)
    sides = tf.io.decode_raw(
        tf.strings.substr(header, 0, 8), tf.int32, little_endian=False
    )
    bits = tf.io.decode_raw(tf.strings.substr(header, 8, 1), tf.uint8)[0]
    encoded = _after(
        encoded, _few(sides), (bits <= 8, "a PNG must have 8 bits a channel at most")
    )
    image = tf.io.decode_png(encoded, channels=4)
    # Where a PNG of few bits has no transparency, TensorFlow fills in their largest.
    opaque = tf.cast(tf.bitwise.left_shift(1, tf.cast(bits, tf.int32)) - 1, tf.uint8)
    alpha = image[..., 3]
    visible = tf.reduce_all((alpha == 255) | (alpha == opaque))
    return _after(image[..., :3], (visible, "a PNG must not be transparent"))


def _jpeg(encoded):
    """Pixels of a JPEG, RGB."""
    shape = tf.io.extract_jpeg_shape(encoded)
    encoded = _after(
        encoded, _few(shape[:2]), (shape[2] != 4, "a JPEG must not be CMYK")
    )
    return tf.io.decode_jpeg(
        encoded, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=True
    )


def _few(sides):
    """The condition that a picture has pixels, and not too many."""
    pixels = tf.reduce_prod(tf.cast(sides, tf.int64))
    small = tf.reduce_all(sides > 0) & (pixels <= MAX_PIXELS)
    return small, f"at most {MAX_PIXELS} pixels"


def _after(value, *conditions):
    """`value`, but not before the conditions hold: a graph has no other order."""
    checks = [
        tf.debugging.Assert(condition, [f"`encoded`: {message}"])
        for condition, message in conditions
    ]
    with tf.control_dependencies(checks):
        return tf.identity(value)


def run(folder: str, crops: np.ndarray, card=None) -> dict[str, np.ndarray]:
    """What the SavedModel says of uint8 crops."""
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    return in_batches(lambda batch: serve(crops=tf.constant(batch)), crops)


def encoded_pairs(crops: np.ndarray, spec: CropSpec) -> list[tuple[bytes, np.ndarray]]:
    """Crops as PNG and JPEG, grey and colour, each with the crop to be read of it.

    Args:
        crops: uint8 `(n, size, size, channels)`.
        spec: Their recipe.
    """
    turned = -1 if spec.channels == 3 and spec.channel_order == "bgr" else 1
    pairs = []
    for number, pixels in enumerate(crops):
        kind, options = _ENCODINGS[number % len(_ENCODINGS)]
        tinted = np.concatenate([pixels] * 3, -1)[..., :3]
        tinted[..., 0] //= 2  # No crop of a grey model has colours of its own.
        for picture in (np.squeeze(pixels), tinted):
            file = io.BytesIO()
            Image.fromarray(picture).save(file, kind, **options)
            encoded = file.getvalue()
            crop = to_color(read_image(encoded), spec.color)[..., ::turned]
            pairs.append((encoded, crop))
    return pairs


def run_encoded(folder: str, encoded: list[bytes]) -> dict[str, np.ndarray]:
    """The SavedModel's outputs for encoded crops, one per call."""
    serve = tf.saved_model.load(folder).signatures["serve_bytes"]
    parts = [serve(encoded=tf.constant([crop])) for crop in encoded]
    return {k: np.concatenate([np.asarray(p[k]) for p in parts]) for k in parts[0]}
