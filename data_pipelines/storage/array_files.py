"""Random access to the examples of npz files, without TensorFlow.

`data_pipelines.storage.npz` describes the files. The pictures stay on the disk and are
mapped into memory, so a data set may be larger than that; the labels are read.
"""

import functools
from collections.abc import Sequence

import numpy as np

from data_pipelines.storage import npz, schema
from data_pipelines.storage.shards import Numbering, Shard


class ArrayFiles:
    """The examples of several files, numbered one after the other.

    Args:
        shards: Whole ones, as `data_pipelines.storage.shards.require_whole` finds them.

    Attributes:
        folders: int64 `(n,)`, number of the prepared folder of each example.
        classes: How many examples of each class, shard by shard.

    Raises:
        DataError: If one does not hold what its manifest states.
    """

    def __init__(self, shards: Sequence[Shard]):
        files = [npz.read(s.path, s.manifest, s.num_examples) for s in shards]
        self.classes = [
            schema.count_classes(file, shard.manifest)
            for file, shard in zip(files, shards)
        ]
        self._numbering = Numbering(shards)
        self.folders = self._numbering.folders
        self._images = [file.pop("image") for file in files]
        if len({file["landmarks"].shape[1] for file in files}) > 1:
            # Data sets with different numbers of points are read without points.
            for file in files:
                file["landmarks"] = file["landmarks"][:, :0]
                file["landmarks_weight"] = np.zeros_like(file["landmarks_weight"])
        votes = [file["votes"] for file in files if "votes" in file]
        if votes:
            for file in files:
                none = np.zeros((len(file["key"]), votes[0].shape[1]), np.float32)
                file.setdefault("votes", none)
        self._columns = {
            name: np.concatenate([file[name] for file in files]) for name in files[0]
        }

    def read(self, rows: np.ndarray, *, size: int, channels: int) -> dict:
        """Features of the rows, as a batch of `batches.pipeline` has them.

        Args:
            rows: int64 `(batch,)`.
            size: Side to which pictures are brought, and landmarks with them.
            channels: 1 or 3.

        Returns:
            `{name: array}` of leading dimension `batch`.
        """
        batch = {name: column[rows] for name, column in self._columns.items()}
        batch["image"] = np.empty((len(rows), size, size, channels), np.uint8)
        for number, here, within in self._numbering.by_shard(rows):
            images = self._images[number]
            batch["image"][here] = to_size(images[within], size, channels)
            # (0, 0) is the centre of the first pixel, whose place depends on the size.
            scale = np.float32(size / images.shape[1])
            points = batch["landmarks"][here]
            batch["landmarks"][here] = points * scale + (scale - 1) / 2
        return batch

    def columns(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Features of every example, by name."""
        return {name: self._columns[name] for name in names}


def to_size(images: np.ndarray, size: int, channels: int) -> np.ndarray:
    """Brings pictures to a size and a colour.

    As `tf.image` does: areas are averaged where they shrink, and bilinear where
    they grow.

    Args:
        images: uint8 `(batch, side, side, 1 or 3)`.
        size: New side.
        channels: 1 or 3.

    Returns:
        uint8 `(batch, size, size, channels)`.
    """
    if images.shape[1] != size:
        weights = _resizing(images.shape[1], size)
        # (new row, row) x (batch, row, column, channel), then the same for columns.
        images = np.einsum("br,nrcd->nbcd", weights, images.astype(np.float32))
        images = np.einsum("br,ncrd->ncbd", weights, images)
        images = np.rint(images).clip(0, 255).astype(np.uint8)
    if images.shape[3] == channels:
        return np.asarray(images)
    if channels == 3:
        return np.repeat(images, 3, axis=3)
    # In TensorFlow's steps: to [0, 1], Rec. 601's weights, and back, truncated.
    unit = images.astype(np.float32) * np.float32(1 / 255)
    grey = unit @ np.array([[0.2989], [0.587], [0.114]], np.float32)
    return (grey * np.float32(255.5)).astype(np.uint8)


@functools.lru_cache(maxsize=8)
def _resizing(old: int, new: int) -> np.ndarray:
    """What each old row gives to each new one: float32 `(new, old)`."""
    ratio, rows = old / new, np.arange(old)
    if new < old:
        starts = np.arange(new)[:, None] * ratio
        overlap = np.minimum(starts + ratio, rows + 1) - np.maximum(starts, rows)
        return (overlap.clip(0) / ratio).astype(np.float32)
    centres = ((np.arange(new) + 0.5) * ratio - 0.5).clip(0, old - 1)[:, None]
    return (1 - np.abs(centres - rows)).clip(0).astype(np.float32)
