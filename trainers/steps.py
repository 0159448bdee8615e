"""One step of training: forwards, backwards, update, count."""

import math

import tensorflow as tf

from trainers import distribution
from trainers.workdir import PROTOCOLS


class State(tf.Module):
    """Everything of a run that must survive it, beside model and optimizer."""

    def __init__(self, tasks):
        super().__init__()
        counter = lambda value: tf.Variable(value, dtype=tf.int64, trainable=False)
        number = lambda value: tf.Variable(value, trainable=False)
        self.step, self.stage = counter(0), counter(0)
        self.first_bad_step, self.loss_steps = counter(-1), counter(0)
        self.loss_sums = {name: number(0.0) for name in ("loss", *tasks)}
        self.best = {protocol: number(-math.inf) for protocol in PROTOCOLS}

    def parts(self) -> dict:
        """Its variables by name, for a checkpoint."""
        names = ("step", "stage", "first_bad_step", "loss_steps", "loss_sums", "best")
        return {name: getattr(self, name) for name in names}

    def add(self, losses: dict) -> None:
        """Counts a step with its losses."""
        for name, loss in losses.items():
            self.loss_sums[name].assign_add(loss)
        self.loss_steps.assign_add(1)
        bad = ~tf.math.is_finite(losses["loss"]) & (self.first_bad_step < 0)
        self.first_bad_step.assign(tf.where(bad, self.step, self.first_bad_step))
        self.step.assign_add(1)

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
    """Resolves `"auto"`: XLA where there is one GPU, none on CPU or with several.

    On CPU, XLA makes training of convolutions several times slower.
    """
    # A flag arrives as text.
    choice = str(jit_compile).lower()
    if choice not in ("auto", "true", "false"):
        raise ValueError(
            f"`jit_compile` must be auto, true or false. Received: {jit_compile!r}."
        )
    if choice == "auto":
        one = tf.distribute.get_strategy().num_replicas_in_sync == 1
        return one and bool(tf.config.list_physical_devices("GPU"))
    return choice == "true"


def make_train_step(
    model, optimizer, objective, *, jit_compile: bool, micro_batches: int = 1
):
    """Returns `step(batch) -> losses`, compiled for the current trainable set.

    The step captures the trainable variables when it is made: make it again
    after anything was frozen. Under a strategy's scope it is what each replica
    runs, and is not compiled by itself.

    Args:
        model: Is trained.
        optimizer: Is built here for what the model and the objective learn.
        objective: See `trainers.objectives`.
        jit_compile: Whether XLA compiles it.
        micro_batches: Parts that the batch goes through the model in.
    """
    own = list(model.trainable_variables)
    learned = list(objective.layer.trainable_variables) if objective.layer else []
    variables = own + learned
    optimizer.build(variables)
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    find = _in_micro_batches(micro_batches) if micro_batches > 1 else _at_once

    def step(batch):
        gradients, losses = find(model, optimizer, objective, batch, own, learned)
        # Keras adds up the gradients of the replicas. Those of the objective's
        # own weights are the whole batch's in each of them already.
        gradients[len(own) :] = [g / replicas for g in gradients[len(own) :]]
        if replicas > 1 and _looks_at_gradients(optimizer):
            gradients = distribution.average(gradients)
        optimizer.apply(gradients, variables)
        return losses

    return step if replicas > 1 else tf.function(step, jit_compile=jit_compile)


def _looks_at_gradients(optimizer):
    """Whether it clips or checks gradients, before Keras adds up the replicas'."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    clips = (inner.clipnorm, inner.global_clipnorm, inner.clipvalue)
    return inner is not optimizer or any(limit is not None for limit in clips)


def _at_once(model, optimizer, objective, batch, own, learned):
    with tf.GradientTape() as tape:
        outputs = model(batch["image"], training=True)
        total, tasks = objective(batch, distribution.gather(outputs))
        scaled = optimizer.scale_loss(total)
    return tape.gradient(scaled, own + learned), {"loss": total, **tasks}


def _in_micro_batches(count):
    """Gradients of the whole batch, with one part of it in memory at a time.

    First the outputs of all parts, without a tape; then the loss of the whole
    batch, whatever it is, and its gradient by the outputs; then each part once
    more, backwards from there. A third more work than adding up the gradients
    of losses of the parts, and right for every loss. Batch normalisation sees
    one part at a time.
    """

    def find(model, optimizer, objective, batch, own, learned):
        parts = tf.split(batch["image"], count)
        state = model.non_trainable_variables
        before = [tf.identity(variable.value) for variable in state]
        found = []
        for part in parts:
            with tf.control_dependencies(tf.nest.flatten(found[-1:])):
                found.append(model(tf.identity(part), training=True))
        # The same dropout again, and moving averages that have moved once.
        for variable, value in zip(state, before):
            variable.assign(value)
        outputs = {name: tf.concat([f[name] for f in found], 0) for name in found[0]}
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            total, tasks = objective(batch, distribution.gather(outputs))
            scaled = optimizer.scale_loss(total)
        by_output, by_learned = tape.gradient(scaled, [outputs, learned])
        by_output = {n: g for n, g in by_output.items() if g is not None}
        slices = {n: tf.split(g, count) for n, g in by_output.items()}
        sums = None
        for number, part in enumerate(parts):
            with tf.control_dependencies(sums or []), tf.GradientTape() as tape:
                outputs = model(tf.identity(part), training=True)
                targets = [outputs[name] for name in slices]
            more = tape.gradient(targets, own, [s[number] for s in slices.values()])
            sums = more if sums is None else [a + b for a, b in zip(sums, more)]
        return [*sums, *by_learned], {"loss": total, **tasks}

    return find


def make_counted_step(step, state, *, strategy=None, average=None):
    """Returns `step(batch)` that adds its losses to `state` and counts itself.

    Nothing is returned, so the host need not wait for the device.

    Args:
        step: From `make_train_step`.
        state: Of the run.
        strategy: Whose replicas run it; by default one.
        average: A `WeightAverage` that is kept up, or None.
    """

    @tf.function
    def counted(batch):
        if strategy is None or strategy.num_replicas_in_sync == 1:
            losses = step(batch)
        else:
            # The same in every replica.
            mean = lambda loss: strategy.reduce("MEAN", loss, axis=None)
            losses = tf.nest.map_structure(mean, strategy.run(step, args=(batch,)))
        state.add(losses)
        if average is not None:
            average.update()

    return counted
