"""The models that ship: found by name, checked by hash."""

import json
import os
import pathlib
import warnings

import keras
import pytest

import fer_tf
from fer_tf import models
from fer_tf.export import formats
from fer_tf.model_io import catalog, model_folder
from fer_tf.model_io.card import CARD
from tests.fer_tf.export.small_models import ARGUMENTS, random_crops, trained
from trainers.publishing import catalog_entries


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A catalog of one model, which is its default."""
    root = tmp_path_factory.mktemp("catalog") / "saved_models"
    model = trained(root.parent / "trained")
    root.mkdir()
    formats.export_model(
        model, str(root / "tiny"), formats=["keras"], crops=random_crops(3),
        extra={"dataset": "fer2013", "protocol": "clean",
               "measured": {"test": {"metrics": {"accuracy": 0.5}, "num_examples": 3}},
               "training": {"command": "python -m x", "config": {"seed": 3}}},
    )  # fmt: skip
    entry = catalog_entries.entry(str(root / "tiny"))
    found = {"default": "tiny", "models": {"tiny": entry}}
    (root / catalog.FILE).write_text(json.dumps(found))
    return root


@pytest.fixture
def root(exported, tmp_path, monkeypatch):
    """A copy of it, in place of the one that ships."""
    import shutil

    copy = tmp_path / "saved_models"
    shutil.copytree(exported, copy)
    monkeypatch.setattr(catalog, "root", lambda: str(copy))
    return copy


def test_a_model_is_found_by_name_and_by_default(root):
    by_name, by_default = fer_tf.load("tiny"), fer_tf.load()
    assert by_name.sha256 == by_default.sha256
    assert by_name.card.views == "ten_crop"
    assert fer_tf.Predictor("tiny", detector=object()).card == by_name.card


def test_an_entry_holds_what_a_reader_of_the_table_needs(root):
    entry = catalog.read()["models"]["tiny"]
    assert entry["task"] == ["expressions"] and entry["model"] == "small_resnet"
    assert entry["dataset"] == "fer2013" and "not passed on" in entry["terms"]
    assert entry["crop_spec"]["size"] == 48 and entry["protocol"] == "clean"
    assert entry["measured"]["test"]["metrics"] == {"accuracy": 0.5}
    assert entry["command"] == "python -m x" and entry["config"] == {"seed": 3}
    assert entry["sha256"] == fer_tf.load("tiny").sha256
    table = catalog_entries.render(catalog.read())
    assert "[tiny](tiny/README.md) (default)" in table
    assert "accuracy 0.5000" in table and entry["sha256"][:12] in table


def test_an_unknown_name_lists_the_known_ones(root):
    with pytest.raises(ValueError, match="huge: neither .*the catalog has: tiny$"):
        fer_tf.load("huge")
    (root / catalog.FILE).write_text('{"default": null, "models": {}}')
    with pytest.raises(ValueError, match="huge: neither .*the catalog is empty$"):
        fer_tf.load("huge")
    with pytest.raises(ValueError, match="no model is named, and .* no default"):
        fer_tf.load()
    with pytest.raises(ValueError, match="empty"):
        fer_tf.load("")


@pytest.mark.parametrize("file", [CARD, model_folder.WEIGHTS, model_folder.WHOLE])
def test_whatever_is_changed_is_found(file, root):
    path = root / "tiny" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=f"{file}: .*not the one in the catalog"):
        catalog_entries.verify(str(root), "tiny", catalog.read()["models"]["tiny"])
    if file != model_folder.WHOLE:  # Which loading by name does not read.
        with pytest.raises(ValueError, match=f"{file}: sha256 .* is stated for it"):
            fer_tf.load("tiny")


def test_a_card_with_another_hash_of_the_weights_does_not_help(root):
    """Weights and card replaced together: the catalog's hash still finds it."""
    model_folder.save(
        str(root / "tiny"), trained(root / "other"), fer_tf.load("tiny").card
    )
    model_folder.load(root / "tiny")  # By its path, it is a model like any other.
    with pytest.raises(ValueError, match="model.json: sha256"):
        fer_tf.load("tiny")


