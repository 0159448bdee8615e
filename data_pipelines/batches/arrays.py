"""Prepared folders -> batches for `model.fit`, without TensorFlow.

For folders prepared with `--format=npz`. The order, the augmentation and the
batches are those of `data_pipelines.batches.pipeline`, as `keras.utils.PyDataset`s of
NumPy arrays: they train on any backend, on a machine that has no TensorFlow.

Give `fit` two arguments. Without `shuffle=False` it shuffles the batches itself, under
a seed of its own. Without `callbacks=[EpochOf(batches)]` every epoch repeats the
batches of the first.
"""

from collections.abc import Sequence

import keras
import numpy as np

from data_pipelines.batches import ops as batch_ops
from data_pipelines.batches import sampling
from data_pipelines.batches.ops import Op
from data_pipelines.sources.errors import DataError
from data_pipelines.storage.prepared import Prepared


class TrainBatches(keras.utils.PyDataset):
    """Shuffled, full batches of the training split, an epoch at a time.

    The batch at step s is a function of the seed and s. Examples that do not fill a
    batch at the end of an epoch come first in the next one.

    Attributes:
        epoch: The epoch whose batches these are, from 0; `EpochOf` sets it.
        num_steps: Batches an epoch.

    Args:
        tasks: Labels to train on, such as `expression`; None for plain feature
            dicts, which `fit` does not take.
        start_step: Step of the first batch of epoch 0.
        steps_per_epoch: Batches an epoch; by default all full ones.
        **kwargs: Of `keras.utils.PyDataset`, such as `workers`.

    The other arguments are those of `data_pipelines.batches.pipeline.train_batches`.

    Raises:
        DataError: If the folder holds records, or too few examples.

    >>> import tempfile
    >>> from data_pipelines.preparation.prepare import prepare
    >>> from data_pipelines.sources import open_source
    >>> source, folder = open_source("synthetic", "examples=12"), tempfile.mkdtemp()
    >>> manifest = prepare(source, folder, crop_spec=source.crop_spec(), format="npz")
    >>> from data_pipelines.storage.prepared import open_prepared
    >>> batches = TrainBatches(open_prepared(folder), [], ["expression"], size=48,
    ...                        channels=1, batch_size=4, seed=0)
    >>> image, labels, weights = batches[0]
    >>> image.shape, labels["expression"].shape
    ((4, 48, 48, 1), (4,))
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
        shuffle_window: int = sampling.WINDOW,
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

    A data set's own `on_epoch_end` does not do: Keras also calls it before the first
    epoch, and `fit` may begin with a later one (`initial_epoch`, `BackupAndRestore`).

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
    dicts. The arguments are those of `TrainBatches`.
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
        batch = batch_ops.fill_up(batch, self._batch_size)
        return _finish(batch, self._ops, self._tasks)


def _array_files(prepared, split):
    if prepared.format != "npz":
        raise DataError(
            f"{','.join(prepared.folders)}: holds {prepared.format} files; without "
            "TensorFlow only those of trainers.prepare --format=npz can be read"
        )
    return prepared.files(split)


def _finish(batch, ops, tasks):
    batch = batch_ops.apply(ops, batch)
    return batch if tasks is None else batch_ops.for_fit(batch, tasks)
