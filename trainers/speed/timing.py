"""The measurements behind `trainers.benchmark`.

Two ways are timed in turns, A B A B, and the median of the pairwise ratios is reported:
the speed of a shared machine drifts, a ratio hardly does.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

import fer_tf
from data_pipelines.batches import ops, pipeline
from data_pipelines.preparation import prepare
from data_pipelines.sources import open_source
from fer_tf import losses
from fer_tf.layers.batch_normalization import BatchNormalization
from fer_tf.layers.grouped_conv2d import GroupedConv2D
from fer_tf.layers.small_map_conv2d import SmallMapConv2D
from fer_tf.optimizers import CoupledSGD
from fer_tf.utils import flops
from fer_tf.utils.backend import require_tensorflow
from trainers.common import memory
from trainers.training import precision, steps

# Rows and columns of the matrices whose product shows what the machine can compute.
_SIDE = 2048


def device() -> str:
    """Name of the GPU, or else of the processor."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return tf.config.experimental.get_device_details(gpus[0])["device_name"]
    return processor()


def processor(cpuinfo: str = "/proc/cpuinfo") -> str:
    """Name of the processor, its threads, and its instructions for bfloat16.

    Two threads say little: on two machines they trained VGG19 at 91 and at 200 images a
    second.

    Args:
        cpuinfo: Linux's description of the processors; other systems have none.
    """
    # Only Linux tells which of them this process may use.
    own = getattr(os, "sched_getaffinity", None)
    threads = f"{len(own(0)) if own else os.cpu_count()} threads"
    facts = precision.processor_facts(cpuinfo)
    named = filter(None, [facts.get("model name")])
    return ", ".join(["CPU", threads, *named, *precision.bfloat16_units(cpuinfo)])


def train(
    model_name: str, *, batch_size: int, dtype_policy: str, seconds: float
) -> dict:
    """Training rates: our layers, Keras' own, and ours in the training loop."""
    require_tensorflow("the training benchmark")
    if dtype_policy == "auto":
        dtype_policy = precision.fastest()
    ours = _build(model_name, dtype_policy)
    batch = _batch(ours.inputs[0].shape[1:], batch_size)
    jit = steps.should_jit("auto")
    step = _our_step(ours)
    for _ in range(2):
        np.asarray(step(batch)["loss"])
    peak = memory.peak()  # Before the other graph is built.
    stock = stock_model(ours)
    plain = keras.optimizers.SGD(0.01, momentum=0.9)
    stock_step = steps.make_train_step(stock, plain, _Total(), jit_compile=jit)
    state = steps.State(_Total.tasks)
    counted = steps.make_counted_step(step, state)
    stream = iter(tf.data.Dataset.from_tensors(batch).repeat().prefetch(2))

    runs = {
        "": lambda: step(batch)["loss"],
        "stock_keras": lambda: stock_step(batch)["loss"],
        "loop": lambda: counted(next(stream)) or state.step,
        "product": _product(dtype_policy),
    }
    rates = in_turns(runs, batch_size, seconds)
    products = statistics.median(rates.pop("product")) / batch_size
    rates = result("train", rates)
    gflops = flops.flops_per_image(ours) / 1e9
    return rates | {
        # Backwards, each product is made twice: for the weights and for the input.
        "gflops_per_second": 3 * gflops * rates["images_per_second"],
        "product_gflops_per_second": products * 2 * _SIDE**3 / 1e9,
        "model": model_name,
        "batch_size": batch_size,
        "dtype_policy": dtype_policy,
        "parameters": ours.count_params(),
        "gflops_per_image": gflops,
        "peak_memory_mib": _mib(peak),
    }


def _product(dtype_policy):
    """A function that multiplies two large matrices: it hardly waits for memory."""
    dtype = keras.DTypePolicy(dtype_policy).compute_dtype
    matrix = tf.cast(tf.random.stateless_normal((_SIDE, _SIDE), (0, 0)), dtype)
    return lambda: tf.cast(tf.linalg.matmul(matrix, matrix)[0, 0], "float32")


def _our_step(model):
    optimizer = CoupledSGD(0.01, momentum=0.9, weight_decay=5e-4)
    jit = steps.should_jit("auto")
    return steps.make_train_step(model, optimizer, _Total(), jit_compile=jit)


def policies(model_names: Sequence[str], *, batch_size: int, seconds: float) -> dict:
    """Training rates in float32 and in mixed_bfloat16, and which of them "auto" takes.

    Both are timed in turns. A processor without instructions for bfloat16 is hundreds
    of times slower in it, and is not asked for more than float32.

    Returns:
        `{"what", "device", "auto", "models": {name: rates}}`. `auto_ratio` of a model
        is the speed of "auto" as a multiple of the faster one's.
    """
    require_tensorflow("the training benchmark")
    auto, models = precision.fastest(), {}
    timed = [precision.FLOAT32]
    if auto == precision.BFLOAT16 or precision.bfloat16_units():
        timed.append(precision.BFLOAT16)
    for name in model_names:
        runs = {policy: stepping(name, policy, batch_size) for policy in timed}
        rates = in_turns(runs, batch_size, seconds)
        rates = {policy: statistics.median(values) for policy, values in rates.items()}
        models[name] = {
            "batch_size": batch_size,
            **{f"{policy}_per_second": rate for policy, rate in rates.items()},
            "auto_ratio": rates[auto] / max(rates.values()),
        }
    return {"what": "precision", "device": device(), "auto": auto, "models": models}


