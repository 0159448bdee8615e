"""Random access to the examples of npz files, without TensorFlow.

`data_pipelines.npz` describes the files. The pictures stay on the disk and are
mapped into memory, so a data set may be larger than that; the labels are read.
"""

import struct
import zipfile
from collections.abc import Sequence

import numpy as np

from data_pipelines import array_ops
from data_pipelines.sources.sample import DataError

# Of a file inside a zip, before its name: its length is 30 bytes.
_LOCAL_HEADER = struct.Struct("<26xHH")


class ArrayFiles:
    """The examples of several files, numbered one after the other.

    Args:
        shards: See `data_pipelines.record_files.Shard`.

    Attributes:
        folders: int64 `(n,)`, number of the prepared folder of each example.

    Raises:
        DataError: If a file is damaged, or is not what the manifest states.
    """

    def __init__(self, shards: Sequence):
        counts = [shard.num_examples for shard in shards]
        self.folders = np.repeat([shard.folder for shard in shards], counts)
        self._ends = np.cumsum(counts)
        files = [_open(shard) for shard in shards]
        self._images = [file.pop("image") for file in files]
        if len({file["landmarks"].shape[1] for file in files}) > 1:
            # Sets give different numbers of points: together they give none.
            for file in files:
                file["landmarks"] = file["landmarks"][:, :0]
                file["landmarks_weight"] = np.zeros_like(file["landmarks_weight"])
        self._columns = {
            name: np.concatenate([file[name] for file in files]) for name in files[0]
        }

    def read(self, rows: np.ndarray, *, size: int, channels: int) -> dict:
        """Features of the rows, as a batch of `data_pipelines.pipeline` has them.

        Args:
            rows: int64 `(batch,)`.
            size: Side to which pictures are brought, and landmarks with them.
            channels: 1 or 3.

        Returns:
            `{name: array}` of leading dimension `batch`.
        """
        batch = {name: column[rows] for name, column in self._columns.items()}
        batch["image"] = np.empty((len(rows), size, size, channels), np.uint8)
        numbers = np.searchsorted(self._ends, rows, side="right")
        for number in np.unique(numbers):
            here, images = numbers == number, self._images[number]
            first = self._ends[number] - len(images)
            stored = images[rows[here] - first]
            batch["image"][here] = array_ops.to_size(stored, size, channels)
            # (0, 0) is the centre of a pixel, which a larger one's is not.
            scale = np.float32(size / images.shape[1])
            points = batch["landmarks"][here]
            batch["landmarks"][here] = points * scale + (scale - 1) / 2
        return batch

    def columns(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Features of every example, by name."""
        return {name: self._columns[name] for name in names}


def _open(shard):
    """The arrays of a file; `image` is mapped."""
    try:
        with np.load(shard.path, allow_pickle=False) as file:
            columns = {name: file[name] for name in file.files if name != "image"}
        columns["image"] = _mapped(shard.path, "image")
        lengths = {len(column) for column in columns.values()}
    except (ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(f"{shard.path}: not a whole npz ({error})") from error
    if lengths != {shard.num_examples}:
        raise DataError(
            f"{shard.path}: not the {shard.num_examples} examples of the manifest"
        )
    return columns


def _mapped(path, name):
    """An array of a file whose members are stored as they are, as a map."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{name}.npy")
        if info.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed")
        with archive.open(info) as member:
            version = np.lib.format.read_magic(member)
            read_header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, fortran_order, dtype = read_header(member)
            header = member.tell()
    with open(path, "rb") as file:
        file.seek(info.header_offset)
        lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    start = info.header_offset + _LOCAL_HEADER.size + sum(lengths) + header
    order = "F" if fortran_order else "C"
    return np.memmap(path, dtype, "r", offset=start, shape=shape, order=order)
