"""The one training loop: stages, epochs, checkpoints, resume.

All that decides what comes next lies in one `tf.train.Checkpoint`: weights,
dropout seeds, optimizer, step, the running losses and the best scores so far. The
plateau schedule alone reads the rows of `metrics.csv` again, which a resumed run cuts
back to the checkpoint's step.
The data stream and its augmentation are functions of the step, so nothing else
is needed for a run that was stopped anywhere to end like one that was not.
"""

import contextlib
import math
import time
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from fer_tf import scores
from fer_tf.model_io.protocol import Protocol
from fer_tf.utils.backend import require_tensorflow
from trainers.common.cli import UsageError
from trainers.common.progress import Progress
from trainers.evaluation import scoring
from trainers.evaluation.evaluator import Evaluator
from trainers.training import (
    build,
    checkpoints,
    checks,
    distribution,
    ema,
    mixup,
    objectives,
    optimizers,
    precision,
    steps,
)
from trainers.training import workdir as workdirs

# Training that a kill, or Ctrl-C, may cost.
CHECKPOINT_SECONDS = 300


class _Resumed(NamedTuple):
    """A checkpoint, and where it was written: of all stages, which, and which step."""

    path: str
    stage: int
    step: int


class Run:
    """One training run in one workdir.

    Args:
        config: See `trainers/configs/`.
        prepared: Data, from `data_pipelines.batches.pipeline.open_prepared`.
        workdir: Path; checkpoints, logs and best weights go there.
        strategy: From `trainers.training.distribution.make_strategy`; by default one
            device.
        started: `time.monotonic()` when the process began, for the log.
    """

    def __init__(self, config, prepared, workdir: str, *, strategy=None, started=None):
        require_tensorflow("trainers.train")
        precision.settle(config, workdir)
        self.config, self.prepared = config, prepared
        self.started = started or time.monotonic()
        self.trained = False  # Whether a step has been made.
        self.strategy = strategy or tf.distribute.get_strategy()
        self.spec = build.crop_spec(config, prepared)
        self.num_train = build.epoch_size(config, prepared)
        keras.utils.set_random_seed(config.seed)
        with self.strategy.scope():
            self.model = build.build_model(config)
            build.load_weights(config, self.model)
            # A stage without an objective of its own has the run's.
            self.objectives = [
                objectives.make_objective(stage.objective or config.objective)
                for stage in config.stages
            ]
        tasks = dict.fromkeys(t for each in self.objectives for t in each.tasks)
        self.state = steps.State(tuple(tasks))
        self.average = None
        if config.ema_decay:
            self.average = ema.WeightAverage(self.model, config.ema_decay)
        checks.check(
            config, self.model, self.spec, self.num_train, prepared.action_units
        )
        steps.should_jit(config.jit_compile)
        self.selector = Evaluator(
            build.make_inference(
                config, self.model, self.spec, views=config.selection_views
            ),
            prepared.action_units,
        )
        self.eval_streams = {
            split: build.eval_stream(config, prepared, split)
            for split in [protocol.chosen_on for protocol in Protocol]
            if prepared.count(split)
        }
        self._check_select()
        # Written to when it is opened: not before all else is known to be right.
        self.workdir = workdirs.Workdir(
            workdir,
            config,
            prepared,
            spec=self.spec,
            writes=distribution.is_chief(self.strategy),
        )
        self.checkpoints = checkpoints.Checkpoints(self.workdir.checkpoints)
        # What the builder froze stays frozen in every stage.
        self.can_train = [layer.trainable for layer in self.model.layers]
        for stage in reversed(config.stages):  # A later one must not fail then.
            self.set_trainable(stage)

    def _check_select(self):
        """Evaluates a batch, or all, so that `select` is known to be measurable.

        In every split that weights are chosen on, as labels may be missing in one.
        """
        if not self.eval_streams:
            raise ValueError(
                f"{','.join(self.prepared.folders)}: neither validation nor test "
                "examples to choose the weights by"
            )
        for split, stream in self.eval_streams.items():
            found = scoring.scalars(self.selector.scores(stream.take(1)))
            if self.config.select.removeprefix("-") not in found:
                # The first may be of a folder that lacks these labels.
                found = scoring.scalars(self.selector.scores(stream))
            _signed(found, self.config.select, split)

    def train(self) -> None:
        """Runs what is left of every stage."""
        with self.workdir.opened():
            try:
                self._run_stages(self._resumed())
            finally:
                self.checkpoints.wait()

    def _run_stages(self, resumed):
        first = 0
        for number, stage in enumerate(self.config.stages):
            total = self.total_steps(stage)
            if resumed is None or number >= resumed.stage:
                self._run_stage(number, stage, first, total, resumed)
                resumed = None  # Only the stage that was stopped goes on.
            first += total
        if resumed is not None:  # All stages were done.
            self._restore(resumed.path)

    def _resumed(self):
        """The checkpoint to go on from, or None."""
        path = self.checkpoints.newest()
        if self.workdir.writes:
            self.checkpoints.clear_up()
        if path is None:
            return None
        found = [checkpoints.value(path, "state", name) for name in ("stage", "step")]
        return _Resumed(path, *map(int, found))

    def total_steps(self, stage) -> int:
        """Steps of a stage, from its epochs or as given."""
        return optimizers.total_steps(self.config, stage, self.num_train)

    def set_trainable(self, stage) -> keras.Model:
        """Freezes all but what a stage trains, and returns the model it trains."""
        return build.set_trainable(self.model, stage, self.can_train)

    def make_step(self, number: int, stage, total: int):
        """The optimizer of a stage, and the step that trains its part."""
        trained = self.set_trainable(stage)
        objective = self.objectives[number]
        with self.strategy.scope():
            optimizer = optimizers.build_optimizer(self.config, stage, total)
            step = steps.make_train_step(
                trained,
                optimizer,
                mixup.Mixed(objective) if self.config.mixup else objective,
                jit_compile=steps.should_jit(self.config.jit_compile),
                micro_batches=self.config.micro_batches,
            )
        return optimizer, step

    def _run_stage(self, number, stage, first, total, resumed):
        """Runs one stage: `total` steps, after `first` of the earlier stages."""
        optimizer, step = self.make_step(number, stage, total)
        begins = resumed is None or resumed.step == first
        if resumed is not None:
            # A checkpoint between two stages holds the earlier one's optimizer.
            self._restore(resumed.path, None if begins else optimizer)
        if begins and self.average is not None:
            self.average.begin()
        if resumed is not None or number == 0:
            seeds = [v.value for v in self.model.variables if "seed_gen" in v.path]
            distribution.spread_seeds(self.strategy, seeds)
        self._steps(number, stage, first, total, step, optimizer)

    def _steps(self, number, stage, first, total, step, optimizer):
        counted = steps.make_counted_step(
            step, self.state, strategy=self.strategy, average=self.average
        )
        done = int(self.state.step) - first
        stream = build.train_stream(
            self.config, self.prepared, start_step=int(self.state.step)
        )
        batches = iter(distribution.spread(self.strategy, stream))
        size, ends = self.config.batch_size, self.epoch_ends(total)
        # The only stage of most recipes is called so itself.
        shown = "train" if stage.name == "train" else f"train {stage.name}"
        bar = Progress(shown, total * size, unit="images")
        show = bar.update if self.workdir.writes else lambda *_: None
        show(done * size)
        saved = time.monotonic()
        while done < total:
            batch = next(batches)
            counted(batch)
            done += 1
            if not self.trained:
                self._check_finite(stage)  # Waits for the device.
                self.workdir.clock.first_step(time.monotonic() - self.started)
                self.trained = True
            if done == 1:
                local = self.strategy.experimental_local_results
                own = {name: local(value)[0] for name, value in batch.items()}
                self.workdir.show_crops(stage.name, own, int(self.state.step))
            if done % 20 == 0 or done in ends:
                self._check_finite(stage)
                show(done * size, _note(self.state.mean_losses()))
            if done == total and self.average is not None:
                # What a stage hands on is the average of its weights.
                self.average.to_model()
            if done in ends:
                self._end_of_epoch(number, stage, ends[done], optimizer)
                self._drop_on_plateau(stage, optimizer)
            if done == total:
                self.state.stage.assign(number + 1)
            late = time.monotonic() - saved >= CHECKPOINT_SECONDS
            if done in ends or done % self.config.checkpoint_steps == 0 or late:
                self._check_finite(stage)
                saved = time.monotonic()
                if self.workdir.writes:
                    self.checkpoints.save(self._parts(optimizer), int(self.state.step))

    def epoch_ends(self, total: int) -> dict[int, int]:
        """`{step: epoch}` of the steps after which the run is evaluated."""
        an_epoch = self.num_train / self.config.batch_size
        count = max(1, round(total / an_epoch))
        every = self.config.eval_epochs
        ends = {
            max(1, math.floor(epoch * an_epoch)): epoch
            for epoch in range(every, count, every)
        }
        return {**ends, total: count}

    def _drop_on_plateau(self, stage, optimizer):
        """Wang et al.'s "when the loss did not drop, divided by 10".

        The log is all the state that it needs: it survives a kill with it.
        """
        if stage.schedule.name != "plateau":
            return
        plateau = optimizers.build_plateau(stage)
        for row in self.workdir.rows:
            if row["stage"] == stage.name:
                plateau.update(row["loss"])
        optimizer.learning_rate = stage.learning_rate * plateau.scale

    def _check_finite(self, stage):
        bad = int(self.state.first_bad_step)
        if bad >= 0:
            raise FloatingPointError(
                f"the loss is not finite at step {bad} of stage {stage.name!r}; the "
                f"last good checkpoint, if any, is in {self.workdir.checkpoints}; try "
                "a smaller learning rate"
            )

    def _end_of_epoch(self, number, stage, epoch, optimizer):
        row = {
            "stage": stage.name,
            "epoch": epoch,
            "step": int(self.state.step),
            "learning_rate": float(tf.convert_to_tensor(optimizer.learning_rate)),
            **self.state.mean_losses(),
            **_log_variances(self.objectives[number]),
        }
        self.state.reset_losses()
        if self.workdir.writes:
            with self._averaged():
                self._evaluate(stage, row)
        self.workdir.log(row)

    def _averaged(self):
        """Evaluates the average of the weights where one is kept."""
        if self.average is None:
            return contextlib.nullcontext()
        return self.average.in_model()

    def _evaluate(self, stage, row):
        """Adds the scores to the row, and keeps the weights if they are the best."""
        for protocol in Protocol:
            split = protocol.chosen_on
            if split not in self.eval_streams:
                continue
            measured = self.selector.scores(self.eval_streams[split])
            if "confusion" in measured:
                self.workdir.show_confusion(split, measured["confusion"], row["step"])
            found = scoring.scalars(measured)
            row |= {f"{split}/{name}": value for name, value in found.items()}
            # As it is stored: else a tie would be decided by its rounding.
            chosen = float(np.float32(_signed(found, self.config.select, split)))
            if stage.keep_best and chosen > float(self.state.best[protocol]):
                self.state.best[protocol].assign(chosen)
                self.workdir.save_best(self.model, protocol, row)

    def _parts(self, optimizer=None):
        """All variables of the run, as checkpoints hold them."""
        plain = lambda variables: [variable.value for variable in variables]
        layers = [each.layer for each in self.objectives if each.layer is not None]
        parts = {
            "model": plain(self.model.variables),
            "objectives": [plain(layer.variables) for layer in layers],
            "state": self.state.parts(),
        }
        if optimizer is not None:
            parts["optimizer"] = plain(optimizer.variables)
        if self.average is not None:
            parts["average"] = self.average.parts()
        return parts

    def _restore(self, path, optimizer=None):
        checkpoints.restore(path, self._parts(optimizer))
        step = int(self.state.step)
        self.workdir.rewind(step)
        if self.workdir.writes:
            best = self.state.best.items()
            self.workdir.require_best(p for p, score in best if np.isfinite(score))
            total = sum(map(self.total_steps, self.config.stages))
            print(f"resumed at step {step:,} of {total:,}", flush=True)


def _log_variances(objective):
    """The learned log-variances of MTANet's second stage, for the log."""
    variables = objective.layer.variables if objective.layer is not None else ()
    return {variable.name: float(variable.numpy()) for variable in variables}


def _note(losses):
    return ", ".join(f"{name} {value:.4f}" for name, value in losses.items())


def _signed(found, select, split):
    """What a split scores in `select`, so that larger is better: `-rmse`."""
    sign, name = (-1, select[1:]) if select.startswith("-") else (1, select)
    if not found:
        raise ValueError(f"{split}: no labels of what the model predicts")
    if name not in found:
        raise UsageError(
            f"`select` must be a metric of the model that {split} has labels for, one "
            f"of {', '.join(found)}. Received: {select!r}."
        )
    if (sign < 0) != scores.metric_of(name).smaller_is_better:
        other = name if sign < 0 else f"-{name}"
        raise UsageError(
            f"`select` {select!r} would keep the worst weights: give {other!r}."
        )
    return sign * found[name]
