"""Prepared folders -> batches, as `tf.data`.

Training batches are an endless stream in which every example comes once an
epoch and every batch is full: the remainder of an epoch is carried into the
next one's first batch. Step s therefore always holds the same examples, and a
stream that starts at step s is the tail of one that started at 0.
"""

import dataclasses
import os
from collections.abc import Sequence

import tensorflow as tf

from data_pipelines import records
from data_pipelines.ops import Op
from data_pipelines.sources.sample import DataError
from fer_tf.faces.crop_spec import CropSpec

AUTOTUNE = tf.data.AUTOTUNE
# Serialized 48 px records are about 2 kB: a shuffle window of tens of MB.
SHUFFLE_WINDOW = 16384


@dataclasses.dataclass(frozen=True)
class Prepared:
    """One or several prepared folders, opened together.

    Attributes:
        folders: Paths, in the order given.
        manifests: One a folder.
    """

    folders: tuple[str, ...]
    manifests: tuple[dict, ...]

    @property
    def dataset(self) -> str:
        """Names of the data sets, joined by `+`."""
        return "+".join(manifest["dataset"] for manifest in self.manifests)

    @property
    def crop_specs(self) -> tuple[CropSpec, ...]:
        """Each folder's crop spec."""
        return tuple(CropSpec.from_dict(m["crop_spec"]) for m in self.manifests)

    def count(self, split: str) -> int:
        """Examples of a split, in all folders."""
        return sum(sum(m["counts"].get(split, {}).values()) for m in self.manifests)

    def shards(self, folder: int, split: str) -> list[str]:
        """Paths of a folder's shards of one split."""
        prefix = f"{self.manifests[folder]['dataset']}-{split}.tfrecord-"
        names = [shard["name"] for shard in self.manifests[folder]["shards"]]
        return [
            os.path.join(self.folders[folder], name)
            for name in names
            if name.startswith(prefix)
        ]


def open_prepared(data: str) -> Prepared:
    """Opens `DIR[,DIR...]` as written by `trainers.prepare`.

    Raises:
        DataError: If a folder is not a finished prepared one, or a shard is
            missing.
    """
    folders = tuple(part for part in data.split(",") if part)
    if not folders:
        raise DataError(f"no prepared folder is named in {data!r}")
    prepared = Prepared(folders, tuple(records.read_manifest(f) for f in folders))
    for folder, manifest in zip(folders, prepared.manifests):
        for shard in manifest["shards"]:
            if not os.path.exists(os.path.join(folder, shard["name"])):
                raise DataError(f"{folder}: the shard {shard['name']} is missing")
    return prepared


def train_batches(
    prepared: Prepared,
    ops: Sequence[Op],
    *,
    size: int,
    channels: int,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    shuffle_window: int = SHUFFLE_WINDOW,
) -> tf.data.Dataset:
    """Endless, shuffled, full batches of the training split.

    Args:
        prepared: Where the records are.
        ops: Applied in order to each batch; see `data_pipelines.ops`.
        size: Side to which pictures are brought, if theirs is another.
        channels: 1 or 3.
        batch_size: Examples a batch.
        seed: Of shuffling; random ops have their own.
        start_step: First step of the stream.
        shuffle_window: Records that are shuffled together; the order of the
            shards changes every epoch too.

    Returns:
        Dataset of feature dicts of leading dimension `batch_size`.

    Raises:
        DataError: If there are fewer examples than one batch.
    """
    total = prepared.count("train")
    if total < batch_size:
        raise DataError(
            f"{','.join(prepared.folders)}: {total} training examples are fewer "
            f"than one batch of {batch_size}"
        )
    shards = _tagged_shards(prepared, "train")
    first_epoch, offset = divmod(start_step * batch_size, total)

    def epoch_records(epoch):
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(shards[0])), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
        )
        files = tf.data.Dataset.from_tensor_slices(
            tuple(tf.gather(column, order) for column in shards)
        )
        ds = files.interleave(_read_shard, cycle_length=16, block_length=4)
        windows = ds.batch(shuffle_window).enumerate()
        return windows.flat_map(lambda number, window: shuffled(epoch, number, window))

    def shuffled(epoch, number, window):
        """One window in random order, a function of seed, epoch and window."""
        order = tf.random.experimental.stateless_shuffle(
            tf.range(tf.shape(window[0])[0]),
            seed=tf.stack([tf.cast(seed, tf.int64), epoch * 65_537 + number + 1]),
        )
        ds = tf.data.Dataset.from_tensor_slices(
            tuple(tf.gather(column, order) for column in window)
        )
        return ds.map(lambda folder, record: (epoch, folder, record))

    ds = tf.data.Dataset.range(first_epoch, 2**31).flat_map(epoch_records).skip(offset)
    decode = _decoder(prepared, size, channels)
    ds = ds.map(
        lambda epoch, folder, record: {**decode(folder, record), "epoch": epoch},
        num_parallel_calls=AUTOTUNE,
    )
    ds = ds.batch(batch_size, drop_remainder=True)
    ds = ds.map(lambda batch: _apply(ops, batch), num_parallel_calls=AUTOTUNE)
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
    """One ordered pass; the last batch is filled up and `mask` marks real rows.

    Filling instead of a short batch keeps every shape static, so a compiled
    step compiles once and no example is dropped.

    Raises:
        DataError: If the split is empty.
    """
    if not prepared.count(split):
        raise DataError(f"{','.join(prepared.folders)}: no {split} examples here")
    ds = tf.data.Dataset.from_tensor_slices(_tagged_shards(prepared, split))
    ds = ds.flat_map(_read_shard)
    decode = _decoder(prepared, size, channels)
    ds = ds.map(
        lambda folder, record: {
            **decode(folder, record),
            "epoch": tf.constant(0, tf.int64),
            "mask": tf.constant(1.0),
        },
        num_parallel_calls=AUTOTUNE,
    )
    ds = ds.batch(batch_size).map(lambda batch: _fill(batch, batch_size))
    return ds.map(lambda batch: _apply(ops, batch)).prefetch(AUTOTUNE)


