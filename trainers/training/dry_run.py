"""What `--dry_run` prints: shapes, sizes, and time to expect from timed steps."""

import time

import numpy as np
import tensorflow as tf

from fer_tf.utils import flops
from trainers.common import memory
from trainers.training.run import TrainingRun

TIMED_STEPS = 2


def describe(run: TrainingRun) -> str:
    """Describes a run after a few steps of each stage; nothing is written.

    Args:
        run: Not yet trained.
    """
    config, model, prepared = run.config, run.model, run.prepared
    replicas = run.strategy.num_replicas_in_sync
    spec = run.spec
    lines = [
        f"model {config.model.name}: {model.count_params():,} parameters, "
        f"{flops.flops_per_image(model) / 1e9:.2f} GFLOPs an image",
        f"image {model.inputs[0].shape[1:]} from crops {spec.name} {spec.size}x"
        f"{spec.size} {spec.color}",
        *(f"output {name} {value.shape[1:]}" for name, value in model.output.items()),
        f"data {prepared.dataset}: {run.num_train:,} train, "
        f"{prepared.count('validation'):,} validation, {prepared.count('test'):,} test",
    ]
    training, evaluations = 0.0, 0
    for number, stage in enumerate(config.stages):
        total = run.total_steps(stage)
        seconds, trained, slots = _timed(run, number, stage)
        training += total * seconds
        evaluations += len(run.epoch_ends(total))
        lines.append(
            f"stage {stage.name}: {trained:,} trained parameters, {slots:,} optimizer "
            f"values; {total:,} steps of {config.batch_size} at {seconds:.3f} s"
        )
    evaluating = evaluations * _evaluation_seconds(run)
    lines += [
        f"memory: {_memory()}",
        f"time: {_duration(training + evaluating)} ({_duration(training)} training, "
        f"{_duration(evaluating)} in {evaluations} evaluations) on {replicas} "
        f"device(s), by {TIMED_STEPS} timed steps of each stage",
    ]
    return "\n".join(lines)


def _duration(seconds):
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} seconds"


def _timed(run, number, stage):
    """Seconds a step; the numbers of trained parameters and of optimizer values."""
    optimizer, step = run.prepare_stage(number)
    batches = iter(run.train_batches(0))
    step(next(batches))  # Traces and compiles.
    wait = lambda: int(run.state.step)
    wait()
    start = time.perf_counter()
    for _ in range(TIMED_STEPS):
        step(next(batches))
    wait()
    seconds = (time.perf_counter() - start) / TIMED_STEPS
    size = lambda variables: sum(int(np.prod(v.shape)) for v in variables)
    trained = run.set_trainable(stage).trainable_variables
    return seconds, size(trained), size(optimizer.variables)


def _evaluation_seconds(run):
    """Seconds of one evaluation of every split, estimated from a batch of each."""
    seconds = 0.0
    for split, stream in run.eval_streams.items():
        batches = -(-run.prepared.count(split) // run.config.eval_batch_size)
        (batch,) = stream.take(1)
        start = time.perf_counter()
        run.selector.predictions([batch])
        seconds += batches * (time.perf_counter() - start)
    return seconds


def _memory():
    """Peak memory of the GPU if there is one, else of the process."""
    if tf.config.list_physical_devices("GPU"):
        peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
        return f"{peak / 2**30:.2f} GiB of the GPU at most in these steps"
    peak = memory.peak()
    if peak is None:
        return "not known on this system"
    return f"{peak / 2**30:.2f} GiB at most in these steps, TensorFlow itself included"
