import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from fer_tf import export, loading, models
from fer_tf.faces.crop_spec import CROP_SPECS

ARGUMENTS = dict(width=0.125, blocks=1)

# Runs where none of our packages can be imported.
FRESH = """
import json, sys
sys.path = [p for p in sys.path if p not in ("", sys.argv[1])]
for name in ("fer_tf", "data_pipelines", "trainers", "keras"):
    sys.modules[name] = None
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[2])
crops = np.load(sys.argv[3])
serve = model.signatures["serving_default"]
batch = serve(crops=tf.constant(crops))["probabilities"].numpy()
one = np.concatenate(
    [serve(crops=tf.constant(c[None]))["probabilities"].numpy() for c in crops])
encoded = tf.stack([tf.io.encode_png(c) for c in crops])
from_bytes = model.signatures["serve_bytes"](encoded=encoded)["probabilities"].numpy()
described = {k: v.numpy() for k, v in model.signatures["describe"]().items()}
np.savez(sys.argv[4], batch=batch, one=one, from_bytes=from_bytes)
print(json.dumps({"expressions": [e.decode() for e in described["expressions"]],
                  "crop_spec": json.loads(described["crop_spec"])}))
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    keras.utils.set_random_seed(0)
    model = models.create_model("small_resnet", **ARGUMENTS)
    card = loading.Card(
        model="small_resnet", arguments=ARGUMENTS, crop_spec=CROP_SPECS["meen"],
        views="ten_crop", average="logits",
    )  # fmt: skip
    loading.save(str(folder / "trained"), model, card)
    model = loading.load(str(folder / "trained"))
    export.export_saved_model(model, str(folder / "out"), extra={"note": 1})
    return model, folder / "out"


def test_it_runs_in_a_fresh_process_without_our_code(exported, tmp_path):
    model, folder = exported
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)
    np.save(tmp_path / "crops.npy", crops)
    root = os.getcwd()
    result = subprocess.run(
        [sys.executable, "-c", FRESH, root, folder, tmp_path / "crops.npy",
         tmp_path / "found.npz"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    described = json.loads(result.stdout.splitlines()[-1])
    assert described["expressions"] == list(model.card.expressions)
    assert described["crop_spec"]["size"] == 48

    from fer_tf.inference import make_inference_model

    inference = make_inference_model(model, model.crop_spec, views="ten_crop")
    expected = np.asarray(inference(crops.astype("float32"))["probabilities"])
    found = np.load(tmp_path / "found.npz")
    for way in ("batch", "one", "from_bytes"):
        np.testing.assert_allclose(found[way], expected, atol=1e-5, err_msg=way)
    np.testing.assert_allclose(expected.sum(-1), 1, atol=1e-5)


def test_the_folder_loads_as_a_model_again(exported):
    model, folder = exported
    again = loading.load(str(folder))
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.card == model.card
    assert loading.read_card(str(folder))["note"] == 1


def test_an_existing_folder_is_never_written_over(exported):
    model, folder = exported
    before = sorted(p.name for p in folder.iterdir())
    with pytest.raises(ValueError, match="exists already"):
        export.export_saved_model(model, str(folder))
    assert sorted(p.name for p in folder.iterdir()) == before


def test_a_failure_leaves_nothing_behind(exported, tmp_path, monkeypatch):
    model, _ = exported

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loading, "save", full)
    with pytest.raises(OSError):
        export.export_saved_model(model, str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["weights", "swap", "schema", "json", "gone"])
def test_a_damaged_model_folder_is_refused(damage, exported, tmp_path):
    model, _ = exported
    loading.save(str(tmp_path), model, model.card)
    card, weights = tmp_path / loading.CARD, tmp_path / loading.WEIGHTS
    described = json.loads(card.read_text())
    if damage == "weights":
        content = bytearray(weights.read_bytes())
        content[-20] ^= 1
        weights.write_bytes(bytes(content))
    elif damage == "swap":
        described["weights"]["file"] = "../elsewhere.weights.h5"
        card.write_text(json.dumps(described))
    elif damage == "schema":
        card.write_text(json.dumps(described | {"schema_version": 9}))
    elif damage == "json":
        card.write_text("{")
    else:
        weights.unlink()
    message = {"weights": "sha256", "swap": "not here", "schema": "schema 9",
               "json": "not valid JSON", "gone": "not here"}[damage]  # fmt: skip
    with pytest.raises(ValueError, match=message):
        loading.load(str(tmp_path))
