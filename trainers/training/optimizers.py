"""A stage's length, optimizer and schedule, from its config."""

import keras
import numpy as np

from fer_tf import optimizers
from fer_tf.arguments import require_one_of
from trainers.common.cli import UsageError
from trainers.training.build import replicas


def build_optimizer(config, stage, total_steps: int):
    """Builds the optimizer of one stage, with its schedule over its steps."""
    rate = _schedule(stage.schedule, stage.learning_rate, total_steps)
    arguments = stage.optimizer.to_dict()
    name = arguments.pop("name")
    classes = {
        "sgd": optimizers.CoupledSGD,
        "adam": optimizers.CoupledAdam,
        "rmsprop_tf1": optimizers.RMSpropTF1,
        "rmsprop": keras.optimizers.RMSprop,
        "adamw": keras.optimizers.AdamW,
    }
    require_one_of(classes, UsageError, **{"optimizer.name": name})
    limits = {"global_clipnorm": stage.clip_norm, "clipvalue": stage.clip_value}
    arguments |= {name: limit for name, limit in limits.items() if limit}
    optimizer = _configured(
        f"`optimizer` {name}", lambda: classes[name](rate, **arguments)
    )
    for limit in ("clipnorm", "global_clipnorm", "clipvalue"):
        # It gets the mean of the replicas' gradients, which Keras then adds up.
        if getattr(optimizer, limit) is not None:
            setattr(optimizer, limit, getattr(optimizer, limit) / replicas())
    if config.dtype_policy == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def total_steps(config, stage, num_train: int) -> int:
    """Steps of a stage: its `steps`, or as its epochs make them."""
    return stage.steps or max(1, stage.epochs * num_train // config.batch_size)


def rates(config, num_train: int) -> tuple[list[float], list[float]] | None:
    """Epochs since the training began, and the learning rates there.

    None if a stage has the schedule `plateau`, whose rates follow from its losses.
    """
    epochs, values, before = [], [], 0.0
    for stage in config.stages:
        if stage.schedule.name == "plateau":
            return None
        steps = total_steps(config, stage, num_train)
        rate = _schedule(stage.schedule, stage.learning_rate, steps)
        for step in np.unique(np.linspace(0, steps - 1, 300).round()):
            epochs.append(before + float(step) * config.batch_size / num_train)
            values.append(float(rate(step)) if callable(rate) else float(rate))
        before += steps * config.batch_size / num_train
    return epochs, values


def build_plateau(stage) -> optimizers.ReduceOnPlateau:
    """Builds the plateau rule of a stage whose schedule is `plateau`."""
    arguments = stage.schedule.to_dict()
    arguments.pop("name")
    return _configured(
        "`schedule` plateau", lambda: optimizers.ReduceOnPlateau(**arguments)
    )


def _schedule(config, base, total_steps):
    arguments = config.to_dict()
    name = arguments.pop("name")
    if name in ("constant", "plateau"):
        return base
    schedules = {
        "piecewise": optimizers.piecewise,
        "one_cycle": optimizers.OneCycle,
        "cosine": optimizers.WarmupCosine,
    }
    choices = ("constant", "plateau", *schedules)
    require_one_of(choices, UsageError, **{"schedule.name": name})
    return _configured(
        f"`schedule` {name}",
        lambda: schedules[name](base, total_steps=total_steps, **arguments),
    )


def _configured(setting, build):
    """Calls `build`; an error names the setting."""
    try:
        return build()
    except (TypeError, ValueError) as error:
        raise UsageError(f"{setting}: {error}") from error
