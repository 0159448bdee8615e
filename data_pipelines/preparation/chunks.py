"""The rows of a source, dealt into chunks: the units in which data is prepared.

The rows are written to a file, and a shuffled index beside it gives their order. (The
seed is fixed. Sources list their classes one after the other, and no shuffle window of
training would mix those.) A chunk is every n-th row. One worker reads, crops, checks
and writes it, to one file a split. Its content depends on the source alone, so every
worker and every restart gives the same bytes.
"""

import array
import contextlib
import dataclasses
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from data_pipelines.preparation.cropping import Cropping
from data_pipelines.sources import DataError, Reject, Sample, Source
from data_pipelines.sources.sample import SPLITS, class_of
from data_pipelines.sources.splits import split_of
from data_pipelines.storage import npz, records
from fer_tf.utils import atomic
from fer_tf.utils.hashing import sha256

WORK = ".work"
"""Folder in the output that holds unfinished work."""

WRITERS = {"tfrecord": records.writer, "npz": npz.writer}
"""What writes the shards of each format."""

_ROWS = "rows.jsonl"
_OFFSETS = "offsets.npy"


def spool(
    source: Source, work: str, listed: Callable[[int], None] = lambda rows: None
) -> tuple[int, list[dict[str, str]]]:
    """Writes the rows of a source into a work folder, and their order.

    8 bytes of each row stay in memory, and every reject.

    Args:
        source: Where the rows come from.
        work: Folder to write into.
        listed: Called with how many rows were listed so far.

    Returns:
        How many rows there are, and the rejects.
    """
    rejects, offsets = [], array.array("q")
    path = os.path.join(work, _ROWS)
    with atomic.replacing(path) as temporary, open(temporary, "wb") as file:
        for number, row in enumerate(source.rows(), 1):
            listed(number)
            if isinstance(row, Reject):
                rejects.append({"path": row.path, "reason": row.reason})
                continue
            offsets.append(file.tell())
            file.write(json.dumps(row.to_dict(), default=_plain).encode() + b"\n")
    order = np.random.default_rng(0).permutation(len(offsets))
    # NumPy's own writing to a file would not report that the disk is full.
    content = io.BytesIO()
    np.save(content, np.asarray(offsets, np.int64)[order])
    path = os.path.join(work, _OFFSETS)
    with atomic.replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(content.getbuffer())
    return len(offsets), rejects


def _plain(value):
    return np.asarray(value).tolist()


@dataclasses.dataclass(frozen=True)
class Chunk:
    """One unit of work, small enough to be sent anywhere.

    Attributes:
        source: Where the samples come from.
        cropping: How they are cropped.
        output: Folder that is prepared, with the spooled rows in its work folder.
        format: One of `WRITERS`.
        number: Which chunk this is, from 0.
        count: How many there are.
        shards: How many shards a split has. Several chunks may be joined to one.
    """

    source: Source
    cropping: Cropping
    output: str
    format: str
    number: int
    count: int
    shards: int

    def shard(self, split: str) -> str:
        """Path of this chunk's shard of a split, named as TFDS names them.

        Parts of a larger file lie in the work folder until they are joined.
        """
        where = f"{self.number:05d}-of-{self.count:05d}"
        name = f"{self.source.name}-{split}.{self.format}-{where}"
        if self.format == "npz":
            return os.path.join(self.output, WORK, f"{name}.npz")
        where = "" if self.shards == self.count else WORK
        return os.path.join(self.output, where, name)

    @property
    def _done(self):
        name = f"chunk-{self.number:05d}-of-{self.count:05d}.json"
        return os.path.join(self.output, WORK, name)

    def summary(self) -> dict[str, Any] | None:
        """What `run` returned; None while there is work left to do.

        None also where a shard has been damaged since it was written.
        """
        try:
            summary = atomic.read_json(self._done)
            for split in SPLITS:
                if summary["counts"][split]:
                    if sha256(self.shard(split)) != summary["sha256"][split]:
                        return None
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return summary

    def run(self, tick: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """Writes the chunk's shards; calls `tick` for every row.

        Returns:
            JSON-ready `{"rows", "rejects", "counts", "cropped", "with_landmarks",
            "sha256"}`.
        """
        rejects, counts = [], {split: Counter() for split in SPLITS}
        how, with_landmarks = Counter(), 0
        with contextlib.ExitStack() as stack:
            write = {
                split: stack.enter_context(WRITERS[self.format](self.shard(split)))
                for split in SPLITS
            }
            written = examples(
                self.source, self.cropping, self._samples(),
                rejects=rejects, how=how, tick=tick,
            )  # fmt: skip
            for sample, features in written:
                write[sample.split](features)
                counts[sample.split][class_of(sample)] += 1
                with_landmarks += sample.landmarks is not None
        summary = {
            "rows": len(self._offsets()),
            "rejects": rejects,
            "counts": {split: dict(c) for split, c in counts.items()},
            "cropped": dict(how),
            "with_landmarks": with_landmarks,
            "sha256": {
                split: sha256(self.shard(split))
                for split in SPLITS
                if os.path.exists(self.shard(split))
            },
        }
        atomic.write_json(self._done, summary)
        return summary

    def _offsets(self):
        path = os.path.join(self.output, WORK, _OFFSETS)
        return np.load(path, mmap_mode="r")[self.number :: self.count]

    def _samples(self) -> Iterator[Sample]:
        with open(os.path.join(self.output, WORK, _ROWS), "rb") as file:
            for offset in self._offsets():
                file.seek(offset)
                yield Sample(**json.loads(file.readline()))


def examples(
    source: Source,
    cropping: Cropping,
    samples: Iterable[Sample],
    *,
    rejects: list[dict[str, str]],
    how: Counter,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Sample, dict[str, Any]]]:
    """Reads, crops and checks samples.

    Args:
        source: Where their pictures come from.
        cropping: How they are cropped.
        samples: In the order in which they come out.
        rejects: What cannot be used is added, `{"path", "reason"}`.
        how: Ways of cropping, counted up; see `Cropping.crops`.
        tick: Called for every sample.

    Yields:
        The sample, its split decided, and what `records.to_features` gives.

    Raises:
        DataError: If a picture of a strict source cannot be used.
    """

    def reject(sample, reason):
        if source.strict:
            raise DataError(f"{sample.name}: {reason}")
        rejects.append({"path": sample.name, "reason": str(reason)})

    def pictures():
        for sample in samples:
            try:
                yield source.load(sample)
            except (ValueError, OSError) as error:
                reject(sample, error)
            tick()

    for sample, image, crop in cropping.crops(pictures(), how):
        if crop is None:
            rejects.append({"path": sample.name, "reason": "no face found"})
            continue
        split = split_of(sample, image, source.holdout)
        sample = dataclasses.replace(sample, split=split)
        try:
            features = records.to_features(
                sample,
                crop,
                action_units=source.action_units,
                num_landmarks=source.num_landmarks,
                expressions=source.expressions,
                votes=source.has_votes,
            )
        except ValueError as error:
            reject(sample, error)
            continue
        yield sample, features