def for_fit(batches: tf.data.Dataset, tasks: Sequence[str]) -> tf.data.Dataset:
    """Batches as `model.fit` takes them: `(image, labels, weights)`.

    Args:
        batches: From `train_batches` (endless: give `fit` its
            `steps_per_epoch`) or `eval_batches`.
        tasks: Outputs of the model that are trained, such as `expression`.

    Returns:
        Dataset of `(image, {task: label}, {task: weight})`; a filled-up row of
        an evaluation batch has weight 0.
    """

    def split(batch):
        weights = {task: batch[f"{task}_weight"] for task in tasks}
        if "mask" in batch:
            real = lambda w: tf.reshape(batch["mask"], [-1] + [1] * (w.shape.rank - 1))
            weights = {task: w * real(w) for task, w in weights.items()}
        return batch["image"], {task: batch[task] for task in tasks}, weights

    return batches.map(split)


def _tagged_shards(prepared, split):
    """All shards of a split, each with the number of its folder."""
    pairs = [
        (folder, path)
        for folder in range(len(prepared.folders))
        for path in prepared.shards(folder, split)
    ]
    folders, paths = zip(*pairs)
    return tf.constant(folders, tf.int64), tf.constant(paths)


def _read_shard(folder, path):
    return tf.data.TFRecordDataset(path).map(lambda record: (folder, record))


def _apply(ops, batch):
    for op in ops:
        batch = op(batch)
    return batch


def _decoder(prepared, size, channels):
    """Returns `decode(folder, record)`, to pictures of one size and colour."""
    specs = prepared.crop_specs
    branches = [
        lambda record, m=manifest, s=spec: _decode(record, m, s, size, channels)
        for manifest, spec in zip(prepared.manifests, specs)
    ]
    if len(branches) == 1:
        return lambda folder, record: branches[0](record)

    def decode(folder, record):
        cases = [lambda b=branch: _no_points(b(record)) for branch in branches]
        return tf.switch_case(tf.cast(folder, tf.int32), cases)

    return decode


def _no_points(example):
    """Sets give different numbers of points: together they give none."""
    return {**example, "landmarks": tf.zeros((0, 2)), "landmarks_weight": 0.0}


def _decode(record, manifest, spec, size, channels):
    example = tf.io.parse_single_example(record, records.feature_spec(manifest))
    stored = 1 if spec.color == "grey" else 3
    image = tf.io.decode_png(example["image"], channels=stored)
    image = tf.ensure_shape(image, (spec.size, spec.size, stored))
    if spec.size != size:
        method = "area" if size < spec.size else "bilinear"
        image = tf.image.resize(image, (size, size), method=method)
        image = tf.cast(tf.clip_by_value(tf.round(image), 0, 255), tf.uint8)
    if stored != channels:
        grey = stored == 1
        image = (tf.image.grayscale_to_rgb if grey else tf.image.rgb_to_grayscale)(
            image
        )
    example["landmarks"] = example["landmarks"] * (size / spec.size)
    for task in ("expression", "valence_arousal", "is_face", "landmarks"):
        example[f"{task}_weight"] = example[f"{task}_weight"][0]
    return {**example, "image": image}


def _fill(batch, batch_size):
    def fill(x):
        missing = batch_size - tf.shape(x)[0]
        padding = [[0, missing]] + [[0, 0]] * (x.shape.rank - 1)
        empty = "" if x.dtype == tf.string else tf.zeros((), x.dtype)
        x = tf.pad(x, padding, constant_values=empty)
        return tf.ensure_shape(x, [batch_size, *x.shape[1:]])

    return {name: fill(x) for name, x in batch.items()}
