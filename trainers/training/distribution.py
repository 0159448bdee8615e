"""Training on one device, on several, or on several hosts.

Every replica gets its own rows of the images and the labels of the *whole* batch. The
outputs are gathered before the loss, so each replica computes the loss of the whole
batch, even if that is a concordance correlation, a mean over the valid rows or a
median. An objective therefore needs to know nothing about replicas. In the backward
pass each replica follows its own rows, and the gradients add up to those of one device.

Hosts share the folders of the data and of the run. The first host writes.
"""

import json
import os
import sys

import tensorflow as tf

from fer_tf.arguments import require, require_one_of
from trainers.common.cli import UsageError

STRATEGIES = ("auto", "one", "mirrored", "multi_worker")
# Errors that the other workers see when one dies.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)
# Distance between the dropout seeds of two replicas.
_SEED_STRIDE = 1_000_003


def make_strategy(config) -> tf.distribute.Strategy:
    """Returns the strategy that the config names; call it before using TensorFlow.

    `auto`: several hosts where `TF_CONFIG` names several workers, else all GPUs
    where there are several, else one device.

    Raises:
        UsageError: If there is no such strategy, the batch cannot be shared out
            among the replicas, or XLA is asked for with several.
    """
    name = config.strategy
    require_one_of(STRATEGIES, UsageError, strategy=name)
    if name == "auto":
        gpus = tf.config.list_physical_devices("GPU")
        name = "mirrored" if len(gpus) > 1 else "one"
        name = "multi_worker" if len(_workers()) > 1 else name
    if name == "one":
        strategy = tf.distribute.get_strategy()
    elif name == "mirrored":
        devices = tf.config.list_logical_devices("GPU")
        devices = devices or tf.config.list_logical_devices("CPU")
        strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    else:
        if not _workers():
            raise UsageError(
                "`strategy` multi_worker needs the environment variable TF_CONFIG "
                "with the addresses of the workers."
            )
        print(f"waiting for {len(_workers())} workers", file=sys.stderr, flush=True)
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    _check(config, strategy.num_replicas_in_sync)
    return strategy


def _workers():
    """Addresses of the hosts that train together, from `TF_CONFIG`."""
    text = os.environ.get("TF_CONFIG", "{}")
    try:
        cluster = json.loads(text).get("cluster", {})
    except (json.JSONDecodeError, AttributeError) as error:
        raise UsageError(f"TF_CONFIG is not a JSON object: {text[:80]!r}") from error
    return [*cluster.get("chief", ()), *cluster.get("worker", ())]


def _check(config, replicas):
    count = config.micro_batches
    require(count >= 1, "be at least 1", UsageError, micro_batches=count)
    parts = replicas * count
    if config.batch_size % parts:
        raise UsageError(
            f"`batch_size` {config.batch_size} cannot be shared out evenly among "
            f"{replicas} replicas with {config.micro_batches} micro-batches each."
        )
    if replicas > 1 and str(config.jit_compile).lower() == "true":
        raise UsageError(
            f"`jit_compile` true needs one device: XLA and {replicas} replicas do not "
            "go together. Leave it at auto."
        )


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the run's files."""
    if not several_hosts(strategy):
        return True
    resolver = strategy.cluster_resolver
    return resolver.task_type == "chief" or (
        resolver.task_id == 0 and "chief" not in resolver.cluster_spec().jobs
    )


def spread(strategy: tf.distribute.Strategy, stream: tf.data.Dataset):
    """Batches for the replicas: each has its own images and everybody's labels.

    Args:
        strategy: From `make_strategy`.
        stream: Endless, of dicts with `image`; the same in every process.

    Returns:
        The stream itself on one device, else a distributed dataset.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return stream

    def of_this_process(context):
        local = replicas // context.num_input_pipelines
        first = local * context.input_pipeline_id

        def own(batch, replica):
            rows = batch["image"].shape[0] // replicas
            image = batch["image"][replica * rows : (replica + 1) * rows]
            return {**batch, "image": tf.ensure_shape(image, [rows, *image.shape[1:]])}

        # One element for each replica of this process, in order.
        numbers = tf.data.Dataset.range(first, first + local)
        ds = stream.flat_map(
            lambda batch: numbers.map(lambda replica: own(batch, replica))
        )
        # Without it the hosts ask one another before every batch whether there is one.
        endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
        return ds.apply(endless).prefetch(local)

    return strategy.distribute_datasets_from_function(of_this_process)


def gather(outputs: dict) -> dict:
    """The outputs of the whole batch in every replica; gradients go to its own rows.

    Args:
        outputs: `{name: (rows of this replica, ...)}`, within a replica's context.

    Returns:
        `{name: (rows of all replicas, ...)}`, the same in each.
    """
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    if replicas == 1:
        return outputs
    number = context.replica_id_in_sync_group

    @tf.custom_gradient
    def whole(own):
        rows = own.shape[0]
        first = number * rows
        around = [[first, (replicas - 1) * rows - first]]
        padded = tf.pad(own, around + [[0, 0]] * (own.shape.rank - 1))
        # Exact: every row is one replica's number plus zeros.
        total = context.all_reduce(tf.distribute.ReduceOp.SUM, padded)
        total = tf.ensure_shape(total, [replicas * rows, *own.shape[1:]])
        return total, lambda gradient: gradient[first : first + rows]

    return {name: whole(value) for name, value in outputs.items()}


def average(gradients: list) -> list:
    """The gradients' mean over the replicas, the same in each."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return gradients
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)


def spread_seeds(strategy, seeds: list[tf.Variable]) -> None:
    """Gives every replica dropout seeds of its own, derived from the first's."""
    if strategy.num_replicas_in_sync == 1:
        return

    def shift():
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        for seed in seeds:
            stride = tf.cast(number * _SEED_STRIDE, seed.dtype)
            seed.assign(seed + tf.stack([stride, tf.zeros_like(stride)]))

    tf.function(lambda: strategy.run(shift))()


def meet(strategy) -> None:
    """Waits until every host has reached this point."""
    if strategy.num_replicas_in_sync > 1:

        @tf.function
        def count():
            one = strategy.run(lambda: tf.constant(1.0))
            return strategy.reduce(tf.distribute.ReduceOp.SUM, one, axis=None)

        float(count())


def several_hosts(strategy) -> bool:
    """Whether other processes train in step with this one."""
    resolver = strategy.cluster_resolver
    return resolver is not None and bool(resolver.cluster_spec().as_dict())


def is_lost_worker(error: Exception) -> bool:
    """Whether an error means that another host is gone."""
    return isinstance(error, _LOST)


def begin_again() -> None:
    """Replaces this process by a new run of the same command."""
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)
