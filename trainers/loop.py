"""The one training loop: a GradientTape step, stages, checkpoints, resume.

All that decides what comes next lies in one `tf.train.Checkpoint`: weights,
optimizer, step, the running losses and the best scores so far. The data
stream and its augmentation are functions of the step, so nothing else is
needed for a run that was stopped anywhere to end like one that was not.
"""

import math
import re

import keras
import tensorflow as tf

from trainers import evaluation, objectives, setup
from trainers import workdir as workdirs
from trainers.progress import Progress
from trainers.workdir import PROTOCOLS


class State(tf.Module):
    """Everything of a run that must survive it, beside model and optimizer."""

    def __init__(self, tasks):
        super().__init__()
        counter = lambda value: tf.Variable(value, dtype=tf.int64, trainable=False)
        self.step, self.stage = counter(0), counter(0)
        self.first_bad_step, self.loss_steps = counter(-1), counter(0)
        self.loss_sums = {
            name: tf.Variable(0.0, trainable=False) for name in ("loss", *tasks)
        }
        self.best = {
            protocol: tf.Variable(-math.inf, trainable=False) for protocol in PROTOCOLS
        }

    def mean_losses(self) -> dict[str, float]:
        """Mean of each loss since the last reset."""
        steps = max(1, int(self.loss_steps))
        return {name: float(total) / steps for name, total in self.loss_sums.items()}

    def reset_losses(self) -> None:
        """Begins a new mean."""
        self.loss_steps.assign(0)
        for total in self.loss_sums.values():
            total.assign(0.0)


def should_jit(jit_compile) -> bool:
    """Resolves `"auto"`: XLA where there is a GPU, none on CPU.

    On CPU, XLA makes training of convolutions several times slower.
    """
    # A flag arrives as text.
    choice = str(jit_compile).lower()
    if choice not in ("auto", "true", "false"):
        raise ValueError(
            f"`jit_compile` must be auto, true or false. Received: {jit_compile!r}."
        )
    if choice == "auto":
        return bool(tf.config.list_physical_devices("GPU"))
    return choice == "true"


def make_train_step(model, optimizer, objective, *, jit_compile: bool):
    """Returns `step(batch) -> losses`, compiled for the current trainable set.

    The step captures the trainable variables when it is made: make it again
    after anything was frozen.
    """
    variables = list(model.trainable_variables)
    if objective.layer is not None:
        variables += objective.layer.trainable_variables
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def step(batch):
        with tf.GradientTape() as tape:
            outputs = model(batch["image"], training=True)
            total, tasks = objective(batch, outputs)
            scaled = optimizer.scale_loss(total)
        optimizer.apply(tape.gradient(scaled, variables), variables)
        return {"loss": total, **tasks}

    return step


def make_counted_step(step, state):
    """Returns `step(batch)` that adds its losses to `state` and counts itself.

    Nothing is returned, so the host need not wait for the device.
    """

    @tf.function
    def counted(batch):
        losses = step(batch)
        for name, loss in losses.items():
            state.loss_sums[name].assign_add(loss)
        state.loss_steps.assign_add(1)
        bad = ~tf.math.is_finite(losses["loss"]) & (state.first_bad_step < 0)
        state.first_bad_step.assign(tf.where(bad, state.step, state.first_bad_step))
        state.step.assign_add(1)

    return counted


