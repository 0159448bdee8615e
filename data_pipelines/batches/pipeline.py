"""Prepared folders -> batches, as `tf.data`.

Training batches are an endless stream in which every batch is full: the
remainder of an epoch is carried into the next one's first batch. Which examples
a batch holds depends on its step and the seed alone
(`data_pipelines.batches.sampling`), so a stream that starts at step s is the tail of
one that started at 0. `data_pipelines.batches.arrays` gives the same batches without
TensorFlow.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from data_pipelines.batches import ops as batch_ops
from data_pipelines.batches import sampling
from data_pipelines.batches.ops import Op
from data_pipelines.storage import records
from data_pipelines.storage.prepared import Prepared
from data_pipelines.storage.prepared import open_prepared as open_prepared

AUTOTUNE = tf.data.AUTOTUNE

Read = Callable[[tf.Tensor], dict[str, tf.Tensor]]


def train_batches(
    prepared: Prepared,
    ops: Sequence[Op],
    *,
    size: int,
    channels: int,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    shuffle_window: int = sampling.WINDOW,
    sample: str = "all",
    limit: int = 0,
) -> tf.data.Dataset:
    """Endless, shuffled, full batches of the training split.

    Args:
        prepared: Where the examples are.
        ops: Applied in order to each batch; see `data_pipelines.batches.ops`.
        size: Side to which pictures are brought, if theirs is another.
        channels: 1 or 3.
        batch_size: Examples per batch.
        seed: Of the order; random ops have their own.
        start_step: First step of the stream.
        shuffle_window: Examples that are shuffled together; larger blocks are
            shuffled every epoch too.
        sample: How an epoch's examples are drawn: one of
            `data_pipelines.batches.sampling.NAMES`.
        limit: Examples per class or video, for the ways that have a limit.

    Returns:
        Dataset of feature dicts of leading dimension `batch_size`.

    Raises:
        DataError: If an epoch has fewer examples than one batch.

    >>> import tempfile
    >>> from data_pipelines.preparation.prepare import prepare
    >>> from data_pipelines.sources import open_source
    >>> source, folder = open_source("synthetic", "examples=9"), tempfile.mkdtemp()
    >>> manifest = prepare(source, folder, crop_spec=source.crop_spec(), format="npz")
    >>> batches = train_batches(open_prepared(folder), [], size=48, channels=1,
    ...                         batch_size=4, seed=0)
    >>> next(iter(batches))["image"].shape.as_list()
    [4, 48, 48, 1]
    """
    order = sampling.order(
        prepared, name=sample, limit=limit, seed=seed, window=shuffle_window
    )
    sampling.require_a_batch(prepared, order, batch_size)
    read = _reader(prepared, "train", size, channels)

    def places(step):
        look_up = lambda step: order.batch(int(step), batch_size)
        columns = _numpy(look_up, [step], [tf.int64, tf.int64])
        return tuple(tf.ensure_shape(x, (batch_size,)) for x in columns)

    def batch(rows, turns):
        return batch_ops.apply(ops, {**read(rows), "epoch": turns})

    steps = tf.data.Dataset.range(start_step, 2**62)
    ds = steps.map(places).map(batch, num_parallel_calls=AUTOTUNE)
    return ds.prefetch(AUTOTUNE)


def eval_batches(
    prepared: Prepared,
    split: str,
    ops: Sequence[Op] = (),
    *,
    size: int,
    channels: int,
    batch_size: int,
) -> tf.data.Dataset:
    """One ordered pass; the last batch is filled up, and `mask` marks the real rows.

    Filling instead of a short batch keeps every shape static, so a compiled
    step compiles once and no example is dropped.

    Args:
        prepared: Where the examples are.
        split: One of its splits.
        ops: Applied in order to each batch; see `data_pipelines.batches.ops`.
        size: Side to which pictures are brought, if theirs is another.
        channels: 1 or 3.
        batch_size: Examples per batch.

    Returns:
        Dataset of feature dicts of leading dimension `batch_size`, with `mask`,
        float32 `(batch_size,)`, 1 for a real row and 0 for a filled-up one.

    Raises:
        DataError: If the split is empty.

    >>> import tempfile
    >>> from data_pipelines.preparation.prepare import prepare
    >>> from data_pipelines.sources import open_source
    >>> source, folder = open_source("synthetic", "examples=9"), tempfile.mkdtemp()
    >>> manifest = prepare(source, folder, crop_spec=source.crop_spec(), format="npz")
    >>> prepared = open_prepared(folder)
    >>> batches = eval_batches(prepared, "train", size=48, channels=1, batch_size=64)
    >>> int(next(iter(batches))["mask"].numpy().sum()) == prepared.count("train")
    True
    """
    read = _reader(prepared, split, size, channels)

    def batch(rows):
        return batch_ops.apply(ops, batch_ops.fill_up(read(rows), batch_size))

    rows = tf.data.Dataset.range(prepared.count(split)).batch(batch_size)
    return rows.map(batch, num_parallel_calls=AUTOTUNE).prefetch(AUTOTUNE)


def for_fit(batches: tf.data.Dataset, tasks: Sequence[str]) -> tf.data.Dataset:
    """Batches as `model.fit` takes them: `(image, labels, weights)`.

    Args:
        batches: From `train_batches` (endless: give `fit` its
            `steps_per_epoch`) or `eval_batches`.
        tasks: Labels, such as `expression`.

    Returns:
        Dataset of `(image, {task: label}, {task: weight})`; a filled-up row of
        an evaluation batch has weight 0.
    """
    return batches.map(functools.partial(batch_ops.for_fit, tasks=tasks))


def _numpy(function, inputs, kinds):
    # Stateless: with deterministic ops, others would not run in parallel.
    return tf.numpy_function(function, inputs, kinds, stateful=False)


def _reader(prepared, split, size, channels) -> Read:
    """Returns `read(rows)`, to features with pictures of one size and colour."""
    files = prepared.files(split)
    if prepared.format == "npz":
        return _array_reader(files, size, channels)
    spec = records.feature_spec(prepared.manifests[0])
    if prepared.has_votes:
        none = [0.0] * len(prepared.expressions)
        spec["votes"] = tf.io.FixedLenFeature((len(none),), tf.float32, none)
    if not prepared.keeps_landmarks:
        # Data sets with different numbers of points are read without points.
        del spec["landmarks"], spec["landmarks_weight"]
    decode = _decoder(prepared.crop_specs, size, channels)
    sides = np.array([spec.size for spec in prepared.crop_specs])
    scales = (size / sides).astype(np.float32)

    def read(rows):
        lookup = lambda rows: (files.read(rows), files.folders[rows])
        columns = _numpy(lookup, [rows], [tf.string, tf.int64])
        serialized, folders = (tf.ensure_shape(x, rows.shape) for x in columns)
        batch = tf.io.parse_example(serialized, spec)
        batch["image"] = decode(batch["image"], folders)
        if "landmarks" in batch:
            # (0, 0) is the centre of the first pixel, whose place depends on the size.
            scale = tf.gather(scales, folders)[:, None, None]
            batch["landmarks"] = batch["landmarks"] * scale + (scale - 1) / 2
        else:
            batch["landmarks"] = tf.zeros((tf.shape(rows)[0], 0, 2))
            batch["landmarks_weight"] = tf.zeros((tf.shape(rows)[0],))
        return batch

    return read


def _array_reader(files, size, channels):
    """Returns `read(rows)` for npz files, which NumPy reads and brings to size."""
    example = files.read(np.zeros(1, np.int64), size=size, channels=channels)
    names = sorted(example)

    def read(rows):
        lookup = lambda rows: [
            files.read(rows, size=size, channels=channels)[name] for name in names
        ]
        kinds = [tf.as_dtype(example[name].dtype) for name in names]
        columns = _numpy(lookup, [rows], kinds)
        return {
            name: tf.ensure_shape(value, (*rows.shape, *example[name].shape[1:]))
            for name, value in zip(names, columns)
        }

    return read


def _decoder(specs, size, channels):
    """Returns `decode(pngs, folders)`, to pictures of one size and colour."""
    alike = len({(spec.size, spec.color) for spec in specs}) == 1

    def picture(png, spec):
        image = tf.io.decode_png(png, channels=spec.channels)
        return tf.ensure_shape(image, (spec.size, spec.size, spec.channels))

    def decode(pngs, folders):
        if alike:
            images = tf.map_fn(
                lambda png: picture(png, specs[0]), pngs, fn_output_signature=tf.uint8
            )
            return _to_size(images, size, channels)
        cases = [
            lambda png, s=spec: _to_size(picture(png, s), size, channels)
            for spec in specs
        ]
        choose = lambda png, folder: tf.switch_case(
            tf.cast(folder, tf.int32), [lambda c=case: c(png) for case in cases]
        )
        return tf.map_fn(
            lambda pair: choose(*pair), (pngs, folders), fn_output_signature=tf.uint8
        )

    return decode


def _to_size(images, size, channels):
    """One picture or a batch at a size and colour; see `array_files.to_size`."""
    side, stored = images.shape[-2], images.shape[-1]
    if side != size:
        method = "area" if size < side else "bilinear"
        images = tf.image.resize(images, (size, size), method=method)
        images = tf.cast(tf.clip_by_value(tf.round(images), 0, 255), tf.uint8)
    if stored == channels:
        return images
    grey = stored == 1
    return (tf.image.grayscale_to_rgb if grey else tf.image.rgb_to_grayscale)(images)
