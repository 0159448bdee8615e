"""Model folders from strangers: each hazard is one clear line, and nothing else."""

import io
import json
import os
import resource
import time
import zipfile

import h5py
import keras
import numpy as np
import pytest

from fer_tf import models
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder, safe_weights
from fer_tf.model_io.card import CARD, Card
from fer_tf.utils.hashing import sha256

ARGUMENTS = dict(width=0.125, blocks=1, stage_filters=[16])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return models.create_model("small_resnet", **ARGUMENTS)


@pytest.fixture
def folder(model, tmp_path):
    card = Card(
        model="small_resnet", arguments=ARGUMENTS, crop_spec=CROP_SPECS["meen"],
        views="center", average="logits",
    )  # fmt: skip
    model_folder.save(str(tmp_path / "m"), model, card)
    return tmp_path / "m"


def change_card(folder, **changes):
    path = folder / CARD
    described = json.loads(path.read_text())
    path.write_text(json.dumps({**described, **changes}))


def state_hash(folder, name=model_folder.WEIGHTS):
    """Makes the card state the file's hash, as an attacker would."""
    digest = sha256(str(folder / name))
    change_card(folder, weights={"file": name, "sha256": digest})


def refused(path, match):
    with pytest.raises(ValueError, match=match) as caught:
        model_folder.load(str(path))
    assert "\n" not in str(caught.value)
    assert os.path.basename(os.path.dirname(path)) in str(caught.value)


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


@pytest.mark.parametrize("kept", [0, 10, 5000, -1])
def test_a_truncated_file(kept, folder):
    path = folder / model_folder.WEIGHTS
    path.write_bytes(path.read_bytes()[:kept])
    state_hash(folder)
    refused(folder, "not a readable HDF5 file")


def test_fuzzed_files_load_or_are_refused(folder):
    """Whatever byte is wrong: a ValueError, never another error or a crash."""
    path, rng = folder / model_folder.WEIGHTS, np.random.default_rng(0)
    good, outcomes = path.read_bytes(), set()
    for place in rng.integers(0, len(good), 6):
        bad = bytearray(good)
        bad[place] ^= 0xFF
        path.write_bytes(bytes(bad))
        state_hash(folder)
        try:
            model_folder.load(folder)
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


def _compressed(file, name, shape):
    """1.2 GB of zeros in a file of some kilobytes."""
    file.create_dataset(
        name, (300_000_000,), "f4", chunks=(1 << 20,), compression="gzip"
    )


def _no_space(file, name, shape):
    file[name] = h5py.Empty("f4")


def _dates(file, name, shape):
    """A type that NumPy lacks."""
    space = h5py.h5s.create_simple(shape)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.UNIX_D32LE, space)


def _many(file, name, shape):
    for number in range(20_001):
        file.create_group(f"extra/{number}")


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
        (_compressed, "declares more bytes than the file has"),
        (_no_space, "holds no numbers"),
        (_dates, "holds no numbers"),
        (_many, "holds more than 20,000 arrays and groups"),
        (_cycle, "another name of"),
        (_strings, "holds no numbers"),
        (_another_shape, "does not fit the model 'small_resnet' .*shape"),
        (_nothing, "does not fit the model 'small_resnet'"),
        (_nan, "NaN or infinite"),
    ],
)
def test_hostile_hdf5_files(plant, match, folder):
    with h5py.File(folder / model_folder.WEIGHTS, "r+") as file:
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
        ({"expressions": "neutral"}, "expressions must be a list of at most 1,000"),
        ({"expressions": ["=HYPERLINK(1)"] * 7}, "'=HYPERLINK.*must begin with a le"),
        ({"expressions": ["source", *"abcdef"]}, "'source' is that of a column"),
        ({"action_units": ["AU1", "au1"]}, "action_units: the name 'au1' comes twice"),
        ({"expressions": [""]}, "is empty"),
        ({"expressions": ["Au1", *"abcdef"]}, "units: the name 'AU1' comes twice"),
        ({"expressions": ["a\x1b[2J"]}, "cannot be printed"),
        ({"trained": "expression"}, "trained must be a list of names"),
        ({"crop_spec": {"version": 99}}, "version 99"),
        ({"crop_spec": None}, "must be a dict"),
        ({"crop_spec": spec(size=40)}, "size is 40, but the model takes 44x44"),
        ({"crop_spec": spec(color="rgb")}, "color is 'rgb', but the model takes"),
        ({"crop_spec": spec(value_range=(0, 1))}, r"value_range is \(0, 1\), but"),
        ({"crop_spec": spec(mean=(9.5,))}, r"mean is \(9.5,\), but models subtract"),
        ({"crop_spec": spec(mean=5)}, "model.json: `mean` must be finite numbers"),
        ({"crop_spec": spec(mean=None)}, "`mean` must be finite numbers"),
        ({"crop_spec": spec(tilt=1)}, "unknown fields: tilt"),
        ({"crop_spec": spec(size=30_000)}, r"`size` must be a whole number in 1..1024"),
        ({"crop_spec": spec(size=10**400)}, r"`size` must be a whole number in"),
        ({"crop_spec": spec(template=[[0.5, 0.5]] * 5)}, "`template` .*on a line or a"),
        (
            {"crop_spec": spec(template=[[i / 5, i / 7] for i in range(5)])},
            "model.json: `template` must be five points that do not lie on a line",
        ),
        ({"crop_spec": spec(template=[[1e300, 0]] * 5)}, "`template` must be"),
        ({"crop_spec": spec(margin=1e9)}, r"`margin` must be a number in 0..10"),
        ({"arguments": {"input_shape": [30_000, 30_000, 1]}}, "larger than 1024 pixel"),
        ({"arguments": {"input_shape": [44.0, 44, 1]}}, "input_shape must be"),
        ({"arguments": {"input_shape": "abc"}}, "input_shape must be"),
        (
            {"arguments": {"num_classes": -1}},
            "num_classes must be of numbers",
        ),
        ({"arguments": {"width": 1e12}}, "width must be of numbers in 0..1e9"),
        ({"arguments": {"stage_filters": [[8, 10**400]]}}, "stage_filters must be of"),
    ],
)
def test_cards_that_describe_nothing(changes, match, folder):
    change_card(folder, **changes)
    refused(folder, match)


