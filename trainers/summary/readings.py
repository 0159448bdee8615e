"""The readings below a folder of predictions, each with its condition and person."""

import collections
import dataclasses
import functools
import itertools
import json
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fer_tf import face_table
from fer_tf.utils import atomic
from fer_tf.utils.names import shown
from trainers.prediction.output_folder import JSONL, RUN, abouts
from trainers.summary.study_tables import Participants


@dataclasses.dataclass(frozen=True, eq=False)
class Readings:
    """Faces and what was read in them.

    Attributes:
        names: Of the readings that every face has.
        values: `(n, len(names))`.
        groups: `(n,)` the condition of each face, or whatever it is summarised by.
        people: `(n,)` who each face is.
        sources: `(n,)` picture or video.
        times: `(n,)` seconds in the video; NaN for pictures.
        left_out: Reason -> condition -> number of faces, or of pictures and frames
            without one or that could not be read.
        facts: What a table of participants says of each face: column -> `(n,)`.
        unseen: Participants of the table of whom there is no face.
        parts: Group -> its parts, where groups are by several things.
        order: Of the groups that have one; the others follow by their names.
    """

    names: list[str]
    values: np.ndarray
    groups: np.ndarray
    people: np.ndarray
    sources: np.ndarray
    times: np.ndarray
    left_out: dict[str, dict[str, int]]
    facts: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    parts: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    order: tuple[str, ...] = ()

    def ordered(self) -> list[str]:
        """The groups, in their order."""
        first = {group: number for number, group in enumerate(self.order)}
        groups = set(self.groups.tolist())
        return sorted(groups, key=lambda group: (first.get(group, len(first)), group))

    def chosen(self, rows, **changed) -> "Readings":
        """The readings of some rows, with other groups or times."""
        arrays = ("values", "groups", "people", "sources", "times")
        kept = {name: getattr(self, name)[rows] for name in arrays}
        kept["facts"] = {name: values[rows] for name, values in self.facts.items()}
        return dataclasses.replace(self, **{**kept, **changed})

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Each two groups that are worth a comparison: they differ in one part only."""
        for one, other in itertools.combinations(self.ordered(), 2):
            parts = zip(self.parts.get(one, (one,)), self.parts.get(other, (other,)))
            if sum(first != second for first, second in parts) == 1:
                yield one, other


# What of run.json belongs into a methods section.
_SETTINGS = (
    "min_face_score", "smallest_face", "every", "search_every", "smoothing", "people",
    "face_weights",
)  # fmt: skip


class _Face(NamedTuple):
    """A face; `number` is that of its person in a video, or of itself in a picture."""

    path: str
    readings: dict[str, float]
    condition: str
    source: str
    time: float
    number: int


def read(folder: str, person: str, table: Participants | None = None) -> Readings:
    """Reads every predictions.jsonl in a folder and below.

    Args:
        folder: What `trainers.predict` wrote, or a folder of several such folders.
        person: How a person is known: see `who`.
        table: Who the participants are.

    Returns:
        Readings by condition: that of a picture, or of a clip in a folder; or else the
        first folder below `folder` in which the predictions of a video lie. Where a
        person is known by a file's name, only the largest face of each picture is
        taken, and of each video only the person seen longest. Faces of a video that are
        of no person are left out, and so are those that the table does not name.

    Raises:
        ValueError: If there is no such folder, if there are no predictions, if a line
            is none, or if no face has readings.
        OSError: If a folder cannot be read.
    """
    left_out = collections.defaultdict(collections.Counter)
    faces = list(_faces(folder, left_out))
    first = _first(faces)
    rows, row_of = [], functools.cache(table.row) if table else None
    for face in faces:
        row, is_first = None, first[face.path, face.source] == face.number
        if table is not None and table.named:
            row = row_of(face.source, face.number, is_first)
            name = row and row.participant
        elif person == "auto" or is_first:
            name = who(person, face.source, face.number)
            row = table and _about(table, name)
        else:
            left_out["of others than the one person of a file"][face.condition] += 1
            continue
        if table is not None and row is None:
            left_out["of nobody in the table of participants"][face.condition] += 1
        else:
            rows.append((face, name, row and row.facts))
    if not rows or not (names := _common(face.readings for face, *_ in rows)):
        if faces and table and not rows:
            raise ValueError(_nobody_named(table, folder, person, faces[0]))
        raise ValueError(f"{shown(folder)}: no face with readings in its predictions")
    found, people, facts = zip(*rows)
    unseen = {row.participant for row in table.rows} - {*people} if table else set()
    return Readings(
        names=names,
        values=np.array([[face.readings[n] for n in names] for face in found], float),
        groups=np.array([face.condition for face in found]),
        people=np.array(people),
        sources=np.array([face.source for face in found]),
        times=np.array([face.time for face in found], float),
        left_out={
            reason: dict(sorted((+counts).items()))
            for reason, counts in left_out.items()
            if +counts
        },
        facts={
            name: np.array([fact[name] for fact in facts])
            for name in (table.facts if table else ())
        },
        unseen=tuple(sorted(unseen)),
    )


def _faces(folder, left_out) -> Iterator[_Face]:
    """The faces that show a person; the others are counted."""
    for path, record in _records(folder):
        faces, source = record["faces"], record["source"]
        inside = os.path.relpath(os.path.dirname(path), folder)
        own = next(face_table.rows(record))["condition"]
        if "condition" not in record:
            own = own or inside.split(os.sep)[0].strip(".")
        condition = str(own or "all")
        if record.get("error") not in (None, face_table.NO_FACE):
            left_out["that could not be read"][condition] += 1
        elif not faces:
            left_out["without a face"][condition] += 1
        # In a video: a track that is no person, such as a false face.
        known = [face for face in faces if face.get("person", 0) is not None]
        left_out["of no person"][condition] += len(faces) - len(known)
        time = np.nan if record.get("time") is None else record["time"]
        for place, face in enumerate(known, 1):
            number = place if record.get("frame") is None else face.get("person", place)
            yield _Face(
                path, face_table.readings(face), condition, source, time, number
            )


def _first(faces):
    """Number of the first person of each file: seen longest, or the largest face."""
    counts = collections.Counter((f.path, f.source, f.number) for f in faces)
    first = {}
    for (path, source, number), count in counts.items():
        best = first.get((path, source))
        if best is None or (count, -number) > (best[0], -best[1]):
            first[path, source] = count, number
    return {file: number for file, (_, number) in first.items()}


def _nobody_named(table, folder, person, face):
    there = f"person {face.number} of {face.source}"
    if not table.named:
        there = repr(who(person, face.source, face.number))
    return f"{shown(table.path)}: names nobody in {shown(folder)}, such as {there}"


def _about(table, participant):
    rows = [row for row in table.rows if row.participant == participant]
    return rows[0] if rows else None


def models(folder: str) -> list[dict]:
    """Which models wrote the predictions in a folder and below, each once.

    Args:
        folder: As of `read`.

    Returns:
        Each `{"weights"}`, their sha256, and what else `trainers.predict` kept:
        `"fer_tf"`, our version; `"model"`, its architecture; `"model_folder"`, the name
        of its folder; `"detector"`, with its version; `"calibrated"`, whether a
        temperature is in the weights; `"unsure_below"`, the probability below which a
        face is unsure, or None; `"min_face_score"` and, where it was
        set, `"smallest_face"`; and of videos `"every"`, `"search_every"` where it was
        set, `"smoothing"`, `"people"` and `"face_weights"`, as their flags were.
    """
    found = []
    for path in _files(folder):
        run = os.path.join(os.path.dirname(path), RUN)
        kept = atomic.read_json(run) if os.path.exists(run) else None
        if isinstance(kept, dict) and isinstance(kept.get("weights"), str):
            for about in abouts(kept) or [{}]:  # Our first versions kept none.
                how = {name: kept[name] for name in _SETTINGS if name in kept}
                model = {"weights": kept["weights"], **about, **how}
                found += [model] if model not in found else []
    return found


def who(person: str, source: str, number: int) -> str:
    r"""Who a face is.

    Args:
        person: "auto": a person of a video, and in pictures each face somebody else.
            "stem": the file's name without its ending. "folder": the last folder. Or
            a regular expression: its first group in the source.
        source: Picture or video.
        number: Of the person in the video, or of the face in its picture, from 1.

    Raises:
        ValueError: If the expression does not match, or has no group.

    Example:
        >>> who("stem", "smiling/001.jpg", 1), who(r"(s\d+)_", "x/s7_a.jpg", 1)
        ('001', 's7')
    """
    if person == "auto":
        return f"{source}#{number}"
    if person == "stem":
        return os.path.splitext(os.path.basename(source))[0]
    if person == "folder":
        return os.path.basename(os.path.dirname(source))
    match = re.search(person, source)
    if not match or not match.groups() or match[1] is None:
        raise ValueError(f"--person={person}: has no group that matches {source!r}")
    return match[1]


def _records(folder) -> Iterator[tuple[str, dict]]:
    """Path of the file and record of every line."""
    for path in _files(folder):
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                yield path, _record(line, f"{shown(path)}: line {number}")


def _files(folder):
    """The files of predictions, in a fixed order."""
    if not os.path.isdir(folder):
        raise ValueError(f"{shown(folder)}: no such folder")
    found = []
    for root, folders, names in os.walk(folder, onerror=_refuse):
        folders.sort()
        found += [os.path.join(root, JSONL)] if JSONL in names else []
    if not found:
        raise ValueError(f"{shown(folder)}: no {JSONL} here or below")
    return found


def _refuse(error):
    """A folder that cannot be read may hold half of the people."""
    raise error


def _record(line, where):
    try:
        record = json.loads(line)
        faces = record["faces"]
        if isinstance(record["source"], str) and isinstance(faces, list):
            for face in faces:
                np.array(list(face_table.readings(face).values()), float)
            return record
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise ValueError(f"{where}: not a line of predictions")


def _common(faces):
    """Names that every face has, in the order of the first."""
    first, *others = faces
    return [name for name in first if all(name in other for other in others)]
