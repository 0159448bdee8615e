"""One step of training: forwards, backwards, update, count."""

import math

import tensorflow as tf

from fer_tf.model_io.protocol import Protocol
from trainers.common.cli import UsageError
from trainers.training import distribution


class State(tf.Module):
    """What a run must keep besides model and optimizer: counters, losses, scores."""

    def __init__(self, tasks):
        super().__init__()
        counter = lambda value: tf.Variable(value, dtype=tf.int64, trainable=False)
        number = lambda value: tf.Variable(value, trainable=False)
        self.step, self.stage = counter(0), counter(0)
        self.first_bad_step, self.loss_steps = counter(-1), counter(0)
        self.loss_sums = {name: number(0.0) for name in ("loss", *tasks)}
        self.best = {protocol: number(-math.inf) for protocol in Protocol}

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
        """Starts a new mean."""
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
        raise UsageError(
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

    The step captures the trainable variables when it is made. Make a new one after
    freezing or unfreezing a layer. Under a strategy's scope each replica runs the
    step, which is then not compiled by itself.

    Args:
        model: The model that is trained.
        optimizer: Built here for the weights of the model and the objective.
        objective: See `trainers.training.objectives`.
        jit_compile: Whether XLA compiles it.
        micro_batches: Number of parts that the batch is split into.
    """
    own = list(model.trainable_variables)
    learned = list(objective.layer.trainable_variables) if objective.layer else []
    variables = own + learned
    optimizer.build(variables)
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    compute = _in_micro_batches(micro_batches) if micro_batches > 1 else _at_once

    def step(batch):
        gradients, losses = compute(model, optimizer, objective, batch, own, learned)
        # Keras adds up the replicas' gradients. For the objective's own weights each
        # replica already has the gradient of the whole batch.
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

    Three passes: the outputs of all parts, without a tape; the loss of the whole batch
    and its gradient with respect to the outputs; each part again, backwards from that
    gradient. This costs a third more than adding up gradients of the parts' own losses,
    and it is right for losses of the whole batch, such as a correlation. Batch
    normalisation sees one part at a time.
    """

    def compute(model, optimizer, objective, batch, own, learned):
        split = lambda x: tf.reshape(x, [count, x.shape[0] // count, *x.shape[1:]])
        join = lambda x: tf.reshape(x, [x.shape[0] * x.shape[1], *x.shape[2:]])
        parts = split(batch["image"])
        moved = model.non_trainable_variables
        before = [tf.identity(variable.value) for variable in moved]
        like = {
            name: tf.TensorSpec([parts.shape[1], *output.shape[1:]], output.dtype)
            for name, output in model.output.items()
        }
        outputs = _map(lambda part: model(part, training=True), parts, like)
        # So that the second pass has the same dropout, and averages move only once.
        for variable, value in zip(moved, before):
            variable.assign(value)
        whole = tf.nest.map_structure(join, outputs)
        with tf.GradientTape() as tape:
            tape.watch(whole)
            total, tasks = objective(batch, distribution.gather(whole))
            scaled = optimizer.scale_loss(total)
        by_output, by_learned = tape.gradient(scaled, [whole, learned])
        slices = {n: split(g) for n, g in by_output.items() if g is not None}
        # Tracing a part shows which variables have a gradient at all.
        used = [False] * len(own)

        def add_backwards(sums, part_and_gradients):
            part, gradients = part_and_gradients
            with tf.GradientTape() as tape:
                outputs = model(part, training=True)
                targets = [outputs[name] for name in gradients]
            own_gradients = tape.gradient(targets, own, list(gradients.values()))
            used[:] = [gradient is not None for gradient in own_gradients]
            return [s if g is None else s + g for s, g in zip(sums, own_gradients)]

        zeros = [tf.zeros_like(variable.value) for variable in own]
        sums = _fold(add_backwards, (parts, slices), zeros)
        gradients = [s if has_one else None for s, has_one in zip(sums, used)]
        return [*gradients, *by_learned], {"loss": total, **tasks}

    return compute


# The parts run one after another, in a loop of the graph. TensorFlow would run the
# parts of a Python loop side by side, and control dependencies do not help: its
# dependency optimizer (2.21) then spoils gradients now and then. Replicas use a Python
# loop all the same, since their batch normalisations cannot synchronise in a graph's.


def _map(function, parts, like):
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        results = [function(part) for part in tf.unstack(parts)]
        return tf.nest.map_structure(lambda *x: tf.stack(x), *results)
    return tf.map_fn(function, parts, fn_output_signature=like, parallel_iterations=1)


def _fold(function, parts, start):
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        for number in range(tf.nest.flatten(parts)[0].shape[0]):
            at = tf.nest.map_structure(lambda x: x[number], parts)  # noqa: B023
            start = function(start, at)
        return start
    return tf.foldl(function, parts, initializer=start, parallel_iterations=1)


def make_counted_step(step, state, *, strategy=None, average=None):
    """Returns `step(batch)`, which trains on a batch and counts it in `state`.

    It returns nothing, so the host need not wait for the device.

    Args:
        step: From `make_train_step`.
        state: Of the run.
        strategy: Its replicas run the step; by default one device does.
        average: A `WeightAverage` to update after the step, or None.
    """

    @tf.function
    def counted(batch):
        if strategy is None or strategy.num_replicas_in_sync == 1:
            losses = step(batch)
        else:
            # Every replica has the same losses.
            mean = lambda loss: strategy.reduce("MEAN", loss, axis=None)
            losses = tf.nest.map_structure(mean, strategy.run(step, args=(batch,)))
        state.add(losses)
        if average is not None:
            average.update()

    return counted
