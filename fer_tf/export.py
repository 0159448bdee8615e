"""A trained model -> files that run without this package, each of them checked.

When a file is written it is run by its own runtime on real crops and compared with
Keras; the differences go into the model's card, and nothing is kept of an export
of which one file differs by more than its limit. Finding and aligning faces is the
predictor's work, and so is the EXIF orientation: the signature that decodes bytes
does not turn pictures.
"""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from fer_tf import (
    export_litert,
    export_onnx,
    export_proof,
    loading,
    model_card,
    weights_file,
)
from fer_tf.backend import require_tensorflow
from fer_tf.disk import name_file
from fer_tf.hashing import sha256
from fer_tf.serving import in_batches, make_serving_model, names_inside

# What one call of `serve_bytes` may carry.
MAX_BATCH, MAX_BYTES, MAX_PIXELS = 256, 4 << 20, 1 << 22

NOTES = (
    "crops: faces aligned as crop_spec says, uint8. encoded: JPEG or PNG of such "
    f"crops, at most {MAX_BATCH} a call, each of at most {MAX_BYTES} bytes and "
    f"{MAX_PIXELS} pixels; brought to size and colour, but not turned: the EXIF "
    "orientation of a photograph must have been applied before."
)

# So many crops of a check go through `serve_bytes`, one a call.
_ONE_BY_ONE = 16


