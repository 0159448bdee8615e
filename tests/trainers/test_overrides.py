"""Values of a config that are given as text."""

import pytest

from trainers import cli, overrides, setup, table_runs, train


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
    config = table_runs.load_config("wang_two_att_two_mt")
    overrides.set_value(config, f"model.arguments.{name}", text)
    found = config.model.arguments[name]
    assert found == value and type(found) is type(value)


def test_a_builder_takes_what_its_config_does_not_name_and_refuses_the_unknown():
    config = table_runs.load_config("wang_two_att_two_mt")
    overrides.set_argument(config, "width", "0.125")
    before = setup.build_model(config).count_params()
    overrides.set_argument(config, "attention_blocks", "3")
    assert setup.build_model(config).count_params() > before
    overrides.set_argument(config, "skp", "1")
    with pytest.raises(cli.UsageError, match="no argument 'skp'; it has input_shape"):
        setup.build_model(config)


@pytest.mark.parametrize("key", ["epochz", "stages[7].epochs", "stages[0].epochs"])
def test_a_key_that_is_not_there_is_named(key):
    config = table_runs.load_config("wang_two_att_two_mt")
    with pytest.raises(cli.UsageError, match=key.replace("[", r"\[")):
        overrides.set_value(config, key, "many")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("batch_size", "5.7"),
        ("stages[0].steps", "true"),
        ("stages[0].steps", "x"),
        ("stages[-2].steps", "3"),
        ("nope", "1"),
    ],
)
def test_what_a_flag_would_refuse_is_refused_in_plain_words(key, text):
    config = table_runs.load_config("wang_two_att_two_mt")
    with pytest.raises(cli.UsageError) as error:
        overrides.set_value(config, key, text)
    assert str(error.value) in (
        f"no config can have {key}={text}",
        f"no config can have {key}={text}: must be int",
    )


def test_a_whole_number_may_stand_for_a_fraction():
    config = table_runs.load_config("wang_two_att_two_mt")
    overrides.set_value(config, "stages[0].learning_rate", "1")
    assert config.stages[0].learning_rate == 1.0
    assert isinstance(config.stages[0].learning_rate, float)


def test_the_models_arguments_are_taken_out_of_the_flags():
    given = ["train", "--config=a.py", "--config.model.arguments.skip=False",
             "-config.model.arguments.name=a=b", "--config.seed=1"]  # fmt: skip
    rest, found = train._take_arguments(given)
    assert rest == ["train", "--config=a.py", "--config.seed=1"]
    assert found == {"skip": "False", "name": "a=b"}


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
    config = table_runs.load_config("wang_two_att_two_mt")
    with pytest.raises(cli.UsageError, match="deterministic"):
        overrides.set_value(config, "deterministic", text)
