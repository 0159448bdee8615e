"""Every format says what Keras says, in a process that has none of our code."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from fer_tf.export import formats, litert
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import read_card
from fer_tf.model_io.serving import make_serving_model
from fer_tf.utils.hashing import sha256
from tests.fer_tf.export import small_models
from tests.fer_tf.export.small_models import FORMATS, HAS_ONNX, by_hand, random_crops

# Where none of our packages can be imported.
FRESH = """
import json, os, sys
root, folder, crops, found = sys.argv[1:]
sys.path = [p for p in sys.path if p not in ("", root)]
for name in ("fer_tf", "data_pipelines", "trainers", "keras"):
    sys.modules[name] = None
import numpy as np, tensorflow as tf
crops = np.load(crops)
signatures = tf.saved_model.load(folder).signatures
serve = signatures["serving_default"]
batch = serve(crops=tf.constant(crops))["probabilities"].numpy()
one = np.concatenate(
    [serve(crops=tf.constant(c[None]))["probabilities"].numpy() for c in crops])
encoded = tf.stack([tf.io.encode_png(c) for c in crops])
from_bytes = signatures["serve_bytes"](encoded=encoded)["probabilities"].numpy()
ways = dict(batch=batch, one=one, from_bytes=from_bytes)
try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    Interpreter = tf.lite.Interpreter
for name in ("model", "model_int8"):
    interpreter = Interpreter(os.path.join(folder, name + ".tflite"))
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner()
    output = runner.get_output_details()["probabilities"]
    rows = [runner(crops=c[None])["probabilities"] for c in crops]
    scale, zero = output["quantization"]
    values = np.concatenate(rows).astype("float64")
    ways[name] = (values - zero) * scale if scale else values
    ways[name + "_types"] = sorted(
        {d["dtype"].__name__ for d in interpreter.get_tensor_details()})
if os.path.exists(os.path.join(folder, "model.onnx")):
    import onnxruntime
    session = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"))
    (ways["onnx"],) = session.run(["probabilities"], {"crops": crops})
np.savez(found, **ways)
text = {k: v.numpy() for k, v in signatures["describe"]().items()}
print(json.dumps({"expressions": [e.decode() for e in text["expressions"]],
                  "action_units": [e.decode() for e in text["action_units"]],
                  "crop_spec": json.loads(text["crop_spec"]),
                  "notes": text["notes"].decode()}))
