"""Refuses configs that would make a run fail later, or lose its result."""

from collections.abc import Sequence

import keras

from fer_tf.arguments import require, require_one_of
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.layers.crop_views import VIEWS
from fer_tf.model_io.views import AVERAGES
from trainers.common.cli import UsageError
from trainers.training import optimizers

_ONE_OF = {"selection_views": VIEWS, "views": VIEWS, "average": AVERAGES}
_AT_LEAST_ONE = ("batch_size", "eval_batch_size", "eval_epochs", "checkpoint_steps")


def check(
    config, model: keras.Model, spec: CropSpec, num_train: int, action_units: Sequence
) -> None:
    """Checks a config against its model and data.

    Args:
        config: Of the run.
        model: Built from the config.
        spec: Of the crops.
        num_train: Training examples of an epoch.
        action_units: Names of the action units that the data is labelled with.

    Raises:
        UsageError: If a value is out of range or does not fit the others.
    """
    for key in _AT_LEAST_ONE:
        require(config[key] >= 1, "be at least 1", UsageError, **{key: config[key]})
    if num_train < config.batch_size:
        raise UsageError(
            f"{num_train} training examples are fewer than one batch of "
            f"{config.batch_size}"
        )
    _check_window(config, model, spec)
    _check_action_units(model, action_units)
    for key, choices in _ONE_OF.items():
        require_one_of(choices, UsageError, **{key: config[key]})
    if config.sampling.limit and config.sampling.name in ("all", "up"):
        raise UsageError(
            "`sampling.limit` is for `sampling.name` down and videos. Received: "
            f"name={config.sampling.name!r}, limit={config.sampling.limit}."
        )
    if not any(stage.keep_best for stage in config.stages):
        raise UsageError("`keep_best` must be true for at least one stage.")
    patience = {"patience": config.patience}
    require(config.patience >= 0, "not be negative", UsageError, **patience)
    if config.patience and len(config.stages) > 1:
        raise UsageError("`patience` is for configs of one stage.")
    _check_balance(config.balance, model)
    for number, stage in enumerate(config.stages):
        _check_stage(stage, f"stages[{number}]")
        total = optimizers.total_steps(config, stage, num_train)
        optimizers.build_optimizer(config, stage, total)
        if stage.schedule.name == "plateau":
            optimizers.build_plateau(stage)


def _check_window(config, model, spec):
    size, window = spec.size, config.input.window
    if not 1 <= window <= size:
        raise UsageError(
            f"`input.window` must be at least 1 and at most `input.size` ({size}). "
            f"Received: {window}."
        )
    taken, windows = model.inputs[0].shape[1:], (window, window, spec.channels)
    if taken != windows:
        raise UsageError(
            f"the model's input_shape is {taken}, and `input` gives windows of "
            f"{windows}"
        )


def _check_action_units(model, names):
    if "action_units" in model.output:
        width = model.output["action_units"].shape[-1]
        if width != len(names):
            raise UsageError(
                f"the data name {len(names)} action units ({', '.join(names)}), and "
                f"the model has {width}: give "
                f"--config.model.arguments.num_action_units={len(names)}"
            )


def _check_balance(share, model):
    require(0 <= share <= 1, "be within 0 and 1", UsageError, balance=share)
    if share and "expression" not in model.output:
        raise UsageError("`balance` is for models that name expressions.")


def _check_stage(stage, name):
    if stage.steps < 0 or (stage.steps == 0 and stage.epochs < 1):
        raise UsageError(
            f"`{name}` must have at least one epoch or step. Received: "
            f"epochs={stage.epochs}, steps={stage.steps}."
        )
    rate = {f"{name}.learning_rate": stage.learning_rate}
    require(stage.learning_rate > 0, "be positive", UsageError, **rate)
    for key in ("clip_norm", "clip_value"):
        limit = {f"{name}.{key}": stage[key]}
        require(stage[key] >= 0, "not be negative", UsageError, **limit)
