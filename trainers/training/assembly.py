"""From a config, data and a folder to a run with all of its parts."""

import keras
import tensorflow as tf
from ml_collections import ConfigDict

from data_pipelines.storage.prepared import Prepared
from fer_tf.convert.batch_statistics import adopt_statistics
from fer_tf.model_io.protocol import Protocol
from fer_tf.utils.backend import require_tensorflow
from trainers.evaluation.evaluator import Evaluator
from trainers.training import (
    build,
    checks,
    distribution,
    ema,
    fine_tuning,
    mixup,
    objectives,
    precision,
    steps,
    streams,
)
from trainers.training.run import TrainingRun
from trainers.training.workdir import Workdir


def complete(config: ConfigDict, prepared: Prepared, workdir: str) -> None:
    """Fills in what a config leaves to the machine, the data or the weights.

    A workdir keeps the config so: compare it with `workdir.require_same` afterwards.

    Args:
        config: Is changed.
        prepared: Data of the run.
        workdir: Of the run, which keeps what it started with.
    """
    precision.settle(config, workdir)
    fine_tuning.adopt_network(config, prepared)
    build.follow_classes(config, prepared)


def assemble(
    config: ConfigDict,
    prepared: Prepared,
    workdir: str,
    *,
    strategy: tf.distribute.Strategy | None = None,
    **settings,
) -> TrainingRun:
    """Makes a run; nothing is written before it is trained.

    Args:
        config: See `trainers/configs/`.
        prepared: Data, from `data_pipelines.batches.pipeline.open_prepared`.
        workdir: Folder for checkpoints, logs and best weights.
        strategy: From `trainers.training.distribution.make_strategy`; by default one
            device.
        **settings: Of `TrainingRun`, in place of its defaults.

    Raises:
        UsageError: If the config does not fit its model or data.
        ValueError: If the data or the weights to begin with cannot be used.
    """
    require_tensorflow("trainers.train")
    precision.settle(config, workdir)
    build.follow_classes(config, prepared)
    strategy = strategy or tf.distribute.get_strategy()
    spec = build.crop_spec(config, prepared)
    num_train = streams.epoch_size(config, prepared)
    keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = build.build_model(config)
        build.load_weights(config, model)
        fine_tuning.begin(config, model, prepared)
        if config.published.format and config.published.statistics:
            adopt_statistics(model, streams.training_faces(config, prepared))
        stage_objectives = [_objective(config, stage) for stage in config.stages]
    state = steps.State(tuple(build.tasks(config)))
    average = None
    if config.ema_decay:
        average = ema.WeightAverage(model, config.ema_decay)
    checks.check(config, model, spec, num_train, prepared.action_units)
    inference = build.make_inference(config, model, spec, views=config.selection_views)
    return TrainingRun(
        config=config,
        prepared=prepared,
        spec=spec,
        num_train=num_train,
        model=model,
        objectives=stage_objectives,
        state=state,
        make_step=_step_maker(config, state, strategy, average),
        train_batches=lambda step: distribution.spread(
            strategy, streams.train_stream(config, prepared, start_step=step)
        ),
        eval_streams={
            split: streams.eval_stream(config, prepared, split)
            for split in _evaluated_splits(config, prepared)
        },
        selector=Evaluator(inference, prepared.action_units),
        workdir=Workdir(
            workdir,
            config,
            prepared,
            spec=spec,
            writes=distribution.is_chief(strategy),
        ),
        strategy=strategy,
        average=average,
        **settings,
    )


def _evaluated_splits(config, prepared):
    """The splits that are read after each epoch, and choose weights.

    Where no paper is reproduced, the test split is none of them: it is read once, for
    the report. Without a validation split, nothing else could choose.
    """
    if not config.reads_test:
        return [Protocol.CLEAN.chosen_on]
    splits = [p.chosen_on for p in Protocol if prepared.count(p.chosen_on)]
    clean = Protocol.CLEAN.chosen_on
    return splits if config.paper or clean not in splits else [clean]


def _objective(config, stage):
    """The objective of a stage; one without its own has the run's."""
    objective = objectives.make_objective(stage.objective or config.objective)
    return mixup.Mixed(objective) if config.mixup else objective


def _step_maker(config, state, strategy, average):
    jit_compile = steps.should_jit(config.jit_compile)

    def make_step(model, optimizer, objective):
        step = steps.make_train_step(
            model,
            optimizer,
            objective,
            jit_compile=jit_compile,
            micro_batches=config.micro_batches,
        )
        return steps.make_counted_step(step, state, strategy=strategy, average=average)

    return make_step
