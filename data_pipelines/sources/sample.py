"""One labelled picture as a source lists it, before anything is decoded."""

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from fer_tf import labels

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SPLITS = ("train", "validation", "test")
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""What people call the splits, in small letters."""


class DataError(ValueError):
    """Input data that cannot be used; the message says what and where."""


class UnsafePath(DataError):
    """A path from a label file, or a link, that leads out of the data folder."""

    kind = "unsafe_path"


class OutOfRange(DataError):
    """A label outside the range that it can have."""

    kind = "out_of_range"


class RepeatedRow(DataError):
    """A second row of the same picture."""

    kind = "repeated_row"


class OptionError(ValueError):
    """An option that a source does not have, or a value it cannot take."""

    exit_code = 2  # Of a command: it was called wrongly.


@dataclasses.dataclass(frozen=True)
class Sample:
    """A row of a data set. Everything but the id is optional.

    A sample is plain data (it travels as JSON to the workers) and holds no
    pixels: `path`, relative to the source's root, and `span` say where they
    are, and the source's `load` reads them.

    Attributes:
        sample_id: Unique in its data set, and the same on every machine.
        split: `train`, `validation`, `test`, or None where it is decided from
            the picture itself.
        path: File that holds the picture, relative to the root, with `/`.
        span: `(offset, length)` in bytes where the file holds many pictures.
        subject: Person shown, where known; splits never share one.
        video: Clip that the frame belongs to.
        frame: Frame number in the clip.
        box: `(x, y, width, height)` of the annotated face, in pixels.
        landmarks: 5, 37 or 68 `(x, y)` points, in pixels.
        expression: Name from `fer_tf.labels.EXPRESSIONS`.
        votes: Shares of the raters' votes by expression name, which sum to 1.
        valence: In [-1, 1].
        arousal: In [-1, 1].
        action_units: 0 or 1 by name ("AU1"); a missing name is not annotated.
        is_face: Whether the picture shows a face, where that is annotated.
        groups: Whatever else the owner annotates (age, gender, ...).
    """

    sample_id: str
    split: str | None = None
    path: str | None = None
    span: tuple[int, int] | None = None
    subject: str | None = None
    video: str | None = None
    frame: int | None = None
    box: tuple[float, float, float, float] | None = None
    landmarks: Any = None
    expression: str | None = None
    votes: Mapping[str, float] | None = None
    valence: float | None = None
    arousal: float | None = None
    action_units: Mapping[str, int] | None = None
    is_face: bool | None = None
    groups: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """What people find it by: its file, or its id where a file holds many."""
        return self.path if self.path and self.span is None else self.sample_id

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready fields, without those that are not set."""
        return {
            field.name: value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) is not None
        }


@dataclasses.dataclass(frozen=True)
class Reject:
    """A row that cannot be used, and why. Rejects are counted, never hidden.

    Attributes:
        path: The picture, or the label file and the line.
        reason: In words.
        expected: Whether the owner's own rules leave such a row out, so that it
            is no sign of damage.
        kind: What `verify` counts it under.
    """

    path: str
    reason: str
    expected: bool = False
    kind: str = "bad_row"

    @classmethod
    def of(cls, path: str, error: Exception) -> "Reject":
        """The reject that an error in a row amounts to."""
        reason = clip(str(error), 300)
        return cls(path, reason, kind=getattr(error, "kind", "bad_row"))


