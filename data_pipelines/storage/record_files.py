"""Random access to the records of TFRecord shards.

TFRecord is a list of `length, checksum, record, checksum`. Where each record lies is
found out when the files are opened. The shard's sha256 is then compared with the
manifest's, which says more than the checksums, and every label is looked at, so that
nothing is left to go wrong in the middle of a run but the pixels.
"""

import itertools
import mmap
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from data_pipelines.sources.errors import DataError
from data_pipelines.storage import records, schema
from data_pipelines.storage.shards import Numbering, Shard
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.utils.stderr import quiet_imports

_HEADER, _FOOTER = 12, 4
# Records that are looked at together.
_LOT = 512
# The beginning of a PNG: its signature, and the size, depth and colour of it.
_PNG = struct.Struct(">8sI4sIIBB")


class RecordFiles:
    """The records of several shards, numbered one after the other.

    Args:
        shards: Whole ones, as `data_pipelines.storage.shards.require_whole` finds them.

    Attributes:
        folders: int64 `(n,)`, number of the prepared folder of each record.
        classes: How many records of each class, shard by shard.

    Raises:
        DataError: If one does not hold what its manifest states.
    """

    def __init__(self, shards: Sequence[Shard]):
        self._shards = tuple(shards)
        self._spans = [_spans(shard) for shard in shards]
        self._numbering = Numbering(shards)
        self.folders = self._numbering.folders
        self.classes = []
        for number, shard in enumerate(shards):
            lots = self.lots(number)
            counters = (schema.count_classes(lot, shard.manifest) for lot in lots)
            self.classes.append(sum(counters, Counter()))

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Serialized records of the rows: `(len(rows),)` of bytes."""
        serialized = np.empty(len(rows), object)
        for number, places, within in self._numbering.by_shard(rows):
            with open(self._shards[number].path, "rb", buffering=0) as file:
                for place, (offset, length) in zip(places, self._spans[number][within]):
                    file.seek(offset)
                    serialized[place] = file.read(length)
        return serialized

    def columns(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Features of every record, by name: one pass over all shards."""
        lots = [
            {name: lot[name] for name in names}
            for number in range(len(self._shards))
            for lot in self.lots(number)
        ]
        return {name: np.concatenate([lot[name] for lot in lots]) for name in names}

    def lots(self, number):
        """All features of the records of a shard, checked, some records at a time."""
        shard, begin = self._shards[number], self._numbering.firsts[number]
        for first in range(0, shard.num_examples, _LOT):
            rows = np.arange(first, min(first + _LOT, shard.num_examples))
            yield parse(self.read(begin + rows), shard, first)


def parse(serialized: np.ndarray, shard: Shard, first: int = 0) -> dict:
    """Features of records, checked; `image` is a PNG still.

    Args:
        serialized: `(n,)` of bytes.
        shard: Where they come from.
        first: Number of the first of them there.

    Raises:
        DataError: If one is no record of this data set.
    """
    with quiet_imports():
        import tensorflow as tf

    spec = CropSpec.from_dict(shard.manifest["crop_spec"])
    try:
        parsed = tf.io.parse_example(serialized, records.feature_spec(shard.manifest))
    except tf.errors.InvalidArgumentError as error:
        reason = error.message.splitlines()[0].rpartition("Name: <unknown>, ")[2]
        raise DataError(
            f"{shard.path}: not a record of its data set ({reason:.200})"
        ) from None
    columns = {name: value.numpy() for name, value in parsed.items()}
    schema.check(columns, shard.manifest, shard.path, first)
    begin = _PNG.pack(
        b"\x89PNG\r\n\x1a\n", 13, b"IHDR", spec.size, spec.size,
        8, 0 if spec.channels == 1 else 2,
    )  # fmt: skip
    for row, png in enumerate(columns["image"]):
        if not png.startswith(begin):
            raise DataError(
                f"{shard.path}: the picture of example {first + row} is no PNG of "
                f"{spec.size}x{spec.size} {spec.color}"
            )
    return columns


def examples(shard: Shard) -> Iterator[dict[str, Any]]:
    """The examples of a shard, one at a time, their pictures decoded.

    Raises:
        DataError: If it does not hold what its manifest states.
    """
    with quiet_imports():
        import tensorflow as tf

    row = itertools.count()
    for lot in RecordFiles([shard]).lots(0):
        for values in zip(*lot.values()):
            example, number = dict(zip(lot, values)), next(row)
            try:
                image = tf.io.decode_png(example["image"]).numpy()
            except tf.errors.InvalidArgumentError:
                raise DataError(
                    f"{shard.path}: the picture of example {number} is damaged"
                ) from None
            yield {**example, "image": image}


def _spans(shard):
    """Offset and length of each record of a shard."""
    spans, offset = [], 0
    with open(shard.path, "rb") as file:
        end = file.seek(0, 2)
        # An empty file cannot be mapped.
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if end else b""
        while offset < end and len(spans) <= shard.num_examples:
            if offset + _HEADER + _FOOTER > end:
                break
            (length,) = struct.unpack_from("<Q", data, offset)
            spans.append((offset + _HEADER, length))
            offset += _HEADER + length + _FOOTER
    if offset != end or len(spans) != shard.num_examples:
        raise DataError(
            f"{shard.path}: {len(spans)} records, not the {shard.num_examples} of the "
            "manifest"
        )
    return np.array(spans, np.int64).reshape(-1, 2)