"""


@pytest.mark.slow
def test_they_run_in_a_fresh_process_without_our_code(exported, tmp_path):
    model, folder = exported
    crops = random_crops(6, seed=2)
    np.save(tmp_path / "crops.npy", crops)
    result = subprocess.run(
        [sys.executable, "-c", FRESH, os.getcwd(), folder, tmp_path / "crops.npy",
         tmp_path / "found.npz"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    described = json.loads(result.stdout.splitlines()[-1])
    assert described["expressions"] == list(model.card.expressions[:7])
    assert described["action_units"] == []
    assert described["crop_spec"] == json.loads(json.dumps(model.crop_spec.to_dict()))
    assert "EXIF" in described["notes"]

    expected = by_hand(model, crops)
    assert expected.std() > 0.1, "a model that says nothing proves nothing"
    found = np.load(tmp_path / "found.npz")
    for way in ("batch", "one", "from_bytes", "model") + ("onnx",) * HAS_ONNX:
        np.testing.assert_allclose(found[way], expected, atol=1e-5, err_msg=way)
    assert np.abs(found["model_int8"] - expected).mean() < 0.02
    assert not any("float" in name for name in found["model_int8_types"])


def test_the_card_holds_what_was_measured(exported):
    model, folder = exported
    described = read_card(str(folder))
    assert described["note"] == 1
    assert described["checked_on"] == {"crops": 20, "source": "noise"}
    assert described["calibrated_on"] == "other noise"
    both = described["formats"]["saved_model"]["encoded"]
    assert both["crops"] == 32 and max(both["largest_difference"].values()) < 1e-5
    assert set(described["formats"]) == set(FORMATS)
    expected = by_hand(model, random_crops(20))
    (rows, scale, zero) = _int8_rows(folder, random_crops(20))
    gaps = np.abs((rows.astype(np.float64) - zero) * scale - expected)
    check = described["formats"]["litert_int8"]
    assert check["largest_difference"]["probabilities"] == pytest.approx(
        gaps.max(), abs=1e-5
    )
    assert check["mean_difference"]["probabilities"] == pytest.approx(
        gaps.mean(), abs=1e-5
    )
    same = rows.argmax(1) == expected.argmax(1)
    assert check["agreement"] == pytest.approx(same.mean())
    assert check["keras_accuracy"] == pytest.approx((expected.argmax(1) == 0).mean())
    text = (folder / "README.md").read_text()
    assert "`serve_bytes`, on 32 pictures made of them, PNG and JPEG, grey and " in text
    assert "The ranges of `litert_int8` were set by: other noise." in text
    for path, facts in described["files"].items():
        assert facts["sha256"] == sha256(str(folder / path))
        assert facts["bytes"] == (folder / path).stat().st_size
        assert facts["sha256"] in text
    kept = {p for p in folder.rglob("*") if p.is_file()}
    named = {folder / path for path in described["files"]}
    own = {folder / n for n in ("model.json", "README.md", "model.weights.h5")}
    assert kept == named | own


def _int8_rows(folder, crops):
    interpreter = litert.interpreter(str(folder / "model_int8.tflite"))
    runner = interpreter.get_signature_runner()
    rows = np.concatenate([runner(crops=c[None])["probabilities"] for c in crops])
    return rows, *runner.get_output_details()["probabilities"]["quantization"]


def test_the_folder_loads_as_a_model_again(exported):
    model, folder = exported
    for path in (folder, folder / "model.keras"):
        again = model_folder.load(path)
        for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert again.card == model.card


def test_a_file_that_differs_is_not_kept(exported, tmp_path, monkeypatch):
    model, _ = exported
    as_it_is = formats.FORMATS["saved_model"]

    def off(folder, crops, card):
        outputs = as_it_is.run(folder, crops, card)
        return {name: value + 2e-4 for name, value in outputs.items()}

    monkeypatch.setitem(formats.FORMATS, "saved_model", as_it_is._replace(run=off))
    with pytest.raises(ValueError, match="saved_model: probabilities differs .*0.0002"):
        formats.export_model(model, str(tmp_path / "out"), crops=random_crops(3))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments, match",
    [
        ({"formats": ["onxx"]}, "`formats` must be of saved_model, .*onxx"),
        ({"crops": np.zeros((2, 44, 44, 1), np.uint8)}, "`crops` must be uint8"),
        ({"crops": np.zeros((0, 48, 48, 1), np.uint8)}, "`crops` must be uint8"),
        ({"crops": np.zeros((2, 48, 48, 1))}, "`crops` must be uint8"),
    ],
)
def test_what_cannot_be_exported_is_refused(arguments, match, exported, tmp_path):
    model, _ = exported
    arguments = {"crops": random_crops(3), **arguments}
    with pytest.raises(ValueError, match=match):
        formats.export_model(model, str(tmp_path / "out"), **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_needs_more_than_a_crop_is_refused(exported, tmp_path):
    image = keras.Input((44, 44, 1), name="image")
    masks = keras.Input((14, 14, 8), name="masks")
    logits = keras.layers.Dense(7)(keras.layers.Flatten()(image))
    model = keras.Model([image, masks], {"expression": logits}, name="guided")
    model.card = exported[0].card
    with pytest.raises(ValueError, match="guided takes image, masks: only a model"):
        formats.export_model(model, str(tmp_path / "out"), crops=random_crops(3))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_never_written_over(exported):
    model, folder = exported
    before = sorted(p.name for p in folder.iterdir())
    with pytest.raises(ValueError, match="exists already"):
        formats.export_model(model, str(folder), crops=random_crops(3))
    assert sorted(p.name for p in folder.iterdir()) == before


def test_a_failure_leaves_nothing_behind(exported, tmp_path, monkeypatch):
    model, _ = exported

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model_folder, "save", full)
    with pytest.raises(OSError) as caught:
        formats.export_model(
            model, str(tmp_path / "out"), formats=["keras"], crops=random_crops(3)
        )
    assert caught.value.filename == str(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_its_runtime_refuses_is_not_kept(exported, tmp_path, monkeypatch):
    model, _ = exported

    def refuses(folder, crops, card):
        raise RuntimeError("Node number 16 (CONV_2D) failed to prepare.\nmore")

    form = formats.FORMATS["keras"]._replace(run=refuses)
    monkeypatch.setitem(formats.FORMATS, "keras", form)
    with pytest.raises(ValueError, match=r"^keras: its runtime refuses it .*16.*\)$"):
        formats.export_model(
            model, str(tmp_path / "out"), formats=["keras"], crops=random_crops(3)
        )
    assert list(tmp_path.iterdir()) == []


def test_weights_of_two_bytes_each(tmp_path):
    model = small_models.trained(tmp_path / "small", views="center")
    crops, labels = random_crops(8), np.arange(8)
    folder = tmp_path / "out"
    described = formats.export_model(
        model, str(folder), crops=crops, labels=labels, formats=["float16"]
    )
    again = model_folder.load(str(folder))
    for half, whole in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(half, whole.astype("float16"))
    sizes = [
        (at / "model.weights.h5").stat().st_size for at in (tmp_path / "small", folder)
    ]
    parameters = sum(np.size(weight) for weight in model.get_weights())
    # HDF5 rounds small arrays up to whole blocks: less than half is saved here.
    assert 1.3 * parameters < sizes[0] - sizes[1] < 2.1 * parameters
    assert described["weights"]["bytes"] == sizes[1]
    check = described["formats"]["float16"]
    gap = np.abs(by_serving(again, crops) - by_serving(model, crops)).max()
    assert check["largest_difference"]["probabilities"] == pytest.approx(gap, abs=1e-7)
    assert 0 < gap < 0.02 and "keras_accuracy" in check
    assert "| float16 |" in (folder / "README.md").read_text()


def by_serving(model, crops):
    return np.asarray(make_serving_model(model)(crops)["probabilities"])


def test_weights_beyond_float16_are_refused(tmp_path):
    model = small_models.trained(tmp_path / "small")
    kernel = model.get_layer("expression").kernel
    kernel.assign(kernel * 1e6)
    with pytest.raises(ValueError, match="beyond float16's range"):
        formats.export_model(
            model, str(tmp_path / "out"), crops=random_crops(2), formats=["float16"]
        )
    assert not (tmp_path / "out").exists()