def stepping(name: str, dtype_policy: str, batch_size: int) -> Callable:
    """Returns a function that makes a training step of a new model."""
    model = _build(name, dtype_policy)
    step, batch = _our_step(model), _batch(model.inputs[0].shape[1:], batch_size)
    return lambda: step(batch)["loss"]


def input_rate(data: str | None, *, batch_size: int, seconds: float) -> dict:
    """Rate of the pipeline: training batches of 44 px windows."""
    with tempfile.TemporaryDirectory() as scratch:
        if data is None:
            source = open_source("synthetic", "examples=2000,size=48")
            spec = source.crop_spec()
            prepare.prepare(source, scratch, crop_spec=spec)
            data = scratch
        prepared = pipeline.open_prepared(data)
        stream = pipeline.train_batches(
            prepared,
            [ops.random_crop(44, seed=0), ops.random_flip(seed=0),
             ops.to_model_input()],
            size=48, channels=1, batch_size=batch_size, seed=0,
        )  # fmt: skip
        batches = iter(stream)
        for _ in range(20):
            next(batches)
        start, before, count = time.perf_counter(), memory.peak(), 0
        cpu = time.process_time()
        while time.perf_counter() - start < seconds:
            next(batches)
            count += batch_size
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        return result("input", {"": [count / wall]}) | {
            "images_per_cpu_second": count / cpu,
            "memory_growth_mib": before and _mib(memory.peak() - before),
            "dataset": prepared.dataset,
        }


# Our faster forms of Keras layers, which take the same arguments.
_STOCK = {
    BatchNormalization: keras.layers.BatchNormalization,
    GroupedConv2D: keras.layers.Conv2D,
    SmallMapConv2D: keras.layers.Conv2D,
}


class _Total:
    """A plain sum of every output's loss, so that any model can be timed."""

    tasks = ()
    layer = None

    def __call__(self, batch, outputs):
        total = 0.0
        for name, value in outputs.items():
            if name in ("expression", "is_face"):
                labels = tf.zeros(tf.shape(value)[:1], tf.int64)
                total += tf.reduce_mean(losses.cross_entropy(labels, value))
            else:
                total += tf.reduce_mean(tf.square(tf.cast(value, tf.float32)))
        return total, {}


def _build(name, dtype_policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype_policy)
    try:
        return fer_tf.create_model(name)
    finally:
        keras.config.set_dtype_policy(before)


def stock_model(ours: keras.Model) -> keras.Model:
    """The same graph, and the graphs inside it, of Keras' own layers."""
    return keras.models.clone_model(ours, clone_function=_stock_layer, recursive=True)


def _stock_layer(layer):
    """A copy of a layer: Keras' own if ours is a faster form of one."""
    return _STOCK.get(type(layer), type(layer)).from_config(layer.get_config())


def _batch(shape, batch_size):
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 255, (batch_size, *shape)).astype(np.float32)
    return {"image": tf.constant(image)}


def in_turns(runs: dict, images: int, seconds: float, *, calls: int = 2) -> dict:
    """Times functions in turns.

    Args:
        runs: Functions by name; in a comparison ours is `""`. A call ends when its
            result is on the host.
        images: Images of each call.
        seconds: About how long each function is measured.
        calls: Calls in a turn, and calls to warm up before the first.

    Returns:
        `{name: [images per second]}`, a rate for each turn.
    """
    for run in runs.values():
        for _ in range(calls):
            np.asarray(run())
    rates = {name: [] for name in runs}
    end = time.perf_counter() + seconds * len(runs)
    while time.perf_counter() < end or len(rates[next(iter(runs))]) < 3:
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(calls):
                value = run()
            np.asarray(value)
            rates[name].append(calls * images / (time.perf_counter() - start))
    return rates


def result(what: str, rates: dict) -> dict:
    """The medians of the rates of `in_turns`, and of the ratios of ours to others."""
    medians = {
        "what": what,
        "device": device(),
        "images_per_second": statistics.median(rates[""]),
    }
    for name, values in rates.items():
        if name:
            medians[f"{name}_per_second"] = statistics.median(values)
            ratios = [a / b for a, b in zip(rates[""], values)]
            medians[f"{name}_ratio"] = statistics.median(ratios)
    return medians


def photographs(folder: str) -> list[str]:
    """Paths of the JPEG and PNG files below a folder, sorted.

    Raises:
        ValueError: If there is none.
    """
    paths = sorted(
        os.path.join(where, name)
        for where, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith((".jpg", ".jpeg", ".png"))
    )
    if not paths:
        raise ValueError(f"{folder}: no photographs here")
    return paths


def _mib(size):
    """Bytes in MiB; None stays None."""
    return None if size is None else size / 2**20