class Run:
    """One training run in one workdir.

    Args:
        config: See `trainers/configs/`.
        prepared: Data, from `data_pipelines.pipeline.open_prepared`.
        workdir: Path; checkpoints, logs and best weights go there.
    """

    def __init__(self, config, prepared, workdir: str):
        self.config, self.prepared = config, prepared
        self.spec = setup.crop_spec(config, prepared)
        self.num_train = prepared.count("train")
        keras.utils.set_random_seed(config.seed)
        self.model = setup.build_model(config)
        setup.load_weights(config, self.model)
        # A stage without an objective of its own has the run's.
        self.objectives = [
            objectives.make_objective(stage.objective or config.objective)
            for stage in config.stages
        ]
        tasks = dict.fromkeys(t for each in self.objectives for t in each.tasks)
        self.state = State(tuple(tasks))
        self._check(config, prepared)
        self.selector = evaluation.Evaluator(
            setup.make_inference(
                config, self.model, self.spec, views=config.selection_views
            )
        )
        self._check_select()
        # Only now, when nothing of the config can be wrong any more.
        workdirs.begin(workdir, config, prepared)
        self.workdir = workdirs.Workdir(workdir, config, self.model, self.spec)
        # What the builder froze stays frozen in every stage.
        self.can_train = [layer.trainable for layer in self.model.layers]

    def _check(self, config, prepared):
        """Refuses what would fail in the middle of the run."""
        for key in ("batch_size", "eval_batch_size", "eval_epochs", "checkpoint_steps"):
            value = config[key]
            if value < 1:
                raise ValueError(f"`{key}` must be at least 1. Received: {value}.")
        if self.num_train < config.batch_size:
            raise ValueError(
                f"{self.num_train} training examples are fewer than one batch of "
                f"{config.batch_size}"
            )
        if not any(stage.keep_best for stage in config.stages):
            raise ValueError("`keep_best` must be true for at least one stage.")
        for stage in config.stages:
            setup.build_optimizer(config, stage, self.total_steps(stage))
        should_jit(config.jit_compile)

    def _check_select(self):
        """Evaluates one batch, so that `select` is known to be measurable."""
        for split in PROTOCOLS.values():
            if self.prepared.count(split):
                stream = setup.eval_stream(self.config, self.prepared, split).take(1)
                _signed(self.selector.scores(stream), self.config.select)
                return
        raise ValueError(
            f"{','.join(self.prepared.folders)}: neither validation nor test examples "
            "to choose the weights by"
        )

    def train(self) -> None:
        """Runs what is left of every stage."""
        resumed = self._newest_checkpoint()
        first = 0
        for number, stage in enumerate(self.config.stages):
            total = self.total_steps(stage)
            if resumed is None or number >= resumed[1]:
                self._run_stage(number, stage, first, total, resumed)
                resumed = None
            first += total
        if resumed is not None:
            self._restore(resumed[0])

    def total_steps(self, stage) -> int:
        """Steps of a stage, from its epochs or as given."""
        return setup.total_steps(self.config, stage, self.num_train)

    def set_trainable(self, stage) -> keras.Model:
        """Freezes all but what a stage trains, and returns the model it trains.

        That is the model's layers whose name fully matches `stage.train`, or a
        submodel on its own (Gan et al.'s RASnet, which is frozen ever after).

        Raises:
            ValueError: If no layer that can train matches.
        """
        pattern = stage.train
        for layer, can_train in zip(self.model.layers, self.can_train):
            layer.trainable = (
                layer.name == stage.submodel
                if stage.submodel
                else can_train and bool(re.fullmatch(pattern, layer.name))
            )
        trained = self.model
        if stage.submodel:
            trained = self.model.get_layer(stage.submodel)
        if not trained.trainable_variables:
            raise ValueError(f"`train` matches no layer that can train: {pattern!r}.")
        return trained

    def _run_stage(self, number, stage, first, total, resumed):
        """Runs one stage: `total` steps, after `first` of the earlier stages."""
        trained = self.set_trainable(stage)
        objective = self.objectives[number]
        optimizer = setup.build_optimizer(self.config, stage, total)
        step = make_train_step(
            trained,
            optimizer,
            objective,
            jit_compile=should_jit(self.config.jit_compile),
        )
        if resumed is not None:
            path, _, step_then = resumed
            # A checkpoint between two stages holds the earlier one's optimizer.
            self._restore(path, optimizer if step_then > first else None)
        checkpoint = self._checkpoint(optimizer)
        manager = tf.train.CheckpointManager(
            checkpoint, self.workdir.checkpoints, max_to_keep=2
        )
        self._steps(number, stage, first, total, step, optimizer, manager)

    def _steps(self, number, stage, first, total, step, optimizer, manager):
        counted = make_counted_step(step, self.state)
        done = int(self.state.step) - first
        stream = setup.train_stream(
            self.config, self.prepared, start_step=int(self.state.step)
        )
        batches, size = iter(stream), self.config.batch_size
        ends = self.epoch_ends(total)
        bar = Progress(f"train {stage.name}", total * size, unit="images")
        bar.update(done * size)
        while done < total:
            counted(next(batches))
            done += 1
            if done % 20 == 0 or done in ends:
                self._check_finite(stage)
                bar.update(done * size, _note(self.state.mean_losses()))
            if done in ends:
                self._end_of_epoch(number, stage, ends[done], optimizer)
                self._drop_on_plateau(stage, optimizer)
            if done == total:
                self.state.stage.assign(number + 1)
            if done in ends or done % self.config.checkpoint_steps == 0:
                self._check_finite(stage)
                number_now = int(self.state.step)
                # Counted from the step, so that a resumed run counts alike.
                manager.checkpoint.save_counter.assign(number_now - 1)
                manager.save(checkpoint_number=number_now)

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
        plateau = setup.build_plateau(stage)
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
            "learning_rate": float(optimizer.learning_rate),
            **self.state.mean_losses(),
            **_log_variances(self.objectives[number]),
        }
        self.state.reset_losses()
        for protocol, split in PROTOCOLS.items():
            if not self.prepared.count(split):
                continue
            stream = setup.eval_stream(self.config, self.prepared, split)
            found = evaluation.scalars(self.selector.scores(stream))
            row |= {f"{split}/{name}": value for name, value in found.items()}
            chosen = _signed(found, self.config.select)
            if stage.keep_best and chosen > float(self.state.best[protocol]):
                self.state.best[protocol].assign(chosen)
                self.workdir.save_best(self.model, protocol, row)
        self.workdir.log(row)

    def _checkpoint(self, optimizer=None):
        # Keras does not track the seeds of its dropout layers, which move too.
        seeds = [v.value for v in self.model.variables if "seed_generator" in v.path]
        parts = {"model": self.model, "state": self.state, "seeds": seeds}
        if optimizer is not None:
            parts["optimizer"] = optimizer
        weights = [each.layer for each in self.objectives if each.layer is not None]
        parts["objectives"] = weights
        return tf.train.Checkpoint(**parts)

    def _newest_checkpoint(self):
        """`(path, stage, step)` of the newest checkpoint that reads, or None."""
        state = tf.train.get_checkpoint_state(self.workdir.checkpoints)
        for path in reversed(state.all_model_checkpoint_paths if state else ()):
            try:
                reader = tf.train.load_checkpoint(path)
                for name in reader.get_variable_to_shape_map():
                    reader.get_tensor(name)  # Its checksum is verified here.
                at = [
                    int(reader.get_tensor(f"state/{name}/.ATTRIBUTES/VARIABLE_VALUE"))
                    for name in ("stage", "step")
                ]
                return path, *at
            except (tf.errors.OpError, LookupError, ValueError, RuntimeError):
                print(f"{path} is damaged; trying the checkpoint before it")
        if state and state.all_model_checkpoint_paths:
            print("no checkpoint can be read; beginning anew")
        return None

    def _restore(self, path, optimizer=None):
        checkpoint = self._checkpoint(optimizer)
        checkpoint.read(path).assert_existing_objects_matched().expect_partial()
        self.workdir.rewind(int(self.state.step))


def _log_variances(objective):
    """The learned log-variances of MTANet's second stage, for the log."""
    variables = objective.layer.variables if objective.layer is not None else ()
    return {variable.name: float(variable.numpy()) for variable in variables}


def _note(losses):
    return ", ".join(f"{name} {value:.4f}" for name, value in losses.items())


def _signed(found, select):
    """The metric a run is chosen by, so that larger is better: `-rmse`."""
    sign, name = (-1, select[1:]) if select.startswith("-") else (1, select)
    if name not in found:
        raise ValueError(
            f"`select` must be a metric of the model, one of {', '.join(found)}. "
            f"Received: {select!r}."
        )
    return sign * found[name]
