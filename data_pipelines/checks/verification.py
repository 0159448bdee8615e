"""The doctor: what in a data set would falsify a result, before it does.

Reads a download, or a prepared folder, whole, and reports what `checks/` looks for:
counts and class histograms against the published ones, classes in another order,
people and videos in two splits, copies and near copies, labels that cannot be, and
pictures that are not there, cannot be read, or show no face. A finding of severity
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

# Rows that a thread reads at a time, and how many such lots are under way.
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
    found = _Examination(faces, as_shipped=bool(source.published))
    for done, (row, look) in enumerate(_looks(source, workers, faces), 1):
        if isinstance(row, Reject):
            kind = "left_out" if row.expected and row.kind == "bad_row" else row.kind
            found.findings.add(kind, f"{row.path}: {row.reason}")
        elif isinstance(look, Exception):
            found.findings.add(_kind_of(look), f"{row.name}: {look}")
        else:
            found.add(look)
        progress(done)
    check_counts(found.counts, source.published, found.findings)
    report = found.report(source.name, source.layout)
    if surplus is not None:
        surplus += copies.surplus(found.table, *found.groups)
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
    found, done = _Examination(faces), itertools.count(1)
    for shard in shards.listed(folder, manifest):
        if problem := shards.problem(shard):
            found.findings.add("shard", problem)
            continue
        try:
            for example in prepared.examples(shard):
                sample = _from_example(example, shard.split, manifest)
                found.add(_look_at(sample, example["image"], shard.split, faces))
                progress(next(done))
        except DataError as error:
            found.findings.add("shard", str(error))
    for reject in manifest["rejects"]:
        found.findings.add("rejected", f"{reject['path']}: {reject['reason']}")
    for split, stated in manifest["counts"].items():
        here = found.counts.get(split, {})
        if {n: count for n, count in stated.items() if count} != dict(here):
            text = f"{split}: {sum(here.values()):,} here, the manifest says otherwise"
            found.findings.add("count", text)
    check_counts(found.counts, None, found.findings)
    return found.report(manifest["dataset"], manifest["source"]["layout"])


@dataclasses.dataclass(frozen=True)
class _Look:
    """What one look at a picture gives; the picture itself only if it is wanted."""

    sample: Sample
    split: str
    shape: tuple[int, ...]
    digest: bytes
    thumb: np.ndarray
    image: np.ndarray | None


def _look_at(sample, image, split, keep) -> _Look:
    kept = image if keep else None
    return _Look(sample, split, image.shape, digest(image), thumbnail(image), kept)


class _Examination:
    """All looks, put together."""

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
        # Held against published numbers, as the owner splits; else as it is prepared.
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
    """The rows; where listing cannot go on, a reject that says so."""
    try:
        yield from source.rows()
    except DataError as error:
        yield Reject(source.name, str(error), kind="damaged")


def _kind_of(error):
    """What an error that reading a picture raised is counted under."""
    if str(error) == "no such file" or isinstance(error, FileNotFoundError):
        return "missing"
    return getattr(error, "kind", "unreadable")


def _from_example(example, split, manifest) -> Sample:
    """What is compared of an example; its labels were checked when it was written."""
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