def export_model(
    model: keras.Model,
    output: str,
    *,
    crops: np.ndarray,
    formats: Sequence[str] = ("saved_model",),
    labels: np.ndarray | None = None,
    calibration: np.ndarray | None = None,
    source: str = "crops",
    extra: dict | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> dict:
    """Writes a model folder with files for other programs, and its card.

    Args:
        model: From `fer_tf.load`, so that its crop spec and labels are known.
        output: Folder to write; must not exist, and appears whole or not at all.
        crops: uint8 `(n, size, size, channels)` that every file is checked on.
        formats: Names in `FORMATS`.
        labels: True expressions `(n,)` of the crops, where they are known: then
            each format's accuracy is measured too.
        calibration: Crops that decide the ranges of `litert_int8`; by default
            those of the check.
        source: What the crops are, for the card.
        extra: More facts for `model.json`, such as measured metrics.
        report: Called with a line for each file that has passed.

    Returns:
        What `model.json` says.

    Raises:
        ValueError: If the folder exists, a format is unknown, a file cannot be
            written or differs from Keras by more than its limit. Nothing is left.
    """
    _require(model, output, formats, crops=crops, calibration=calibration)
    require_tensorflow("an export")
    folder, name = os.path.split(os.path.abspath(output))
    os.makedirs(folder, exist_ok=True)
    part = os.path.join(folder, f".part-{name}")
    shutil.rmtree(part, ignore_errors=True)
    try:
        os.makedirs(part)
        checks = _write_checked(
            model, part, formats, crops, labels, calibration, report
        )
        facts = {
            "parameters": model.count_params(),
            **(extra or {}),
            "names": names_inside(model),
            "checked_on": {"crops": len(crops), "source": source},
            "formats": checks,
            "files": _files(part),
        }
        loading.save(part, model, model.card, extra=facts)
        described = loading.read_card(part)
        with open(os.path.join(part, "README.md"), "w", encoding="utf-8") as file:
            file.write(model_card.render(name, described))
        os.replace(part, output)
    except OSError as error:
        if error.filename is None or str(error.filename).startswith(part):
            name_file(error, output)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return described


def _require(model, output, formats, **crops):
    """What can be refused before anything is written."""
    unknown = set(formats) - set(FORMATS)
    if unknown:
        raise ValueError(
            f"`formats` must be of {', '.join(FORMATS)}. Received: {sorted(unknown)}."
        )
    if not hasattr(model, "card"):
        raise ValueError(
            "`model` must come from fer_tf.load, which knows its crop spec and labels. "
            f"Received: {model.name!r}."
        )
    spec = model.card.crop_spec
    shape = (spec.size, spec.size, spec.channels)
    for name, value in crops.items():
        if value is not None and not (
            len(value) and value.dtype == np.uint8 and value.shape[1:] == shape
        ):
            raise ValueError(
                f"`{name}` must be uint8 (n, {', '.join(map(str, shape))}). "
                f"Received: {value.dtype} {value.shape}."
            )
    if os.path.lexists(output):
        raise ValueError(f"{output}: exists already; choose another --output")
    if "onnx" in formats:
        export_onnx.require_packages()


def _write_checked(model, folder, formats, crops, labels, calibration, report):
    """Writes each format and compares it with Keras; the comparisons by format."""
    expected, checks = _keras_outputs(model, crops), {}
    for name, (write, run, limit) in FORMATS.items():
        if name not in formats:
            continue
        write(model, folder, crops if calibration is None else calibration)
        try:
            outputs = run(folder, crops, model.card)
        except RuntimeError as error:
            line = str(error).splitlines()[0]
            raise ValueError(f"{name}: its runtime refuses it ({line})") from error
        found = export_proof.compare(outputs, expected, labels)
        export_proof.require(found, limit, name)
        checks[name] = found
        largest = max(found["largest_difference"].values())
        report(f"{name}: differs from Keras by at most {largest:.2g}")
    return checks


def _files(folder):
    """Size and sha256 of every file so far, by its path within the folder."""
    paths = [
        os.path.join(at, name) for at, _, names in os.walk(folder) for name in names
    ]
    return {
        os.path.relpath(path, folder).replace(os.sep, "/"): {
            "bytes": os.path.getsize(path),
            "sha256": sha256(path),
        }
        for path in sorted(paths)
    }


def _write_saved_model(model, folder, calibration=None):
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
        return serving(crops, training=False)

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
    sides = tf.cond(
        is_png,
        # Width and height, four bytes each, follow the name of the first chunk.
        lambda: tf.io.decode_raw(
            tf.strings.substr(encoded, 16, 8), tf.int32, little_endian=False
        ),
        lambda: tf.io.extract_jpeg_shape(encoded)[:2],
    )
    pixels = tf.reduce_prod(tf.cast(sides, tf.int64))
    small = tf.reduce_all(sides > 0) & (pixels <= MAX_PIXELS)
    encoded = _after(encoded, (small, f"at most {MAX_PIXELS} pixels"))
    image = tf.io.decode_image(encoded, channels=spec.channels, expand_animations=False)
    image = tf.image.resize(image, (spec.size, spec.size), antialias=True)
    image = tf.cast(tf.clip_by_value(tf.round(image), 0, 255), tf.uint8)
    return tf.ensure_shape(image, (spec.size, spec.size, spec.channels))


def _after(encoded, *conditions):
    """`encoded`, but not before the conditions hold: a graph has no other order."""
    checks = [
        tf.debugging.Assert(condition, [f"`encoded`: {message}"])
        for condition, message in conditions
    ]
    with tf.control_dependencies(checks):
        return tf.identity(encoded)


def _run_saved_model(folder, crops, card=None):
    """Some crops as encoded bytes, one a call, the others in batches."""
    signatures = tf.saved_model.load(folder).signatures
    encoded = [tf.io.encode_png(crop)[None] for crop in crops[:_ONE_BY_ONE]]
    parts = [signatures["serve_bytes"](encoded=one) for one in encoded]
    rest = crops[_ONE_BY_ONE:]
    if len(rest):
        serve = signatures["serving_default"]
        parts.append(in_batches(lambda some: serve(crops=tf.constant(some)), rest))
    return {k: np.concatenate([np.asarray(p[k]) for p in parts]) for k in parts[0]}


def _write_keras(model, folder, calibration=None):
    model.save(os.path.join(folder, loading.WHOLE))


def _run_keras(folder, crops, card):
    loaded = weights_file.read_whole(os.path.join(folder, loading.WHOLE))
    loaded.card = card
    return _keras_outputs(loaded, crops)


def _keras_outputs(model, crops):
    serving = make_serving_model(model)
    return in_batches(lambda batch: serving(batch, training=False), crops)


class _Format(NamedTuple):
    """How a format is written and run, and how much it may differ from Keras.

    Attributes:
        write: `(model, folder, calibration)`.
        run: `(folder, crops, card)` -> outputs by name, by the format's own runtime.
        limit: Of the differences.
    """

    write: Callable
    run: Callable
    limit: export_proof.Limit


# In the order of writing: TensorFlow wants the folder first.
FORMATS = {
    "saved_model": _Format(_write_saved_model, _run_saved_model, export_proof.ROUNDING),
    "litert_float32": _Format(
        export_litert.write_float32, export_litert.run_float32, export_proof.ROUNDING
    ),
    "litert_int8": _Format(
        export_litert.write_int8, export_litert.run_int8, export_proof.QUANTIZATION
    ),
    "onnx": _Format(export_onnx.write, export_onnx.run, export_proof.ROUNDING),
    "keras": _Format(_write_keras, _run_keras, export_proof.ROUNDING),
}
"""Every format by name."""
