"""Prepared folders -> batches for `model.fit`, without TensorFlow.

For folders prepared with `--format=npz`. The order, the augmentation and the
batches are those of `data_pipelines.batches.pipeline`, as `keras.utils.PyDataset`s of
NumPy arrays: they train on any backend, on a machine that has no TensorFlow.

`fit` wants two things said: `shuffle=False`, or it draws the order of the batches
anew, from no seed of ours; and `callbacks=[EpochOf(batches)]`, or every epoch has
the batches of the first.
"""

from collections.abc import Sequence

import keras
import numpy as np

from data_pipelines.batches import sampling
from data_pipelines.batches.array_ops import Batch, Op
from data_pipelines.sources.errors import DataError
from data_pipelines.storage.prepared import Prepared


class TrainBatches(keras.utils.PyDataset):
    """Shuffled, full batches of the training split, an epoch at a time.

    The batch at step s is a function of the seed and s. What an epoch's full
    batches leave over comes first in the next epoch.

    Attributes:
        epoch: The epoch whose batches these are, from 0; `EpochOf` sets it.
        num_steps: Batches an epoch.

    Args:
        prepared: Where the examples are, in npz files.
        ops: From `data_pipelines.batches.array_ops`, applied in order to each batch.
        tasks: Labels to train on, such as `expression`; None for plain feature
            dicts, which `fit` does not take.
        size: Side to which pictures are brought, if theirs is another.
        channels: 1 or 3.
        batch_size: Examples a batch.
        seed: Of the order; random ops have their own.
        start_step: Step of the first batch of epoch 0.
        steps_per_epoch: Batches an epoch; by default all full ones.
        shuffle_window: Examples that are shuffled together.
        sample: How an epoch's examples are drawn, with its `limit`: see
            `data_pipelines.batches.sampling`.
        limit: Likewise.
        **kwargs: Of `keras.utils.PyDataset`, such as `workers`.

    Raises:
        DataError: If the folder holds records, or too few examples.
    """

    def __init__(
        self,
        prepared: Prepared,
        ops: Sequence[Op],
        tasks: Sequence[str] | None,
        *,
        size: int,
        channels: int,
        batch_size: int,
        seed: int,
        start_step: int = 0,
        steps_per_epoch: int | None = None,
        shuffle_window: int = 16384,
        sample: str = "all",
        limit: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._order = sampling.order(
            prepared, name=sample, limit=limit, seed=seed, window=shuffle_window
        )
        sampling.require_a_batch(prepared, self._order, batch_size)
        self._files = _array_files(prepared, "train")
        self._picture = dict(size=size, channels=channels)
        self._ops, self._tasks = tuple(ops), tasks
        self._start, self._batch_size, self.epoch = start_step, batch_size, 0
        self.num_steps = steps_per_epoch or self._order.epoch_size // batch_size

    def __len__(self) -> int:
        return self.num_steps

    def __getitem__(self, index: int):
        step = self._start + self.epoch * self.num_steps + index
        rows, turns = self._order.batch(step, self._batch_size)
        batch = {**self._files.read(rows, **self._picture), "epoch": turns}
        return _finish(batch, self._ops, self._tasks)


class EpochOf(keras.callbacks.Callback):
    """Tells training batches which epoch it is.

    Keras calls a data set's own `on_epoch_end` once too often, before the first
    epoch. And `fit` may begin with any epoch: `initial_epoch`, or where
    `BackupAndRestore` says.

    Args:
        batches: `TrainBatches`.
    """

    def __init__(self, batches: TrainBatches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch


class EvalBatches(keras.utils.PyDataset):
    """One ordered pass over a split; the last batch is filled up.

    Filled-up rows have weight 0, and `mask` 0 where the batches are feature
    dicts. Arguments as in `TrainBatches`.
    """

    def __init__(
        self,
        prepared: Prepared,
        split: str,
        ops: Sequence[Op],
        tasks: Sequence[str] | None,
        *,
        size: int,
        channels: int,
        batch_size: int,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._files = _array_files(prepared, split)
        self._count = prepared.count(split)
        self._picture = dict(size=size, channels=channels)
        self._ops, self._tasks = tuple(ops), tasks
        self._batch_size = batch_size

    def __len__(self) -> int:
        return -(-self._count // self._batch_size)

    def __getitem__(self, index: int):
        first = index * self._batch_size
        rows = np.arange(first, min(first + self._batch_size, self._count))
        batch = self._files.read(rows, **self._picture)
        batch |= {"epoch": np.zeros_like(rows), "mask": np.ones(len(rows), np.float32)}
        batch = {name: _fill(x, self._batch_size) for name, x in batch.items()}
        return _finish(batch, self._ops, self._tasks)


def _array_files(prepared, split):
    if prepared.format != "npz":
        raise DataError(
            f"{','.join(prepared.folders)}: holds {prepared.format} files; without "
            "TensorFlow only those of trainers.prepare --format=npz can be read"
        )
    return prepared.files(split)


def _fill(column, batch_size):
    filled = np.zeros((batch_size, *column.shape[1:]), column.dtype)
    filled[: len(column)] = column
    return filled


def _finish(batch: Batch, ops, tasks):
    for op in ops:
        batch = op(batch)
    if tasks is None:
        return batch
    labels = {task: batch[task] for task in tasks}
    return batch["image"], labels, {task: batch[f"{task}_weight"] for task in tasks}
