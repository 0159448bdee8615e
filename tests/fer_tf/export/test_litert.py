import json
import zipfile

import numpy as np

from fer_tf.export import formats, litert
from tests.fer_tf.export.small_models import random_crops, trained


def test_names_travel_inside_the_files(exported):
    model, folder = exported
    for name in ("model.tflite", "model_int8.tflite"):
        with zipfile.ZipFile(folder / name) as archive:
            inside = json.loads(archive.read("names.json"))
        assert inside["expressions"] == list(model.card.expressions[:7])
        assert inside["crop_spec"]["size"] == 48


def test_calibration_without_black_or_white_will_do(tmp_path):
    """Such as drawn faces', for a model whose windows leave the corners out."""
    model = trained(tmp_path / "trained", views="center_mirror")
    crops = np.clip(random_crops(20), 20, 230)
    formats.export_model(
        model, str(tmp_path / "out"), formats=["litert_int8"], crops=crops,
        labels=None, calibration=crops, source="noise", report=lambda line: None,
    )  # fmt: skip
    interpreter = litert.interpreter(str(tmp_path / "out" / "model_int8.tflite"))
    assert interpreter.get_input_details()[0]["quantization"] == (1, 0)
