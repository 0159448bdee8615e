"""Random access to the records of TFRecord shards.

TFRecord is a list of `length, checksum, record, checksum`. Where each record
lies is found out when its shard is first needed; the shard's sha256 is then
compared with the manifest's, which says more than the checksums.
"""

import dataclasses
import hashlib
import struct
import threading
from collections.abc import Sequence

import numpy as np

from data_pipelines.sources.sample import DataError

_HEADER, _FOOTER = 12, 4


@dataclasses.dataclass(frozen=True)
class Shard:
    """A file of examples.

    Attributes:
        path: Of the file.
        folder: Number of the prepared folder it lies in.
        num_examples: As the manifest states.
        sha256: As the manifest states.
    """

    path: str
    folder: int
    num_examples: int
    sha256: str


class RecordFiles:
    """The records of several shards, numbered one after the other.

    Attributes:
        folders: int64 `(n,)`, number of the prepared folder of each record.
    """

    def __init__(self, shards: Sequence[Shard]):
        self._shards = tuple(shards)
        counts = [shard.num_examples for shard in shards]
        self.folders = np.repeat([shard.folder for shard in shards], counts)
        self._ends = np.cumsum(counts)
        self._spans = {}
        self._lock = threading.Lock()

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Serialized records of the rows: `(len(rows),)` of bytes.

        Raises:
            DataError: If a shard is not what the manifest states.
        """
        numbers = np.searchsorted(self._ends, rows, side="right")
        found = np.empty(len(rows), object)
        for number in np.unique(numbers):
            shard, spans = self._shards[number], self._index(number)
            first = self._ends[number] - shard.num_examples
            with open(shard.path, "rb", buffering=0) as file:
                for place in np.flatnonzero(numbers == number):
                    offset, length = spans[rows[place] - first]
                    file.seek(offset)
                    found[place] = file.read(length)
        return found

    def columns(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Scalar features of every record, by name: one pass over all shards."""
        import tensorflow as tf

        kinds = {"expression": tf.int64, "video": tf.string}
        spec = {n: tf.io.FixedLenFeature((), kinds.get(n, tf.float32)) for n in names}
        parts = []
        for number, shard in enumerate(self._shards):
            first = self._ends[number] - shard.num_examples
            rows = np.arange(first, self._ends[number])
            parsed = tf.io.parse_example(self.read(rows), spec)
            parts.append({name: value.numpy() for name, value in parsed.items()})
        return {name: np.concatenate([p[name] for p in parts]) for name in names}

    def _index(self, number):
        """Offset and length of each record of a shard."""
        with self._lock:
            if number not in self._spans:
                self._spans[number] = _spans(self._shards[number])
            return self._spans[number]


def _spans(shard):
    with open(shard.path, "rb") as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != shard.sha256:
        raise DataError(
            f"{shard.path}: not the file that was prepared (its sha256 is another); "
            "prepare the data again"
        )
    spans, offset = [], 0
    while offset < len(data):
        (length,) = struct.unpack_from("<Q", data, offset)
        spans.append((offset + _HEADER, length))
        offset += _HEADER + length + _FOOTER
    if len(spans) != shard.num_examples:
        raise DataError(
            f"{shard.path}: {len(spans)} records, not the {shard.num_examples} of the "
            "manifest"
        )
    return np.array(spans, np.int64)
