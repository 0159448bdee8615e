"""Checks of a data set: what would falsify a result measured on it.

Reads a whole download, or a whole prepared folder, and reports what `checks/` finds:
counts and class histograms against the published ones, classes in another order,
people and videos in two splits, copies and near copies, impossible labels, and
pictures that are missing, cannot be read, or show no face. A finding of severity
`error` means that numbers measured on this copy would not hold; FER2013's own
duplicates are a `warning`.

Memory is 27 bytes a picture, and where faces are searched some whole pictures; a
thumbnail of each lies in a temporary file.
"""

import dataclasses
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from data_pipelines.checks import copies
from data_pipelines.checks.faces import FaceSearch
from data_pipelines.checks.findings import Findings
from data_pipelines.checks.labels import check_sample
from data_pipelines.checks.people import Appearances
from data_pipelines.checks.picture_table import (
    PictureTable,
    digest,
    is_blank,
    thumbnail,
)
from data_pipelines.checks.published import check_counts
from data_pipelines.sources import DataError, Reject, Sample, Source
from data_pipelines.sources.sample import SPLITS, class_of
from data_pipelines.sources.splits import split_of
from data_pipelines.storage import manifests, prepared, shards

# Rows that a thread reads at a time, and how many such batches wait for each thread.
_LOT, _AHEAD = 32, 4

Progress = Callable[[int], None]


def verify_source(
    source: Source,
    *,
    faces: bool = False,
    workers: int = 1,
    progress: Progress = lambda done: None,
    surplus: list | None = None,
) -> dict:
    """Reads every picture of a source and reports.

    Args:
        source: An opened data set.
        faces: Whether to search every picture for a face, which is slow.
        workers: Threads that read pictures.
        progress: Called with the number of rows done.
        surplus: Takes the `(name, reason)` of every training picture that should
            be left out, as `checks.copies.surplus` has it.

    Returns:
        `{"dataset", "layout", "ok", "num_pictures", "findings", "counts"}`,
        JSON-ready.

    Raises:
        DataError: If no picture can be read.

    >>> from data_pipelines.sources import open_source
    >>> report = verify_source(open_source("synthetic", "examples=6,size=48"))
    >>> report["ok"], report["num_pictures"], report["findings"]
    (True, 6, [])
    """
    checks = _Checks(faces, as_shipped=bool(source.published))
    for done, (row, look) in enumerate(_looks(source, workers, faces), 1):
        if isinstance(row, Reject):
            kind = "left_out" if row.expected and row.kind == "bad_row" else row.kind
            checks.findings.add(kind, f"{row.path}: {row.reason}")
        elif isinstance(look, Exception):
            checks.findings.add(_kind_of(look), f"{row.name}: {look}")
        else:
            checks.add(look)
        progress(done)
    check_counts(checks.counts, source.published, checks.findings)
    report = checks.report(source.name, source.layout)
    if surplus is not None:
        surplus += copies.surplus(checks.table, *checks.groups)
    return report


def verify_prepared(
    folder: str, *, faces: bool = False, progress: Progress = lambda done: None
) -> dict:
    """Checks a prepared folder: its files against their sha256, then its examples.

    Args:
        folder: As `trainers.prepare` wrote it, of either format.
        faces: Whether to search every crop for a face.
        progress: Called with the number of examples done.

    Returns:
        As `verify_source`.

    Raises:
        DataError: If it is no prepared folder, or no example can be read.
    """
    manifest = manifests.read(folder)
    checks, done = _Checks(faces), itertools.count(1)
    for shard in shards.listed(folder, manifest):
        if problem := shards.problem(shard):
            checks.findings.add("shard", problem)
            continue
        try:
            for example in prepared.examples(shard):
                sample = _from_example(example, shard.split, manifest)
                checks.add(_look_at(sample, example["image"], shard.split, faces))
                progress(next(done))
        except DataError as error:
            checks.findings.add("shard", str(error))
    for reject in manifest["rejects"]:
        checks.findings.add("rejected", f"{reject['path']}: {reject['reason']}")
    for split, stated in manifest["counts"].items():
        counted = checks.counts.get(split, {})
        if {n: count for n, count in stated.items() if count} != dict(counted):
            total = sum(counted.values())
            text = f"{split}: {total:,} here, the manifest says otherwise"
            checks.findings.add("count", text)
    check_counts(checks.counts, None, checks.findings)
    return checks.report(manifest["dataset"], manifest["source"]["layout"])


