"""Values of a config that are given as text."""

import pytest

from trainers import train
from trainers.common import cli
from trainers.tables import runs
from trainers.training import build, objectives, overrides


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("skip", "False", False),
        ("skip", "false", False),
        ("width", "1", 1.0),
        ("attention_blocks", "3", 3),
        ("levels", "None", None),
        ("levels", "blocks", "blocks"),
        ("normalize", "none", "none"),
        ("fc_units", "(4096, 4096)", (4096, 4096)),
    ],
)
def test_an_argument_is_what_it_looks_like(name, text, value):
    config = runs.load_config("wang_two_att_two_mt")
    overrides.set_value(config, f"model.arguments.{name}", text)
    found = config.model.arguments[name]
    assert found == value and type(found) is type(value)


def test_a_builder_takes_what_its_config_does_not_name_and_refuses_the_unknown():
    config = runs.load_config("wang_two_att_two_mt")
    overrides.set_argument(config, "width", "0.125")
    before = build.build_model(config).count_params()
    overrides.set_argument(config, "attention_blocks", "3")
    assert build.build_model(config).count_params() > before
    overrides.set_argument(config, "skp", "1")
    with pytest.raises(cli.UsageError, match="no argument 'skp'; it has input_shape"):
        build.build_model(config)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("min_delta", "stages[0].schedule.min_delta"),
        ("epochz", "stages[0].epochs"),
        ("stages[0].epoch", "stages[0].epochs"),
        ("stages[7].epochs", "stages[0].epochs"),
        ("stages[-2].steps", "stages[0].steps"),
        ("stages.x", "stages[0].name"),
        ("batch_sise", "batch_size"),
        ("seed.x", "seed"),
        ("model.nme", "model.name"),
        ("lr", ""),
        ("", ""),
        ("..", ""),
    ],
)
def test_a_key_that_is_not_there_is_named_beside_those_that_are(key, meant):
    config = runs.load_config("wang_two_att_two_mt")
    config.stages[0].schedule = dict(name="plateau", min_delta=3.0)
    with pytest.raises(cli.UsageError) as error:
        overrides.set_value(config, key, "1")
    named, _, near = str(error.value).partition("; near it: ")
    assert named == f"the config has no key `{key}`"
    assert meant in near and near.count(", ") < 3
    for known in near.split(", "):
        assert known in overrides._keys(config)


@pytest.mark.parametrize(
    ("key", "text", "line"),
    [
        ("batch_size", "5.7", "`batch_size` must be int. Received: '5.7'."),
        ("stages[0].steps", "true", "`stages[0].steps` must be int. Received: 'true'."),
        ("stages[0].epochs", "many",
         "`stages[0].epochs` must be int. Received: 'many'."),
        ("model", "3", "`model` must be set by its own keys. Received: '3'."),
        ("deterministic", "1",
         "`deterministic` must be true or false. Received: '1'."),
    ],
)  # fmt: skip
def test_what_a_value_cannot_be_is_refused_in_plain_words(key, text, line):
    config = runs.load_config("wang_two_att_two_mt")
    with pytest.raises(cli.UsageError) as error:
        overrides.set_value(config, key, text)
    assert str(error.value) == line


def test_a_whole_number_may_stand_for_a_fraction():
    config = runs.load_config("wang_two_att_two_mt")
    overrides.set_value(config, "stages[0].learning_rate", "1")
    assert config.stages[0].learning_rate == 1.0
    assert isinstance(config.stages[0].learning_rate, float)


def test_the_keys_of_the_config_are_taken_out_of_the_flags():
    given = ["train", "--config=a.py", "--config.model.arguments.skip=False",
             "-config.model.arguments.name=a=b", "--config.seed", "1", "--data=d",
             "--config.select", "-rmse", "--config.deterministic", "--dry_run",
             "--config.mixup="]  # fmt: skip
    rest, found = train._take_overrides(given)
    assert rest == ["train", "--config=a.py", "--data=d", "--dry_run"]
    assert found == [
        ("model.arguments.skip", "False"), ("model.arguments.name", "a=b"),
        ("seed", "1"), ("select", "-rmse"), ("deterministic", "true"), ("mixup", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{{function_node __wrapped__IteratorGetNext_x}} corrupted record at 5 [Op]",
         "corrupted record at 5 [Op]"),
        ("in user code:\n\n    File x\n\n    ValueError: `size` must be 1\n",
         "`size` must be 1"),
        ("one\ntwo", "one"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_that_says_what(text, line):
    assert cli._one_line(ValueError(text)) == line


@pytest.mark.parametrize("text", ["none", "maybe", "1"])
def test_a_switch_is_on_or_off(text):
    config = runs.load_config("wang_two_att_two_mt")
    with pytest.raises(cli.UsageError, match="deterministic"):
        overrides.set_value(config, "deterministic", text)


def test_another_objective_or_schedule_replaces_the_old_one_whole():
    config = runs.load_config("fer2013_quick")
    assert config.objective.to_dict() == {"name": "expression", "label_smoothing": 0.1}
    overrides.set_value(config, "objective.name", "votes")
    assert config.objective.to_dict() == {"name": "votes"}
    assert objectives.make_objective(config.objective).tasks == ("expression",)
    for key, text in (("name", "plateau"), ("patience", "3"), ("factor", "0.5")):
        overrides.set_value(config, f"stages[0].schedule.{key}", text)
    assert config.stages[0].schedule.to_dict() == dict(
        name="plateau", patience=3, factor=0.5
    )
    # The same name again changes nothing.
    overrides.set_value(config, "stages[0].optimizer.name", "sgd")
    assert config.stages[0].optimizer.momentum == 0.9


def test_a_key_that_the_objective_does_not_take_is_refused_where_it_is_built():
    config = runs.load_config("fer2013_quick")
    overrides.set_value(config, "objective.label_smothing", "0.2")
    with pytest.raises(
        cli.UsageError, match="`objective` expression: .*label_smothing"
    ):
        objectives.make_objective(config.objective)
