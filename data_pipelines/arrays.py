"""Prepared folders -> batches for `model.fit`, without TensorFlow.

For folders prepared with `--format=npz`. The order, the augmentation and the
batches are those of `data_pipelines.pipeline`, as `keras.utils.PyDataset`s of
NumPy arrays: they train on any backend, on a machine that has no TensorFlow.

Give `fit` `shuffle=False`: it would draw the order of the batches anew otherwise,
from no seed of ours.
"""

from collections.abc import Sequence

import keras
import numpy as np

from data_pipelines import sampling
from data_pipelines.array_ops import Batch, Op
from data_pipelines.prepared import Prepared
from data_pipelines.sources.sample import DataError


class TrainBatches(keras.utils.PyDataset):
    """Shuffled, full batches of the training split, an epoch at a time.

    The batch at step s is a function of the seed and s. What an epoch's full
    batches leave over comes first in the next epoch.

    Args:
        prepared: Where the examples are, in npz files.
        ops: From `data_pipelines.array_ops`, applied in order to each batch.
        tasks: Labels to train on, such as `expression`; None for plain feature
            dicts, which `fit` does not take.
        size: Side to which pictures are brought, if theirs is another.
        channels: 1 or 3.
        batch_size: Examples a batch.
        seed: Of the order; random ops have their own.
        start_step: Step of the first batch.
        shuffle_window: Examples that are shuffled together.
        sample: How an epoch's examples are drawn, with its `limit`: see
            `data_pipelines.sampling`.
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
        self.batch_size, self.step = batch_size, start_step

    def __len__(self) -> int:
        return self._order.epoch_size // self.batch_size

    def __getitem__(self, index: int):
        """The batch `index` steps after the epoch's first."""
        rows, turns = self._order.batch(self.step + index, self.batch_size)
        batch = {**self._files.read(rows, **self._picture), "epoch": turns}
        return _finish(batch, self._ops, self._tasks)

    def on_epoch_end(self) -> None:
        """Goes on to the next epoch."""
        self.step += len(self)


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
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-self._count // self.batch_size)

    def __getitem__(self, index: int):
        first = index * self.batch_size
        rows = np.arange(first, min(first + self.batch_size, self._count))
        batch = self._files.read(rows, **self._picture)
        batch |= {"epoch": np.zeros_like(rows), "mask": np.ones(len(rows), np.float32)}
        batch = {name: _fill(x, self.batch_size) for name, x in batch.items()}
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
