"""A mistake in a config is found before the first step, and leaves nothing."""

import pytest
from ml_collections import ConfigDict

from tests.testing_utils import tiny_config
from tests.trainers.training.small_runs import assemble_and_check
from trainers import fit
from trainers.common.cli import UsageError
from trainers.configs import zhang_synthetic

WRONG = {
    "views": (dict(views="foo"), "one of center"),
    "average": (dict(average="foo"), "`average` must be one of"),
    "window": (dict(input=dict(window=200)), "`input.window` must be .* at most"),
    "other window": (dict(input=dict(window=40)), r"\(44, 44, 1\).*\(40, 40, 1\)"),
    "color": (dict(input=dict(color="rgb")), r"\(44, 44, 1\).*\(44, 44, 3\)"),
    "batch": (dict(batch_size=0), "`batch_size` must be at least 1"),
    "format": (dict(published=dict(format="caffe")), "`published.format` must be"),
    "published": (dict(published=dict(path="w.h5")), "needs `published.format`"),
    "limit": (dict(sampling=dict(limit=5)), "`sampling.limit` is for"),
    "balance": (dict(balance=1.5), "`balance` must be within 0 and 1"),
    "few": (dict(batch_size=5000), "fewer than one batch of 5000"),
}
STAGES = {
    "epochs": (dict(epochs=0), "at least one epoch or step"),
    "steps": (dict(steps=-1), "at least one epoch or step"),
    "rate": (dict(learning_rate=-1.0), "`stages.0..learning_rate` must be positive"),
    "optimizer": (dict(optimizer=dict(name="sdg")), "`optimizer.name` must be one of"),
    "momentum": (dict(optimizer=dict(momentum=1.5)), "`optimizer` sgd: "),
    "schedule": (dict(schedule=dict(name="circle")), "`schedule.name` must be"),
    "train": (dict(train="nothing.*"), "`train` matches no layer"),
    "clip": (dict(clip_norm=-1.0), "`stages.0..clip_norm` must not be negative"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", [*WRONG, *STAGES])
def test_it_is_refused_by_both_ways_of_training(case, synthetic_data, tmp_path):
    config = tiny_config()
    changes, message = {**WRONG, **STAGES}[case]
    (config.stages[0] if case in STAGES else config).update(changes)
    with pytest.raises(UsageError, match=message):
        assemble_and_check(config, synthetic_data, tmp_path / "run")
    with pytest.raises(UsageError, match=message):
        fit.compiled(config, synthetic_data)
    assert not (tmp_path / "run").exists()


def test_action_units_of_data_and_model_are_as_many(synthetic_data, tmp_path):
    config = zhang_synthetic.get_config()
    config.model.arguments.num_action_units = 12
    message = r"name 8 action units \(AU1, .*, and the model has 12: give .*units=8"
    with pytest.raises(UsageError, match=message):
        assemble_and_check(config, synthetic_data, tmp_path / "run")


@pytest.mark.parametrize(
    "change",
    [dict(ema_decay=1.5), dict(jit_compile="maybe")],
    ids=str,
)
def test_how_the_loop_trains_is_refused_as_well(change, synthetic_data, tmp_path):
    config = tiny_config(**change)
    with pytest.raises(UsageError, match=f"`{list(change)[0]}`"):
        assemble_and_check(config, synthetic_data, tmp_path / "run")


def test_a_metric_that_is_no_single_number_cannot_choose(synthetic_data, tmp_path):
    config = tiny_config(select="confusion")
    with pytest.raises(ValueError, match="`select` must be a metric") as raised:
        assemble_and_check(config, synthetic_data, tmp_path / "run")
    assert "confusion," not in str(raised.value)


def test_a_later_stage_that_trains_nothing_is_found_at_once(synthetic_data, tmp_path):
    config, other = tiny_config(), tiny_config()
    other.stages[0].update(train="nothing.*", name="second")
    config.stages = (*config.stages, *other.stages)
    with pytest.raises(ValueError, match="'nothing"):
        assemble_and_check(config, synthetic_data, tmp_path / "run")


@pytest.mark.parametrize(
    "argument, message",
    [(dict(patience=0), "`patience` at least 1"), (dict(wait=1), "plateau: .*wait")],
)
def test_a_plateau_that_cannot_be_is_found_at_once(
    argument, message, synthetic_data, tmp_path
):
    config = tiny_config()
    config.stages[0].schedule = ConfigDict(dict(name="plateau", **argument))
    with pytest.raises(ValueError, match=message):
        assemble_and_check(config, synthetic_data, tmp_path / "run")


def test_fit_has_no_stage_that_the_config_lacks(synthetic_data):
    with pytest.raises(ValueError, match="`stage` must be below 1. Received: stage=3"):
        fit.compiled(tiny_config(), synthetic_data, stage=3)