@dataclasses.dataclass(frozen=True)
class _Look:
    """The result of one look at a picture; with the picture if faces are searched."""

    sample: Sample
    split: str
    shape: tuple[int, ...]
    digest: bytes
    thumb: np.ndarray
    image: np.ndarray | None


def _look_at(sample, image, split, keep) -> _Look:
    kept = image if keep else None
    return _Look(sample, split, image.shape, digest(image), thumbnail(image), kept)


class _Checks:
    """Collects the looks at all pictures, and reports."""

    def __init__(self, faces, *, as_shipped=False):
        self._as_shipped = as_shipped
        self.findings, self.table = Findings(), PictureTable()
        self.groups = [], []  # Of copies and near copies, once reported.
        self.counts = defaultdict(Counter)
        self._people, self._videos = Appearances(), Appearances()
        self._faces = FaceSearch(self.findings) if faces else None

    def add(self, look: _Look) -> None:
        sample = look.sample
        name = sample.name
        label = class_of(sample)
        # In the owner's splits, to compare with published numbers; else in ours.
        split = sample.split if self._as_shipped and sample.split else look.split
        self.counts[split][label] += 1
        self.table.add(name, look.split, label, look.digest, look.thumb)
        self._people.add(sample.subject, look.split)
        self._videos.add(sample.video, look.split)
        check_sample(sample, look.shape, name, self.findings)
        if is_blank(look.thumb):
            self.findings.add("blank", name)
        if self._faces:
            self._faces.add(name, look.image, sample.is_face)

    def report(self, dataset, layout) -> dict:
        if not len(self.table):
            first = [f.examples[0] for f in self.findings.sorted()] or ["none is here"]
            raise DataError(f"{dataset}: no picture can be read; {first[0]}")
        if self._faces:
            self._faces.finish()
        self.groups = (
            copies.check_identical(self.table, self.findings),
            copies.check_nearly_identical(self.table, self.findings),
        )
        self._people.report("subject_leak", self.findings)
        self._videos.report("video_leak", self.findings)
        findings = self.findings.sorted()
        return {
            "dataset": dataset,
            "layout": layout,
            "ok": not any(finding.severity == "error" for finding in findings),
            "num_pictures": len(self.table),
            "findings": [dataclasses.asdict(finding) for finding in findings],
            "counts": {
                split: dict(sorted(self.counts[split].items()))
                for split in SPLITS
                if split in self.counts
            },
        }


def _looks(source, workers, keep) -> Iterator[tuple[Sample | Reject, object]]:
    """Rows in their order, each with a `_Look`, or the error in its place."""

    def look(row):
        if isinstance(row, Reject):
            return row, None
        try:
            sample, image = source.load(row)
            split = split_of(sample, image, source.holdout)
            return row, _look_at(sample, image, split, keep)
        except (ValueError, OSError) as error:
            return row, error

    def look_at_lot(lot):
        return [look(row) for row in lot]

    rows, waiting = _rows(source), deque()
    # Whole pictures that wait for the search for faces would fill the memory.
    size, ahead = (1, workers) if keep else (_LOT, _AHEAD * workers)
    with ThreadPoolExecutor(workers) as pool:
        while lot := list(itertools.islice(rows, size)):
            waiting.append(pool.submit(look_at_lot, lot))
            if len(waiting) > ahead:
                yield from waiting.popleft().result()
        for future in waiting:
            yield from future.result()


def _rows(source):
    """The rows; where listing breaks off, a reject that says so."""
    try:
        yield from source.rows()
    except DataError as error:
        yield Reject(source.name, str(error), kind="damaged")


def _kind_of(error):
    """The kind of finding for an error that reading a picture raised."""
    if str(error) == "no such file" or isinstance(error, FileNotFoundError):
        return "missing"
    return getattr(error, "kind", "unreadable")


def _from_example(example, split, manifest) -> Sample:
    """The parts of an example that are compared; its labels were checked on writing."""
    text = lambda name: bytes(example[name]).decode() or None
    names = manifest["expressions"]
    named, face = (bool(example[f"{t}_weight"]) for t in ("expression", "is_face"))
    return Sample(
        sample_id=text("sample_id"),
        split=split,
        subject=text("subject"),
        video=text("video"),
        expression=names[int(example["expression"])] if named else None,
        is_face=bool(example["is_face"]) if face else None,
    )