class Source(Protocol):
    """A data set in its owner's layout.

    Attributes:
        name: The data set's name, as `--dataset` takes it.
        folder: Folder of the download, which is never written into; None where
            the source is a single file.
        fingerprint: sha256 that changes when the listed files change.
        layout: Which of its layouts this is, in words, with its options.
        strict: Whether a bad picture is an error rather than a reject; true
            for sets that are complete as published.
        published: `{split: {class: count}}` of the rows, as published, or None.
        num_landmarks: Points that every located face has; 0 if none are given.
        holdout: "pixels" where a tenth of `train`, by a hash of the pixels, is to
            become `validation`; None where the rows say it all.
        expressions: Vocabulary of `Sample.expression`, in the order of the records.
        action_units: Vocabulary of `Sample.action_units`, likewise.
        has_votes: Whether every sample has `votes`.
        listing: Version of the rules that it lists its rows by: what was prepared by
            others is not gone on with.
        fold_subjects: Everybody whom a cross-validation of the set counts, those
            without a usable picture too; empty where it has none.
    """

    name: str
    folder: str | None
    fingerprint: str
    layout: str
    strict: bool = False
    published: Mapping[str, Mapping[str, int]] | None = None
    num_landmarks: int = 0
    holdout: str | None = None
    expressions: tuple[str, ...] = labels.EXPRESSIONS
    action_units: tuple[str, ...] = labels.ACTION_UNITS
    has_votes: bool = False
    listing: int = 1
    fold_subjects: Sequence[str] = ()

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the data set in a fixed order, decoding no picture."""

    def load(self, sample: Sample) -> tuple[Sample, np.ndarray]:
        """Reads one picture; returns the (possibly completed) sample and it.

        Returns:
            The sample, and uint8 `(h, w)` or RGB `(h, w, 3)`.

        Raises:
            ValueError: If the picture cannot be read; the message says why.
        """


def class_counts(
    names: Sequence[str], counts: Mapping[str, Sequence[int]]
) -> dict[str, dict[str, int]]:
    """`{split: {class: count}}` of a table with a row a split, a column a class."""
    return {split: dict(zip(names, row, strict=True)) for split, row in counts.items()}


def clean_path(relative: str) -> str:
    """A path from a label file with `/`, if it could lie inside a data folder.

    Absolute paths, drive letters, `..` and control characters, NUL among them, are
    refused, Windows separators are understood. Nothing is looked up on the disk.

    Raises:
        UnsafePath: If the path leads out, or is empty.
    """
    clean = relative.replace("\\", "/")
    parts = [part for part in clean.split("/") if part not in ("", ".")]
    if (
        not parts
        or _CONTROLS.search(clean)
        or clean.startswith("/")
        or ".." in parts
        or clean[1:2] == ":"
    ):
        name = clip(relative)
        raise UnsafePath(f"{name!r} is not a path inside the data folder")
    return "/".join(parts)


def resolve_inside(root: str, relative: str) -> str:
    """Absolute path of `relative`, refusing whatever leads out of `root`.

    Label files come from outside: what `clean_path` refuses is refused, and
    links that leave the folder are.

    Raises:
        UnsafePath: If the path is not inside `root`.
    """
    base = os.path.realpath(root)
    path = os.path.realpath(os.path.join(base, *clean_path(relative).split("/")))
    if path != base and not path.startswith(base.rstrip(os.sep) + os.sep):
        raise UnsafePath(f"{relative!r} leads out of the data folder")
    return path


def printable(path: str) -> str:
    """A file name as text for people.

    Control characters, and bytes that are not UTF-8, become question marks.
    """
    return _CONTROLS.sub("?", path.encode("utf-8", "replace").decode())


def check_name(path: str) -> None:
    """Refuses names that cannot be written as plain text, or that move a cursor.

    Raises:
        DataError: If a file name of the listing is one.
    """
    if path != printable(path):
        raise DataError("the name is no plain UTF-8")


def clip(text: str, length: int = 60) -> str:
    """What comes from a label file, short enough for a message."""
    return text if len(text) <= length else text[:length] + "…"


def list_files(root: str, top: str = "") -> Iterator[str]:
    """Regular files below `root/top` in sorted order, as relative paths.

    Hidden files and folders (`.DS_Store`, `.git`) are passed over: no owner's
    layout has them. A link is listed as a file, wherever it leads, and never
    followed: `resolve_inside` tells whether it may be read.
    """
    with os.scandir(os.path.join(root, top) if top else root) as entries:
        found = sorted(
            (entry.name, entry.is_dir(follow_symlinks=False))
            for entry in entries
            if entry.is_dir(follow_symlinks=False)
            or entry.is_file(follow_symlinks=False)
            or entry.is_symlink()
        )
    for name, is_folder in found:
        if name.startswith("."):
            continue
        relative = f"{top}/{name}" if top else name
        if is_folder:
            yield from list_files(root, relative)
        else:
            yield relative
