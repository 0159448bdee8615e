"""A trained model -> files that run without this package, each of them checked.

When a file is written it is run by its own runtime on real crops and compared with
Keras; the differences go into the model's card, and nothing is kept of an export
of which one file differs by more than its limit. Finding and aligning faces is the
predictor's work, and so is the EXIF orientation: the signature that decodes bytes
does not turn pictures.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np

from fer_tf.arguments import require
from fer_tf.export import check, litert, model_card, onnx, saved_model
from fer_tf.model_io import model_folder, safe_weights
from fer_tf.model_io.card import read_card
from fer_tf.model_io.serving import in_batches, make_serving_model, names_inside
from fer_tf.utils.backend import require_tensorflow
from fer_tf.utils.disk import name_file
from fer_tf.utils.hashing import sha256

# So many crops of a check are encoded too, as PNG and JPEG.
_ENCODED = 16


def export_model(
    model: keras.Model,
    output: str,
    *,
    crops: np.ndarray,
    formats: Sequence[str] = ("saved_model",),
    labels: np.ndarray | None = None,
    calibration: np.ndarray | None = None,
    source: str = "crops",
    calibrated_on: str | None = None,
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
        calibrated_on: What those of `calibration` are; None for `source`.
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
            "calibrated_on": calibrated_on or source,
            "formats": checks,
            "files": _files(part),
        }
        half = "float16" in formats
        model_folder.save(part, model, model.card, extra=facts, half=half)
        described = read_card(part)
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
    require(not unknown, f"be of {', '.join(FORMATS)}", formats=sorted(unknown))
    require(
        hasattr(model, "card"),
        "come from fer_tf.load, which knows its crop spec and labels",
        model=model.name,
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
        onnx.require_packages()


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
        comparison = check.compare(outputs, expected, labels)
        check.require(comparison, limit, name)
        checks[name] = comparison
        if name == "saved_model":
            comparison["encoded"] = _check_encoded(model, folder, crops)
        largest = max(comparison["largest_difference"].values())
        report(f"{name}: differs from Keras by at most {largest:.2g}")
    return checks


def _check_encoded(model, folder, crops):
    """Compares `serve_bytes` with Keras on the pixels that `read_image` finds."""
    checked_crops, spec = crops[:_ENCODED], model.card.crop_spec
    encoded, read = zip(*saved_model.encoded_pairs(checked_crops, spec))
    outputs = saved_model.run_encoded(folder, list(encoded))
    comparison = check.compare(outputs, _keras_outputs(model, np.stack(read)))
    check.require(comparison, check.ROUNDING, "saved_model, serve_bytes")
    return comparison


def _files(folder):
    """Size and sha256 of every other program's file, by its path within the folder."""
    paths = [
        os.path.join(at, name)
        for at, _, names in os.walk(folder)
        for name in names
        if name != model_folder.WEIGHTS
    ]
    return {
        os.path.relpath(path, folder).replace(os.sep, "/"): {
            "bytes": os.path.getsize(path),
            "sha256": sha256(path),
        }
        for path in sorted(paths)
    }


def _write_keras(model, folder, calibration=None):
    model.save(os.path.join(folder, model_folder.WHOLE))


def _run_keras(folder, crops, card):
    loaded = safe_weights.read_whole(os.path.join(folder, model_folder.WHOLE))
    loaded.card = card
    return _keras_outputs(loaded, crops)


def _write_half(model, folder, calibration=None):
    safe_weights.write_halved(os.path.join(folder, model_folder.WEIGHTS), model)


def _run_half(folder, crops, card):
    path = os.path.join(folder, model_folder.WEIGHTS)
    loaded = safe_weights.read_weights(path, lambda: model_folder.build(card, folder))
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
    limit: check.Limit


# In the order of writing: TensorFlow wants the folder first.
FORMATS = {
    "saved_model": _Format(saved_model.write, saved_model.run, check.ROUNDING),
    "litert_float32": _Format(litert.write_float32, litert.run_float32, check.ROUNDING),
    "litert_int8": _Format(litert.write_int8, litert.run_int8, check.QUANTIZATION),
    "onnx": _Format(onnx.write, onnx.run, check.ROUNDING),
    "keras": _Format(_write_keras, _run_keras, check.ROUNDING),
    # No further file: the folder's own weights take half the bytes.
    "float16": _Format(_write_half, _run_half, check.HALVING),
}
"""Every format by name."""
