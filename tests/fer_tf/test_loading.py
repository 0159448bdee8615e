"""Model folders from strangers: each hazard is one clear line, and nothing else."""

import json
import os

import h5py
import keras
import numpy as np
import pytest

from fer_tf import loading, models, weights_file
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.hashing import sha256

ARGUMENTS = dict(width=0.125, blocks=1, stage_filters=[16])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return models.create_model("small_resnet", **ARGUMENTS)


@pytest.fixture
def folder(model, tmp_path):
    card = loading.Card(
        model="small_resnet", arguments=ARGUMENTS, crop_spec=CROP_SPECS["meen"],
        views="center", average="logits",
    )  # fmt: skip
    loading.save(str(tmp_path / "m"), model, card)
    return tmp_path / "m"


def change_card(folder, **changes):
    path = folder / loading.CARD
    described = json.loads(path.read_text())
    path.write_text(json.dumps({**described, **changes}))


def state_hash(folder, name=loading.WEIGHTS):
    """Makes the card state the file's hash, as an attacker would."""
    digest = sha256(str(folder / name))
    change_card(folder, weights={"file": name, "sha256": digest})


def refused(path, match):
    with pytest.raises(ValueError, match=match) as caught:
        loading.load(str(path))
    assert "\n" not in str(caught.value)
    assert os.path.basename(os.path.dirname(path)) in str(caught.value)


def test_what_was_saved_is_loaded(model, folder, monkeypatch):
    again = loading.load(folder)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.card.arguments == ARGUMENTS and again.crop_spec == CROP_SPECS["meen"]
    assert again.sha256 == sha256(str(folder / loading.WEIGHTS))
    monkeypatch.chdir(folder)
    assert loading.load(loading.WEIGHTS).sha256 == again.sha256


@pytest.mark.parametrize(
    "name",
    ["../other.weights.h5", "/etc/passwd", "..\\x.h5", "C:x.h5", "x.h5", "", 7, None],
)
def test_only_the_weights_in_the_folder_are_read(name, folder):
    change_card(folder, weights={"file": name, "sha256": "0" * 64})
    refused(folder, "only model.weights.h5 is read")


def test_a_hash_that_is_wrong_or_absent(folder):
    content = bytearray((folder / loading.WEIGHTS).read_bytes())
    content[-20] ^= 1
    (folder / loading.WEIGHTS).write_bytes(bytes(content))
    refused(folder, "damaged, or of another model")
    for weights in ({"file": loading.WEIGHTS}, {}, [], "x", {"sha256": 3}):
        change_card(folder, weights=weights)
        refused(folder, "states no sha256")


def test_a_file_too_large_is_not_even_hashed(folder, monkeypatch):
    os.truncate(folder / loading.WEIGHTS, weights_file.MAX_BYTES + 1)  # Sparse.
    monkeypatch.setattr(loading, "sha256", lambda path: pytest.fail("was hashed"))
    refused(folder, "larger than 4,294,967,296 bytes")


@pytest.mark.parametrize("kept", [0, 10, 5000, -1])
def test_a_truncated_file(kept, folder):
    path = folder / loading.WEIGHTS
    path.write_bytes(path.read_bytes()[:kept])
    state_hash(folder)
    refused(folder, "not a readable HDF5 file")


def test_fuzzed_files_load_or_are_refused(folder):
    """Whatever byte is wrong: a ValueError, never another error or a crash."""
    path, rng = folder / loading.WEIGHTS, np.random.default_rng(0)
    good, outcomes = path.read_bytes(), set()
    for place in rng.integers(0, len(good), 6):
        bad = bytearray(good)
        bad[place] ^= 0xFF
        path.write_bytes(bytes(bad))
        state_hash(folder)
        try:
            loading.load(folder)
            outcomes.add("loaded")
        except ValueError:
            outcomes.add("refused")
    assert "refused" in outcomes


def _kernel(file):
    """Path of a convolution's kernel within an HDF5 file."""
    found = []
    file.visititems(
        lambda name, item: (
            found.append(name)
            if isinstance(item, h5py.Dataset) and item.ndim == 4
            else None
        )
    )
    return found[0]


def _external_link(file, name, shape):
    file[name] = h5py.ExternalLink("other.h5", "/x")


def _soft_link(file, name, shape):
    file["elsewhere"] = np.zeros(shape, "f4")
    file[name] = h5py.SoftLink("/elsewhere")


def _outside_storage(file, name, shape):
    size = 4 * int(np.prod(shape))
    file.create_dataset(name, shape, "f4", external=[("/etc/passwd", 0, size)])