def test_a_model_that_is_not_installed(root):
    import shutil

    shutil.rmtree(root / "tiny")
    with pytest.raises(ValueError, match="tiny: in the catalog, but not installed"):
        fer_tf.load("tiny")


@pytest.mark.parametrize("text", ["{", "[]", '{"models": []}'])
def test_a_damaged_catalog(text, root):
    (root / catalog.FILE).write_text(text)
    with pytest.raises(ValueError, match="catalog.json: not"):
        fer_tf.load("tiny")


def test_a_folder_here_never_replaces_a_model_of_the_catalog(
    root, tmp_path, monkeypatch
):
    """Neither by name, which a warning says, nor, above all, as the default."""
    shipped = fer_tf.load("tiny").sha256
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(7)
    other = models.create_model("small_resnet", **ARGUMENTS)
    model_folder.save("tiny", other, fer_tf.load(str(root / "tiny")).card)
    planted = fer_tf.load("./tiny").sha256
    assert planted != shipped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fer_tf.load().sha256 == fer_tf.load(None).sha256 == shipped
        assert fer_tf.load("tiny/").sha256 == planted
        assert fer_tf.load(tmp_path / "tiny").sha256 == planted
    with pytest.warns(UserWarning, match="^tiny: this is the model of the catalog"):
        assert fer_tf.load("tiny").sha256 == shipped
    with pytest.warns(UserWarning, match=r"which is \./tiny$"):
        assert fer_tf.Predictor("tiny", detector=object()).model.sha256 == shipped


def test_the_folder_of_the_catalog_itself_is_no_other(root, monkeypatch):
    monkeypatch.chdir(root)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fer_tf.load("tiny")


def test_a_run_called_like_a_model_is_found_by_its_path(root, tmp_path, monkeypatch):
    (tmp_path / "runs" / "tiny").mkdir(parents=True)
    trained(tmp_path / "runs" / "tiny" / "best" / "clean")
    monkeypatch.chdir(tmp_path / "runs")
    assert model_folder.find("./tiny") == os.path.join("./tiny", "best", "clean")
    with pytest.warns(UserWarning, match="this is the model of the catalog"):
        assert model_folder.find("tiny") == str(root / "tiny")


@pytest.mark.parametrize(
    "text, match",
    [
        ('{"default": "gone", "models": {}}', "default is 'gone', which it lacks"),
        ('{"default": "tiny", "models": {"tiny": 5}}', "tiny has no card_sha256"),
        ('{"default": "tiny", "models": {"tiny": {}}}', "tiny has no card_sha256"),
    ],
)
def test_a_catalog_that_names_what_it_lacks(text, match, root):
    (root / catalog.FILE).write_text(text)
    with pytest.raises(ValueError, match=match):
        fer_tf.load()


def test_the_catalog_that_ships_is_whole():
    """Every file of every model is the one that was added, and the table is its."""
    folder = catalog.root()
    found = catalog.read(folder)
    for name, entry in found["models"].items():
        catalog_entries.verify(folder, name, entry)
    assert found["default"] is None or found["default"] in found["models"]
    with open(f"{folder}/README.md", encoding="utf-8") as file:
        assert file.read() == catalog_entries.render(found), (
            "run: python -m trainers.catalog"
        )


def test_the_model_that_ships_reads_a_real_face_offline():
    data = pytest.importorskip("skimage.data")
    reader = fer_tf.Predictor()
    (face,) = reader.predict(data.astronaut())  # Eileen Collins, smiling.
    assert face["expression"] == "happiness"
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    folder = pathlib.Path(catalog.root()) / catalog.default()
    assert sum(f.stat().st_size for f in folder.iterdir()) < 20e6
