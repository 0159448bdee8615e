"""ONNX files: any number of crops a call, names and crop spec in the metadata."""

import importlib.util
import json
import os
import warnings

import keras
import numpy as np

from fer_tf.model_io.serving import (
    crops_signature,
    in_batches,
    make_serving_model,
    names_inside,
)

FILE = "model.onnx"
_PACKAGES = ("tf2onnx", "onnx", "onnxruntime")


def require_packages() -> None:
    """Raises a ValueError if a package that ONNX takes is not installed."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f"the format onnx needs {', '.join(missing)}, the extra `export`: "
            "pip install -e '.[export]'"
        )


def write(model: keras.Model, folder: str, calibration=None) -> None:
    """Writes `model.onnx`: uint8 `crops` in, named float32 outputs out."""
    import onnx

    path = os.path.join(folder, FILE)
    serving = make_serving_model(model)
    with warnings.catch_warnings():
        # Keras looks for a name that NumPy 2 has dropped.
        warnings.simplefilter("ignore", FutureWarning)
        serving.export(
            path,
            format="onnx",
            verbose=False,
            input_signature=crops_signature(serving, batch=None),
        )
    written = onnx.load(path)
    for value in (*written.graph.input, *written.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    for key, value in names_inside(model).items():
        written.metadata_props.add(key=key, value=json.dumps(value))
    onnx.checker.check_model(written)
    onnx.save(written, path)


def run(folder: str, crops: np.ndarray, card=None) -> dict[str, np.ndarray]:
    """What `model.onnx` says of uint8 crops."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        os.path.join(folder, FILE), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return in_batches(
        lambda batch: dict(zip(names, session.run(names, {"crops": batch}))), crops
    )