def _virtual(file, name, shape):
    layout = h5py.VirtualLayout(shape, "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape)
    file.create_virtual_dataset(name, layout)


def _bomb(file, name, shape):
    file.create_dataset(name, (1 << 20, 1 << 20), "f4", chunks=(1024, 1024))


def _cycle(file, name, shape):
    file[name] = file["layers"]


def _strings(file, name, shape):
    file.create_dataset(name, shape, h5py.string_dtype())


def _another_shape(file, name, shape):
    file[name] = np.zeros((*shape[:-1], shape[-1] + 1), "f4")


def _nothing(file, name, shape):
    pass


def _nan(file, name, shape):
    file[name] = np.full(shape, np.nan, "f4")


@pytest.mark.parametrize(
    "plant, match",
    [
        (_external_link, "link to elsewhere"),
        (_soft_link, "link to elsewhere"),
        (_outside_storage, "outside the file"),
        (_virtual, "outside the file"),
        (_bomb, "declares more bytes than the file has"),
        (_cycle, "another name of"),
        (_strings, "holds no numbers"),
        (_another_shape, "does not fit the model 'small_resnet' .*shape"),
        (_nothing, "does not fit the model 'small_resnet'"),
        (_nan, "NaN or infinite"),
    ],
)
def test_hostile_hdf5_files(plant, match, folder):
    with h5py.File(folder / loading.WEIGHTS, "r+") as file:
        name = _kernel(file)
        shape = file[name].shape
        del file[name]
        plant(file, name, shape)
    state_hash(folder)
    refused(folder, match)


def test_weights_of_another_model(folder):
    change_card(folder, arguments={**ARGUMENTS, "stage_filters": [16, 16]})
    refused(folder, "does not fit the model 'small_resnet'")


def spec(**changes):
    return {**CROP_SPECS["meen"].to_dict(), **changes}


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"schema_version": 9}, "schema 9, this version reads 1"),
        ({"views": "all"}, "views must be one of center, center_mirror, ten_crop"),
        ({"average": ["logits"]}, "average must be one of"),
        ({"model": "resnet"}, "describes no model of this version .*resnet"),
        ({"model": ["small_resnet"]}, "model must be a str"),
        ({"arguments": {"depth": 3}}, "describes no model of this version .*depth"),
        ({"arguments": []}, "arguments must be a dict"),
        ({"expressions": ["neutral"]}, "1 expressions, but the model predicts 7"),
        ({"expressions": "neutral"}, "expressions must be a list of names"),
        ({"trained": "expression"}, "trained must be a list of names"),
        ({"crop_spec": {"version": 99}}, "version 99"),
        ({"crop_spec": None}, "must be a dict"),
        ({"crop_spec": spec(size=40)}, "size is 40, but the model takes 44x44"),
        ({"crop_spec": spec(color="rgb")}, "color is 'rgb', but the model takes"),
        ({"crop_spec": spec(value_range=(0, 1))}, r"value_range is \(0, 1\), but"),
        ({"crop_spec": spec(mean=(9.5,))}, r"mean is \(9.5,\), but models subtract"),
        ({"crop_spec": spec(tilt=1)}, "unknown fields: tilt"),
    ],
)
def test_cards_that_describe_nothing(changes, match, folder):
    change_card(folder, **changes)
    refused(folder, match)


@pytest.mark.parametrize(
    "text, match",
    [
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "not a model card"),
        (b'{"schema_version": 1}', "lacks model, arguments"),
        (b" " * (1 << 21), "too large to be a model card"),
    ],
)
def test_cards_that_are_none(text, match, folder):
    (folder / loading.CARD).write_bytes(text)
    refused(folder, match)


def test_a_run_without_the_protocol_asked_for_names_the_one_it_has(folder, tmp_path):
    best = tmp_path / "run" / "best"
    best.mkdir(parents=True)
    folder.rename(best / "paper")
    assert loading.find(tmp_path / "run", protocol="paper") == str(best / "paper")
    with pytest.raises(ValueError, match="no weights of protocol clean, but of paper"):
        loading.find(tmp_path / "run")


def test_weights_that_are_not_there(folder):
    (folder / loading.WEIGHTS).unlink()
    refused(folder, "model.weights.h5 is not here")


def save_whole(folder, model):
    path = folder / loading.WHOLE
    model.save(path)
    digest = sha256(str(path))
    change_card(folder, files={loading.WHOLE: {"sha256": digest}})
    return path


def test_a_whole_model_is_loaded_by_its_hash(model, folder):
    path = save_whole(folder, model)
    again = loading.load(path)
    images = np.random.default_rng(0).uniform(0, 255, (2, 44, 44, 1)).astype("float32")
    np.testing.assert_allclose(
        again(images)["expression"], model(images)["expression"], atol=1e-6
    )
    assert again.card.model == "small_resnet" and again.sha256 == sha256(str(path))

    path.write_bytes(path.read_bytes()[:-1])
    refused(path, "damaged, or of another model")
    change_card(folder, files={})
    refused(path, "states no sha256 of model.keras")
    (folder / loading.CARD).unlink()
    refused(path, "neither a model folder")


def test_a_whole_model_with_a_lambda_is_refused(folder):
    image = keras.Input((44, 44, 1), name="image")
    logits = keras.layers.Lambda(lambda x: x[:, 0, :7, 0])(image)
    path = save_whole(folder, keras.Model(image, {"expression": logits}))
    refused(path, "cannot be loaded safely .*[Ll]ambda")


def test_a_whole_model_that_is_no_archive(model, folder):
    path = save_whole(folder, model)
    path.write_bytes(path.read_bytes()[:1000])
    change_card(folder, files={loading.WHOLE: {"sha256": sha256(str(path))}})
    refused(path, "cannot be loaded safely")


def test_weights_of_another_protocol_are_not_passed_off(folder):
    change_card(folder, protocol="clean")
    with pytest.raises(ValueError, match="of protocol clean, not of paper"):
        loading.load(folder, protocol="paper")
    change_card(folder, protocol="paper")
    assert loading.load(folder).card == loading.load(folder, protocol="paper").card