@pytest.mark.parametrize(
    "arguments, match",
    [
        ({"width": 64}, "larger than its file, which holds .* numbers"),
        ({"width": 1e9}, "larger than its file"),
        ({"width": 10**400}, "width must be of numbers"),
        ({"width": float("inf")}, "not valid JSON .Infinity is no number"),
        ({"width": float("nan")}, "not valid JSON .NaN is no number"),
        ({"blocks": 100_000}, "larger than its file"),
        ({"blocks": 1e9}, "describes no model of this version"),
        ({"stage_filters": [10**6]}, "larger than its file"),
        ({"stage_filters": [8] * 100_000}, "stage_filters must be .*not of many"),
        ({"num_classes": 10**9}, "larger than its file"),
        ({"dropout_rate": 7}, "describes no model of this version"),
        ({"stage_filters": {"a": 1}}, "describes no model of this version"),
    ],
)
def test_a_network_that_its_file_cannot_fill_is_not_built(arguments, match, folder):
    """What a card describes is bounded by the weights beside it, before it is made."""
    change_card(folder, arguments={**ARGUMENTS, **arguments})
    before, start = _peak(), time.process_time()
    refused(folder, match)
    assert time.process_time() - start < 2
    assert _peak() - before < 500e6


def _peak():
    """Most bytes that this process had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


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
    (folder / CARD).write_bytes(text)
    refused(folder, match)


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


def save_whole(folder, model):
    path = folder / model_folder.WHOLE
    model.save(path)
    digest = sha256(str(path))
    change_card(folder, files={model_folder.WHOLE: {"sha256": digest}})
    return path


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


def test_a_whole_model_with_a_lambda_is_refused(folder):
    image = keras.Input((44, 44, 1), name="image")
    logits = keras.layers.Lambda(lambda x: x[:, 0, :7, 0])(image)
    path = save_whole(folder, keras.Model(image, {"expression": logits}))
    refused(path, "cannot be loaded safely .*[Ll]ambda")


def test_a_whole_model_that_is_no_archive(model, folder):
    path = save_whole(folder, model)
    path.write_bytes(path.read_bytes()[:1000])
    change_card(folder, files={model_folder.WHOLE: {"sha256": sha256(str(path))}})
    refused(path, "cannot be loaded safely")


def rewrite(path, **members):
    """Replaces members of an archive; compressed, as an attacker would."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {name.replace("_", "."): value for name, value in members.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in content.items():
            archive.writestr(name, value)


def _weights_of(path, plant):
    """The HDF5 file in an archive, with something planted in it."""
    with zipfile.ZipFile(path) as archive:
        file = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(file, "r+") as opened:
        name = _kernel(opened)
        shape = opened[name].shape
        del opened[name]
        plant(opened, name, shape)
    return file.getvalue()


def _huge(path):
    """The config of a network of one dense layer of 10^9 outputs."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("config.json").decode()
    assert '"units": 7,' in text
    return text.replace('"units": 7,', '"units": 1000000000,')


@pytest.mark.parametrize(
    "change, match",
    [
        (lambda p: dict(config_json=b" " * (15 << 20)), "config.json would unpack"),
        (lambda p: dict(metadata_json=b" " * (2 << 20)), "metadata.json would unpack"),
        (lambda p: dict(assets=b"x"), "must hold model.weights.h5, config.json"),
        (lambda p: {"../../evil": b"x"}, "must hold model.weights.h5, config.json"),
        (lambda p: dict(config_json=b"[" * 9_000), "cannot be loaded safely"),
        (lambda p: dict(config_json=b"{}"), "cannot be loaded safely"),
        (lambda p: dict(config_json=_huge(p)), "larger than its file, which holds"),
        (lambda p: {"model.weights.h5": b"\0" * (300 << 20)}, "would unpack 3"),
        (lambda p: {"model.weights.h5": _weights_of(p, _compressed)}, "declares more"),
        (lambda p: {"model.weights.h5": _weights_of(p, _no_space)}, "no numbers"),
        (lambda p: {"model.weights.h5": _weights_of(p, _external_link)}, "a link to"),
        (lambda p: {"model.weights.h5": _weights_of(p, _outside_storage)}, "outside"),
    ],
)
def test_hostile_whole_models(change, match, model, folder):
    path = save_whole(folder, model)
    rewrite(path, **change(path))
    change_card(folder, files={model_folder.WHOLE: {"sha256": sha256(str(path))}})
    refused(path, match)


def test_a_member_that_states_too_little_is_found(model, folder):
    """The size in an archive's list is the sender's word: no more than it is read."""
    path = save_whole(folder, model)
    rewrite(path, config_json=b" " * (100 << 20))
    content = path.read_bytes()
    assert content.count((100 << 20).to_bytes(4, "little")) == 2
    lie = (1000).to_bytes(4, "little")
    path.write_bytes(content.replace((100 << 20).to_bytes(4, "little"), lie))
    change_card(folder, files={model_folder.WHOLE: {"sha256": sha256(str(path))}})
    refused(path, "cannot be loaded safely")


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
