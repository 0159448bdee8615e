"""The one training loop: stages, epochs, checkpoints, resume.

A run that was stopped anywhere ends like one that was not. One `tf.train.Checkpoint`
holds weights, dropout seeds, optimizer, step, running losses and the best scores so
far. The batches and their augmentation are functions of the step. The plateau schedule
reads the rows of `metrics.csv` again, which a resumed run cuts back to the checkpoint's
step.
"""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from ml_collections import ConfigDict

from data_pipelines.storage.prepared import Prepared
from fer_tf import scores
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.model_io.protocol import Protocol
from trainers.common.cli import UsageError
from trainers.common.progress import Progress
from trainers.evaluation import scoring
from trainers.evaluation.evaluator import Evaluator
from trainers.training import (
    build,
    checkpoints,
    distribution,
    ema,
    optimizers,
    steps,
)
from trainers.training.objectives import Objective
from trainers.training.workdir import Workdir

# The most training that a kill or Ctrl-C can lose.
CHECKPOINT_SECONDS = 300


class _Resumed(NamedTuple):
    """A checkpoint, and the stage and step at which it was written."""

    path: str
    stage: int
    step: int


@dataclasses.dataclass(kw_only=True)
class TrainingRun:
    """One training run in one workdir, made of the parts that it is handed.

    `trainers.training.assembly.assemble` makes the parts from a config; a test hands
    in its own.

    Attributes:
        config: See `trainers/configs/`.
        prepared: Data of the run.
        spec: Of the crops.
        num_train: Training examples of an epoch.
        model: Is trained.
        objectives: One for each stage.
        state: Counters, running losses and best scores.
        make_step: `make_step(model, optimizer, objective)` gives `step(batch)`, which
            trains on a batch and counts it in `state`.
        train_batches: `train_batches(step)` gives the endless batches from a step on.
        eval_streams: The batches of every split that weights are chosen on.
        selector: Scores the model on such batches.
        workdir: Keeps logs and best weights.
        strategy: Its replicas share each batch.
        average: Running average of the weights, which is evaluated; None: the weights.
        started: `time.monotonic()` when the process began, for the log.
        checkpoint_seconds: The longest time between two checkpoints.
    """

    config: ConfigDict
    prepared: Prepared
    spec: CropSpec
    num_train: int
    model: keras.Model
    objectives: Sequence[Objective]
    state: steps.State
    make_step: Callable[..., Callable[[dict], None]]
    train_batches: Callable[[int], Iterable[dict]]
    eval_streams: dict[str, tf.data.Dataset]
    selector: Evaluator
    workdir: Workdir
    strategy: tf.distribute.Strategy
    average: ema.WeightAverage | None = None
    started: float = dataclasses.field(default_factory=time.monotonic)
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    def __post_init__(self):
        self.trained = False  # Whether a step has been made.
        self.checkpoints = checkpoints.Checkpoints(self.workdir.checkpoints)
        # What the builder froze stays frozen in every stage.
        self.can_train = [layer.trainable for layer in self.model.layers]

    def check(self) -> None:
        """Finds what would fail in a later stage or at the first evaluation.

        Raises:
            UsageError: If a stage trains nothing, or `select` is no metric here.
            ValueError: If there are no examples to choose the weights by.
        """
        self.check_select(self.config.select)
        for stage in self.config.stages:
            self.set_trainable(stage)

    def check_select(self, select: str) -> None:
        """Evaluates a batch of every split to see that it has the metric `select`.

        A split may lack the labels that the metric needs.

        Args:
            select: As in the config.

        Raises:
            UsageError: If it is no metric here.
            ValueError: If there are no examples or labels to choose the weights by.
        """
        if not self.eval_streams:
            raise ValueError(
                f"{','.join(self.prepared.folders)}: neither validation nor test "
                "examples to choose the weights by"
            )
        for split, stream in self.eval_streams.items():
            scores_by_name = scoring.scalars(self.selector.scores(stream.take(1)))
            if select.removeprefix("-") not in scores_by_name:
                # The first batch may come from a folder that lacks these labels.
                scores_by_name = scoring.scalars(self.selector.scores(stream))
            _signed(scores_by_name, select, split)

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
                resumed = None  # Later stages start at their first step.
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
        stage, step = (checkpoints.value(path, "state", n) for n in ("stage", "step"))
        return _Resumed(path, int(stage), int(step))

    def total_steps(self, stage) -> int:
        """Steps of a stage: its `steps`, or as its epochs make them."""
        return optimizers.total_steps(self.config, stage, self.num_train)

    def set_trainable(self, stage) -> keras.Model:
        """Freezes all but what a stage trains, and returns the model it trains."""
        return build.set_trainable(self.model, stage, self.can_train)

    def prepare_stage(self, number: int) -> tuple[keras.Optimizer, Callable]:
        """The optimizer of a stage, and the step that trains its part."""
        stage = self.config.stages[number]
        trained = self.set_trainable(stage)
        with self.strategy.scope():
            optimizer = optimizers.build_optimizer(
                self.config, stage, self.total_steps(stage)
            )
            step = self.make_step(trained, optimizer, self.objectives[number])
        return optimizer, step

    def _run_stage(self, number, stage, first, total, resumed):
        """Runs one stage: `total` steps, after `first` of the earlier stages."""
        optimizer, step = self.prepare_stage(number)
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
        done = int(self.state.step) - first
        batches = iter(self.train_batches(int(self.state.step)))
        size, ends = self.config.batch_size, self.epoch_ends(total)
        # Most recipes have a single stage, which is called "train".
        shown = "train" if stage.name == "train" else f"train {stage.name}"
        bar = Progress(shown, total * size, unit="images")
        show = bar.update if self.workdir.writes else lambda *_: None
        show(done * size)
        saved = time.monotonic()
        while done < total:
            with self.workdir.clock.part("data"):
                batch = next(batches)
            step(batch)
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
                if done < total and self._out_of_patience():
                    total = done
                    if self.average is not None:
                        self.average.to_model()
            if done == total:
                self.state.stage.assign(number + 1)
            late = time.monotonic() - saved >= self.checkpoint_seconds
            if done in ends or done % self.config.checkpoint_steps == 0 or late:
                self._check_finite(stage)
                saved = time.monotonic()
                if self.workdir.writes:
                    self._save(optimizer)

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

    def _out_of_patience(self):
        """Whether the last evaluations brought nothing better; the log tells."""
        patience = self.config.patience
        name = f"validation/{self.config.select.removeprefix('-')}"
        scored = [row[name] for row in self.workdir.rows if row.get(name) is not None]
        if not patience or len(scored) <= patience:
            return False
        sign = -1 if self.config.select.startswith("-") else 1
        best = int(np.argmax(sign * np.array(scored)))
        if len(scored) - 1 - best < patience:
            return False
        print(
            f"ends at step {int(self.state.step):,}: {patience} evaluations brought "
            f"no better {name}",
            flush=True,
        )
        return True

    def _drop_on_plateau(self, stage, optimizer):
        """Wang et al.'s "when the loss did not drop, divided by 10".

        It reads the losses from the log, which a checkpoint brings back.
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
            with self._averaged(), self.workdir.clock.part("evaluation"):
                self.evaluate(stage, row)
        self.workdir.log(row)

    def _averaged(self):
        """Evaluates the average of the weights where one is kept."""
        if self.average is None:
            return contextlib.nullcontext()
        return self.average.in_model()

    def evaluate(self, stage: ConfigDict, row: dict[str, Any]) -> None:
        """Adds the scores to the row, and keeps the weights if they are the best."""
        for protocol in Protocol:
            split = protocol.chosen_on
            if split not in self.eval_streams:
                continue
            measured = self.selector.scores(self.eval_streams[split])
            if "confusion" in measured:
                self.workdir.show_confusion(split, measured["confusion"], row["step"])
            scores_by_name = scoring.scalars(measured)
            row |= {f"{split}/{name}": value for name, value in scores_by_name.items()}
            # Rounded as it is stored, or rounding would decide a tie.
            chosen = float(
                np.float32(_signed(scores_by_name, self.config.select, split))
            )
            if stage.keep_best and chosen > float(self.state.best[protocol]):
                self.state.best[protocol].assign(chosen)
                self.workdir.save_best(self.model, protocol, row)

    def _save(self, optimizer):
        with self.workdir.clock.part("checkpoint"):
            self.checkpoints.save(self._parts(optimizer), int(self.state.step))

    def _parts(self, optimizer=None):
        """All variables of the run, in the nesting of its checkpoints."""
        plain = lambda variables: [variable.value for variable in variables]
        layers = [o.layer for o in self.objectives if o.layer is not None]
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
    """Losses as the progress bar shows them."""
    return ", ".join(f"{name} {value:.4f}" for name, value in losses.items())


def _signed(scores_by_name, select, split):
    """What a split scores in `select`, so that larger is better: `-rmse`."""
    sign, name = (-1, select[1:]) if select.startswith("-") else (1, select)
    if not scores_by_name:
        raise ValueError(f"{split}: no labels of what the model predicts")
    if name not in scores_by_name:
        raise UsageError(
            f"`select` must be a metric of the model that {split} has labels for, one "
            f"of {', '.join(scores_by_name)}. Received: {select!r}."
        )
    if (sign < 0) != scores.metric_of(name).smaller_is_better:
        other = name if sign < 0 else f"-{name}"
        raise UsageError(
            f"`select` {select!r} would keep the worst weights: give {other!r}."
        )
    return sign * scores_by_name[name]
