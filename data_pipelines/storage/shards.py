"""The files of a prepared folder, and whether they are the ones that were written."""

import dataclasses
import functools
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from data_pipelines.sources.errors import DataError
from data_pipelines.storage import manifests
from fer_tf.utils.hashing import sha256

# Threads that compare files: more would wait for the disk.
_THREADS = min(4, os.cpu_count() or 1)


@dataclasses.dataclass(frozen=True)
class Shard:
    """A file of examples.

    Attributes:
        path: Of the file.
        split: What its examples are for.
        num_examples: As the manifest states.
        sha256: As the manifest states.
        manifest: Of the folder.
        folder: Number of the prepared folder it lies in.
    """

    path: str
    split: str
    num_examples: int
    sha256: str
    manifest: Mapping[str, Any]
    folder: int = 0


class Numbering:
    """Numbers the examples of several shards, one shard after the other.

    Args:
        shards: In their order.

    Attributes:
        folders: int64 `(n,)`, number of the prepared folder of each example.
        firsts: int64 `(shards,)`, number of the first example of each shard.
    """

    def __init__(self, shards: Sequence[Shard]):
        counts = [shard.num_examples for shard in shards]
        self.folders = np.repeat([shard.folder for shard in shards], counts)
        self._ends = np.cumsum(counts)
        self.firsts = self._ends - counts

    def by_shard(
        self, rows: np.ndarray
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yields a shard's number, the places of its rows, and the rows within it.

        Args:
            rows: int64 `(batch,)`, numbers of examples.
        """
        numbers = np.searchsorted(self._ends, rows, side="right")
        for number in np.unique(numbers):
            places = np.flatnonzero(numbers == number)
            yield number, places, rows[places] - self.firsts[number]


def listed(folder: str, manifest: Mapping[str, Any], number: int = 0) -> list[Shard]:
    """The shards that a manifest names, in order."""
    return [
        Shard(
            os.path.join(folder, shard["name"]),
            manifests.split_of(shard["name"]),
            shard["num_examples"],
            shard["sha256"],
            manifest,
            number,
        )
        for shard in manifest["shards"]
    ]


def problem(shard: Shard) -> str | None:
    """What is wrong with the bytes of a shard; None if they are what was written.

    A file that has not changed is read once a process.
    """
    try:
        status = os.stat(shard.path)
        if not stat.S_ISREG(status.st_mode):
            return f"{shard.path}: not a file"
        state = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
        same = _sha256(shard.path, state) == shard.sha256
    except FileNotFoundError:
        return f"{shard.path}: the shard is missing"
    except OSError as error:
        return f"{shard.path}: {error.strerror}"
    if not same:
        return f"{shard.path}: not the file that was prepared (its sha256 is another)"
    return None


def require_whole(shards: Sequence[Shard]) -> None:
    """Holds the files against their sha256, several at a time.

    Raises:
        DataError: If one is not what the manifest states.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        for fault in pool.map(problem, shards):
            if fault:
                raise DataError(f"{fault}; prepare the data again")


@functools.cache
def _sha256(path, state):
    del state  # Of the file: with another, its bytes are read again.
    return sha256(path)
