import types

import pytest
from ml_collections import ConfigDict

from data_pipelines.storage.prepared import open_prepared
from fer_tf import labels
from fer_tf.model_io.card import card_from, read_card
from tests.testing_utils import tiny_config
from trainers.common.cli import UsageError
from trainers.tables.runs import load_config
from trainers.training import build
from trainers.training.workdir import Workdir


def test_a_network_of_two_inputs_is_refused():
    config = tiny_config()
    config.model.name = "gan_man"
    config.model.arguments = ConfigDict(
        dict(width=0.0625, input_shape=(96, 96, 3), masks="given")
    )
    with pytest.raises(UsageError, match="takes image, region_masks; networks of one"):
        build.build_model(config)


def test_the_card_says_which_heads_were_trained(synthetic_data, tmp_path):
    config = tiny_config()
    data = open_prepared(synthetic_data)
    spec = build.crop_spec(config, data)
    assert build.card(config, data, spec).trained == ("expression",)
    config.objective = ConfigDict(dict(name="zhang2020"))
    folder = Workdir(str(tmp_path), config, data, spec=spec)
    losses = dict(valence_arousal=0.0, action_units=0.0, expression=1.9)
    folder.rows = [dict(epoch=1, step=7, **losses)]
    # Of the action units, the data has a label in the second epoch at last.
    row = dict(epoch=2, step=14, **losses | dict(action_units=0.7))
    folder.save_best(build.build_model(config), "clean", row)
    card = card_from(read_card(str(tmp_path / "best" / "clean")))
    assert card.trained == ("action_units", "expression")


def test_own_classes_give_the_number_of_outputs(capsys):
    config = tiny_config()
    data = types.SimpleNamespace(expressions=("calm", "tense"))
    build.follow_classes(config, data)
    assert config.model.arguments.num_classes == 2
    assert capsys.readouterr().out == "the model gets 2 classes: calm, tense\n"
    build.follow_classes(config, data)
    assert capsys.readouterr().out == ""
    # Aff-Wild2's: whether the model learns the eighth is the config's choice.
    config = tiny_config()
    data.expressions = (*labels.EXPRESSIONS[:7], "other")
    build.follow_classes(config, data)
    assert "num_classes" not in config.model.arguments


def test_weights_to_begin_with_must_be_given(synthetic_data):
    config = load_config("gan_rafdb_vgg16")
    config.model.arguments.width = 0.05
    model = build.build_model(config)
    with pytest.raises(ValueError, match="begins with vgg_face; give its file"):
        build.load_weights(config, model)
    config.published.format = "imagenet"
    with pytest.raises(ValueError, match="one of vgg_face, vggface2"):
        build.load_weights(config, model)
    config.published.format = ""
    config.submodels = {"face_network": ""}
    with pytest.raises(ValueError, match="submodels.face_network. is empty"):
        build.load_weights(config, model)


def test_a_card_says_whose_photographs_the_first_weights_saw():
    (facts,) = build.published_facts({"published": {"format": "dlib_face"}})
    assert "7,485 people" in facts.pictures and "CC0" in facts.terms
    assert build.published_facts({"published": {"format": ""}}) == []
    assert build.published_facts({}) == []
