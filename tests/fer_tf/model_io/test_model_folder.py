import os

import keras
import numpy as np
import pytest

from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder, safe_weights
from fer_tf.model_io.card import CARD
from fer_tf.utils.hashing import sha256
from tests.fer_tf.model_io.small_folders import (
    ARGUMENTS,
    change_card,
    refused,
    save_whole,
)


def test_what_was_saved_is_loaded(model, folder, monkeypatch):
    again = model_folder.load(folder)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.card.arguments == ARGUMENTS and again.crop_spec == CROP_SPECS["meen"]
    assert again.sha256 == sha256(str(folder / model_folder.WEIGHTS))
    monkeypatch.chdir(folder)
    assert model_folder.load(model_folder.WEIGHTS).sha256 == again.sha256


@pytest.mark.parametrize(
    "name",
    ["../other.weights.h5", "/etc/passwd", "..\\x.h5", "C:x.h5", "x.h5", "", 7, None],
)
def test_only_the_weights_in_the_folder_are_read(name, folder):
    change_card(folder, weights={"file": name, "sha256": "0" * 64})
    refused(folder, "only model.weights.h5 is read")


def test_a_hash_that_is_wrong_or_absent(folder):
    content = bytearray((folder / model_folder.WEIGHTS).read_bytes())
    content[-20] ^= 1
    (folder / model_folder.WEIGHTS).write_bytes(bytes(content))
    refused(folder, "damaged, or of another model")
    for weights in ({"file": model_folder.WEIGHTS}, {}, [], "x", {"sha256": 3}):
        change_card(folder, weights=weights)
        refused(folder, "states no sha256")


def test_a_file_too_large_is_not_even_hashed(folder, monkeypatch):
    os.truncate(folder / model_folder.WEIGHTS, safe_weights.MAX_BYTES + 1)  # Sparse.
    monkeypatch.setattr(model_folder, "sha256", lambda path: pytest.fail("was hashed"))
    refused(folder, "larger than 4,294,967,296 bytes")


def test_a_run_without_the_protocol_asked_for_names_the_one_it_has(folder, tmp_path):
    best = tmp_path / "run" / "best"
    best.mkdir(parents=True)
    folder.rename(best / "paper")
    assert model_folder.find(tmp_path / "run", protocol="paper") == str(best / "paper")
    with pytest.raises(ValueError, match="no weights of protocol clean, but of paper"):
        model_folder.find(tmp_path / "run")


def test_weights_that_are_not_there(folder):
    (folder / model_folder.WEIGHTS).unlink()
    refused(folder, "model.weights.h5 is not here")


def test_a_whole_model_is_loaded_by_its_hash(model, folder):
    path = save_whole(folder, model)
    again = model_folder.load(path)
    images = np.random.default_rng(0).uniform(0, 255, (2, 44, 44, 1)).astype("float32")
    np.testing.assert_allclose(
        again(images)["expression"], model(images)["expression"], atol=1e-6
    )
    assert again.card.model == "small_resnet" and again.sha256 == sha256(str(path))

    path.write_bytes(path.read_bytes()[:-1])
    refused(path, "damaged, or of another model")
    change_card(folder, files={})
    refused(path, "states no sha256 of model.keras")
    (folder / CARD).unlink()
    refused(path, "neither a model folder")


def test_a_whole_model_of_no_crops_is_refused(folder):
    vector = keras.Input((44,), name="image")
    logits = keras.layers.Dense(7)(vector)
    path = save_whole(folder, keras.Model(vector, {"expression": logits}))
    refused(path, r"the model takes \(44,\), and no crop")


def test_weights_of_another_protocol_are_not_passed_off(folder):
    change_card(folder, protocol="clean")
    with pytest.raises(ValueError, match="of protocol clean, not of paper"):
        model_folder.load(folder, protocol="paper")
    change_card(folder, protocol="paper")
    assert (
        model_folder.load(folder).card
        == model_folder.load(folder, protocol="paper").card
    )
