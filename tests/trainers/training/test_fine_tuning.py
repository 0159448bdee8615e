"""A run that begins with trained weights."""

import dataclasses

import keras
import numpy as np
import pytest

from data_pipelines.batches import pipeline
from fer_tf.model_io import model_folder
from tests.testing_utils import tiny_config
from trainers.common.cli import UsageError
from trainers.tables.runs import load_config
from trainers.training import build, fine_tuning


@pytest.fixture
def data(synthetic_data):
    return pipeline.open_prepared(synthetic_data)


@pytest.fixture
def trained(tmp_path, data):
    """Folder of a network for the data's crops, of numbers all its own."""
    config = tiny_config()
    model = build.build_model(config)
    for seed, weight in enumerate(model.weights):
        weight.assign(np.random.default_rng(seed).normal(size=weight.shape))
    spec = build.crop_spec(config, data)
    card = dataclasses.replace(build.card(config, data, spec), views="center_mirror")
    model_folder.save(str(tmp_path / "trained"), model, card)
    return str(tmp_path / "trained"), model


def begun(config, data, folder):
    config.init, config.dtype_policy = folder, "float32"
    fine_tuning.adopt_network(config, data)
    keras.utils.set_random_seed(3)
    model = build.build_model(config)
    fine_tuning.begin(config, model, data)
    return model


def test_any_network_is_taken_with_its_crops_and_views(trained, data, capsys):
    folder, before = trained
    config = load_config("finetune")
    model = begun(config, data, folder)
    assert config.model.name == tiny_config().model.name
    assert config.views == "center_mirror"
    assert config.input.window == before.inputs[0].shape[1]
    for ours, theirs in zip(model.weights, before.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert capsys.readouterr().out == f"begins with the weights of {folder}\n"


def test_other_expressions_have_a_head_of_their_own(trained, data, capsys, monkeypatch):
    folder, before = trained
    names = ("calm", "tense")
    monkeypatch.setattr(type(data), "expressions", property(lambda self: names))
    model = begun(load_config("finetune"), data, folder)
    assert model.output["expression"].shape == (None, 2)
    assert "these begin anew: expression\n" in capsys.readouterr().out
    taken = [w for w in model.weights if not w.path.startswith("expression/")]
    theirs = {weight.path: weight for weight in before.weights}
    for weight in taken:
        np.testing.assert_array_equal(weight, theirs[weight.path])


def test_as_many_classes_of_other_names_are_other_classes(trained, data, monkeypatch):
    folder, before = trained
    names = tuple("abcdefgh")
    monkeypatch.setattr(type(data), "expressions", property(lambda self: names))
    model = begun(load_config("finetune"), data, folder)
    assert model.output["expression"].shape == (None, 8)
    assert not any(np.array_equal(w, before.get_layer("expression").kernel)
                   for w in model.weights)  # fmt: skip


def test_a_config_of_another_network_is_refused(trained, data):
    config = load_config("fer2013_vgg19")
    config.init = trained[0]
    with pytest.raises(UsageError, match="the config trains a vgg19_fer"):
        fine_tuning.adopt_network(config, data)
    config = load_config("finetune")
    config.init = "nobody"
    with pytest.raises(ValueError, match="nobody: neither a model folder"):
        fine_tuning.adopt_network(config, data)


def test_a_network_of_eight_expressions_by_itself_keeps_them(tmp_path, data, capsys):
    config = tiny_config()
    config.model = dict(name="ferplus_vgg13", arguments=dict(width=0.125))
    config.input.update(size=64, window=64)
    card = build.card(config, data, build.crop_spec(config, data))
    folder = str(tmp_path / "eight")
    model_folder.save(folder, build.build_model(config), card)
    model = begun(load_config("finetune"), data, folder)
    assert model.output["expression"].shape == (None, 8)
    assert "anew" not in capsys.readouterr().out
