"""The whole chain as files: what finds faces, what cuts them out, what reads them.

Each network is written for ONNX Runtime or LiteRT, run there and compared before it is
kept: the expression network with Keras, MTCNN's with the TensorFlow functions of
`fer_tf.faces.networks`. `fer_tf.chain.Reader` reads the folder.
"""

import dataclasses
import importlib
import importlib.metadata
import importlib.util
import json
import os
import warnings
from collections.abc import Callable, Sequence

import cv2
import keras
import numpy as np

from fer_tf.arguments import require
from fer_tf.chain import description
from fer_tf.export import chain_page, check, formats, onnx, static_page
from fer_tf.faces import pyramid
from fer_tf.faces.cascade import Settings
from fer_tf.model_io.balance import BALANCE
from fer_tf.model_io.serving import in_batches, make_serving_model, names_inside
from fer_tf.utils import atomic
from fer_tf.utils.backend import require_tensorflow
from fer_tf.utils.hashing import sha256

# ONNX's operations of 2022, which every ONNX Runtime since has.
_OPSET = 17

# A logit of P-Net beyond this is certain; in gaps between levels it is a million.
_CERTAIN = 20

# Crops of the mosaic that P-Net is checked on.
_MOSAIC = 16


def export_chain(
    model: keras.Model,
    output: str,
    *,
    settings: Settings,
    crops: np.ndarray,
    source: str,
    name: str,
    described: dict,
    runtimes: Sequence[str] = ("onnx",),
    runtime_of_page: str | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> dict:
    """Writes a folder that reads photographs without TensorFlow.

    Args:
        model: From `fer_tf.load`.
        output: Folder to write; must not exist, and appears whole or not at all.
        settings: Of the search for faces.
        crops: uint8 `(n, size, size, channels)` that every file is checked on.
        source: What the crops are.
        name: Of the model's folder.
        described: What the model's card says: `temperature`, and `balance` if it has
            any.
        runtimes: What the networks are written for: `onnx`, `litert`.
        runtime_of_page: Tarball of `static_page.runtime`, to write a page too.
        report: Called with a line for each file that has passed.

    Returns:
        What `chain.json` says.

    Raises:
        ValueError: If a file cannot be written, or differs by more than its limit.
            Nothing is left.
        FileExistsError: If the folder exists and is not empty.
    """
    if "onnx" in runtimes:
        onnx.require_packages()
    if "litert" in runtimes and importlib.util.find_spec("ai_edge_litert") is None:
        raise ValueError("the format litert needs ai-edge-litert, the extra `litert`")
    unknown = set(runtimes) - set(description.ENDINGS)
    require(not unknown, "be of onnx, litert", runtimes=sorted(unknown))
    require_tensorflow("an export")
    require(hasattr(model, "card"), "come from fer_tf.load", model=model.name)
    card, names = model.card, names_inside(model)
    if runtime_of_page:
        static_page.require_readable(card.crop_spec, names)
    os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
    with atomic.new_folder(output) as folder:
        checks = {}
        for runtime in runtimes:
            checks |= _written(model, folder, runtime, crops, report)
        facts = {
            "schema_version": description.SCHEMA_VERSION,
            "model": name,
            "versions": {
                package: importlib.metadata.version(package)
                for package in ("fer-tf", "mtcnn", "keras", "tensorflow")
            },
            "detector": dataclasses.asdict(settings),
            "crop_spec": card.crop_spec.to_dict(),
            "names": {k: v for k, v in names.items() if k != "crop_spec"},
            "unsure_below": model.unsure_below,
            "runtimes": list(runtimes),
            "inside_the_network": {
                "views": card.views,
                "average": card.average,
                "temperature": (described.get("temperature") or {}).get("value"),
                BALANCE: described.get(BALANCE),
            },
            "checked_on": {"crops": len(crops), "source": source},
            "checks": checks,
            "files": {
                file: {
                    "bytes": os.path.getsize(os.path.join(folder, file)),
                    "sha256": sha256(os.path.join(folder, file)),
                }
                for file in checks
            },
        }
        with open(
            os.path.join(folder, description.FILE), "w", encoding="utf-8"
        ) as file:
            json.dump(facts, file, indent=1, ensure_ascii=False)
            file.write("\n")
        if runtime_of_page:
            static_page.write(folder, runtime_of_page)
        texts = {
            "README.md": chain_page.render(facts, os.path.basename(output)),
            "requirements.txt": "\n".join([*chain_page.requirements(runtimes), ""]),
        }
        for file_name, text in texts.items():
            path = os.path.join(folder, file_name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    return facts


def _written(model, folder, runtime, crops, report):
    """Writes the networks for one runtime; how they differ, by file."""
    checks, ending = {}, description.ENDINGS[runtime]
    for name, (function, signature, inputs) in _detection(crops).items():
        file = name + ending
        path = os.path.join(folder, file)
        _WRITE[runtime](function, signature, path)
        checks[file] = _compared(runtime, path, function, inputs)
        check.require(checks[file], check.ROUNDING, file, reference="TensorFlow")
        report(_passed(file, checks[file], "TensorFlow"))
    write, run, _ = formats.FORMATS[_FORMAT[runtime]]
    write(model, folder, crops)
    serving, file = make_serving_model(model), description.MODEL + ending
    expected = in_batches(lambda batch: serving(batch, training=False), crops)
    checks[file] = check.compare(run(folder, crops, model.card), expected)
    check.require(checks[file], check.ROUNDING, file)
    report(_passed(file, checks[file], "Keras"))
    return checks


def _passed(file, comparison, reference):
    largest = max(comparison["largest_difference"].values())
    return f"{file}: differs from {reference} by at most {largest:.2g}"


def _detection(crops) -> dict:
    """MTCNN's networks by file: function, signature, and inputs to check it on."""
    from fer_tf.faces import networks

    colored = np.stack([_rgb(crop) for crop in crops])
    single, several = _sheets(colored)
    patches = lambda size: np.stack(
        [cv2.resize(c, (size, size)).astype(np.float32) for c in colored]
    )
    return {
        description.PROPOSAL: (
            networks.proposal_map(3), networks.sheets_of(3), single,
        ),
        description.PROPOSAL_SHEET: (
            networks.proposal_map(4), networks.sheets_of(4), several,
        ),
        description.REFINEMENT: (
            networks.refinement_network(), networks.patches_of(24), patches(24),
        ),
        description.OUTPUT: (
            networks.output_network(), networks.patches_of(48), patches(48),
        ),
    }  # fmt: skip


def _rgb(crop):
    return np.ascontiguousarray(np.broadcast_to(crop, (*crop.shape[:2], 3)))


def _sheets(colored):
    """P-Net's two kinds of sheets, of a mosaic of crops."""
    rows = [np.hstack(colored[i : i + 4]) for i in range(0, _MOSAIC, 4)]
    mosaic = np.vstack([row for row in rows if row.shape == rows[0].shape])
    drawn, settings = [], Settings()
    for sheet in pyramid.sheets(
        *mosaic.shape[:2], settings.min_face_size, settings.scale_factor
    ):
        out = np.empty((sheet.height, sheet.width, sheet.channels), np.float32)
        pyramid.draw(mosaic, sheet, out)
        drawn.append(out[None])
    return drawn


def _write_onnx(function, signature, path):
    """Writes a TensorFlow function of one tensor as ONNX."""
    import tensorflow as tf
    import tf2onnx

    traced = tf.function(lambda values: function(values), input_signature=[signature])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tf2onnx.convert.from_function(
            traced, input_signature=[signature], opset=_OPSET, output_path=path
        )


def _write_litert(function, signature, path):
    """Writes a TensorFlow function of one tensor for LiteRT."""
    import tensorflow as tf

    traced = tf.function(lambda values: function(values), input_signature=[signature])
    concrete = traced.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], traced)
    with open(path, "wb") as file:
        file.write(converter.convert())


_WRITE = {"onnx": _write_onnx, "litert": _write_litert}
# Runtime -> the format of `fer_tf.export.formats` that the expression network has.
_FORMAT = {"onnx": "onnx", "litert": "litert_float32"}


def _compared(runtime, path, function, inputs):
    """A written network against its function."""
    import tensorflow as tf

    module = importlib.import_module(f"fer_tf.chain.{runtime}_network")
    outputs = module.Network(path)(inputs)
    expected = tf.nest.flatten(function(tf.constant(inputs)))
    named = lambda arrays: {
        f"output {number}": np.clip(array, -_CERTAIN, _CERTAIN)
        for number, array in enumerate(arrays)
    }
    return check.compare(named(outputs), named(expected))
