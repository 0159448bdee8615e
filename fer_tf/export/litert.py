"""LiteRT (TFLite) files, in float32 and in whole numbers.

Both take one crop a call, a batch of fixed size 1: accelerators on phones want
shapes that do not change. Names and crop spec are attached as `names.json`, the way
TFLite's metadata attaches files: `unzip -p model.tflite names.json` shows it.
"""

import json
import os
import warnings
import zipfile

import keras
import numpy as np

from fer_tf.model_io.serving import crops_signature, make_serving_model, names_inside

FLOAT32 = "model.tflite"
INT8 = "model_int8.tflite"


def write_float32(model: keras.Model, folder: str, calibration=None) -> None:
    """Writes `model.tflite`: uint8 crops in, float32 out."""
    import tensorflow as tf

    path = os.path.join(folder, FLOAT32)
    _convert(make_serving_model(model), path, [tf.lite.OpsSet.TFLITE_BUILTINS])
    _attach(path, names_inside(model))


def write_int8(model: keras.Model, folder: str, calibration: np.ndarray) -> None:
    """Writes `model_int8.tflite`: whole numbers from the first to the last.

    Crops go in as they are, uint8. Outputs are uint8 too: (value - zero point) *
    scale, as the file states them for each output; probabilities are value / 256.

    Args:
        model: From `fer_tf.load`.
        folder: Where to write.
        calibration: uint8 crops `(n, size, size, channels)`, like those that the
            model will be given: they decide the range of every activation.
    """
    import tensorflow as tf

    crops = np.array(calibration, np.float32)
    # The input's scale is 1 only if the range of pixels is seen whole: in the middle,
    # which every window of a crop sees.
    middle = crops.shape[1] // 2
    crops[0, middle, middle], crops[0, middle, middle + 1] = 0, 255
    path = os.path.join(folder, INT8)
    _convert(
        make_serving_model(model, dtype="float32"),
        path,
        [tf.lite.OpsSet.TFLITE_BUILTINS_INT8],
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([crop[None]] for crop in crops),
        inference_input_type=tf.uint8,
        inference_output_type=tf.uint8,
    )
    _attach(path, names_inside(model))


def run_float32(folder: str, crops: np.ndarray, card=None) -> dict[str, np.ndarray]:
    """What `model.tflite` says of uint8 crops."""
    return _run(os.path.join(folder, FLOAT32), crops)


def run_int8(folder: str, crops: np.ndarray, card=None) -> dict[str, np.ndarray]:
    """What `model_int8.tflite` says of uint8 crops, as numbers again."""
    return _run(os.path.join(folder, INT8), crops)


def _convert(serving, path, supported_ops, **options):
    import tensorflow as tf

    try:
        serving.export(
            path,
            format="litert",
            verbose=False,
            input_signature=crops_signature(serving, batch=1),
            target_spec={"supported_ops": supported_ops},
            **options,
        )
    except (OSError, tf.errors.OpError):
        raise  # A full disk is not the model's fault.
    except Exception as error:
        # The converter raises whatever its compiler met.
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"{os.path.basename(path)}: LiteRT cannot hold {serving.name} ({line})"
        ) from error


def _attach(path, names):
    """Adds `names.json` behind the model, where interpreters do not look."""
    with zipfile.ZipFile(path, "a") as archive:
        # A fixed date: the same model gives the same file.
        info = zipfile.ZipInfo("names.json", (1980, 1, 1, 0, 0, 0))
        archive.writestr(info, json.dumps(names, indent=1))


def _run(path, crops):
    running = interpreter(path)
    (taken,) = running.get_input_details()
    if taken["dtype"] != np.uint8 or taken["quantization"] not in ((0, 0), (1, 0)):
        raise ValueError(
            f"{os.path.basename(path)}: takes {taken['dtype'].__name__} of scale "
            f"{taken['quantization']}, not pixels as they are"
        )
    runner = running.get_signature_runner()
    details = runner.get_output_details()
    rows = [runner(crops=crop[None]) for crop in crops]
    outputs = {}
    for name, detail in details.items():
        values = np.concatenate([row[name] for row in rows])
        scale, zero = detail["quantization"]
        if scale:
            values = (values.astype(np.float32) - zero) * np.float32(scale)
        outputs[name] = values
    return outputs


def interpreter(path: str):
    """A file ready to run: in LiteRT's own interpreter, else in TensorFlow's copy.

    TensorFlow's is going to go; until then `ai-edge-litert` need not be installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter
    with warnings.catch_warnings():
        # TensorFlow's copy says that it will go one day.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = Interpreter(model_path=path, num_threads=os.cpu_count())
    interpreter.allocate_tensors()
    return interpreter
