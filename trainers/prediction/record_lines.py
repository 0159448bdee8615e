"""A record of predictions.jsonl: its keys, its line of JSON, its line for people."""

import json
import os
from typing import TypedDict

from fer_tf import labels
from fer_tf.face_types import Face
from fer_tf.faces.sharpness import doubt
from fer_tf.utils.names import one_line

SCHEMA_VERSION = 1


class SourceFile(TypedDict):
    """The file that a record was read from.

    Keys:
        path: Absolute, without links.
        sha256: Of its content; None if it could not be read.
    """

    path: str
    sha256: str | None


class _Always(TypedDict):
    schema_version: int
    source: str
    frame: int | None
    faces: list[Face]
    error: str | None


class Record(_Always, total=False):
    """What was read in one picture, or in one frame of a video.

    Keys:
        schema_version: `SCHEMA_VERSION`.
        source: Name of the picture or clip inside its folder; path of a video that is
            given by itself.
        frame: Number of the frame in the video, from 0; None for a picture.
        faces: Largest first; empty if there is an error.
        error: Why there is no face, or what is wrong; None if all is well.
        time: Of a frame: seconds since the first one; None if it was not read.
        condition: Of a frame, in a folder of clips: the first folder of its source.
        file: Of a picture: the file that was read.
        picture: Of a picture: path of the annotated picture inside the output folder;
            None if none was drawn.
        note: Of a picture: what else a user should know, such as that it is the first
            frame of an animation.
    """

    time: float | None
    condition: str
    file: SourceFile
    picture: str | None
    note: str


def to_line(record: Record) -> str:
    """A record as a line of JSON; bytes of a file's name that are no text escaped."""
    text = json.dumps(record, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode() + "\n"


def from_line(line: bytes) -> Record | None:
    """The record of a picture in a line of JSON, or None if the line holds none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if _is_record(record) else None


def in_words(record: Record) -> str:
    """A record as a line for people."""
    text = record["error"] or "; ".join(map(_face_in_words, record["faces"]))
    note = f" ({record['note']})" if record.get("note") else ""
    return one_line(f"{record['source']}: {text}{note}")


def _face_in_words(face: Face):
    words = []
    if "expression" in face:
        name = face["expression"]
        words.append(f"{name} {face['probabilities'][name]:.0%}")
    for name in ("valence", "arousal"):
        if name in face:
            words.append(f"{name} {face[name]:+.2f}")
    if "action_units" in face:
        active = labels.active_units(face["action_units"])
        words.append(" ".join(active) or "no action unit")
    if "face_probability" in face:
        words.append(f"face {face['face_probability']:.0%}")
    if face["enlargement"] > 1.5:
        words.append(f"(small: enlarged {face['enlargement']:.1f} times)")
    elif why := doubt(face):
        words.append(f"({why})")
    return " ".join(words) or "face"


def _is_record(record):
    if not isinstance(record, dict) or "error" not in record:
        return False
    if not _is_name(record.get("source")):
        return False
    file, faces = record.get("file") or {}, record.get("faces")
    if not isinstance(file, dict) or not isinstance(faces, list):
        return False
    texts = file.get("path"), record.get("picture"), record["error"]
    known = all(text is None or isinstance(text, str) for text in texts)
    return known and all(map(_is_face, faces))


def _is_name(source):
    """Whether it names a picture: a path inside the folder that the picture lies in."""
    if not isinstance(source, str) or not source or os.path.isabs(source):
        return False
    return os.pardir not in source.split(os.sep)


def _is_number(value):
    # JSON may hold NaN, and integers that no float can hold.
    return isinstance(value, int | float) and abs(value) < 1e300


def _is_face(face):
    if not isinstance(face, dict) or not isinstance(face.get("box"), list):
        return False
    named = [face.get(name, {}) for name in ("probabilities", "action_units")]
    if not all(isinstance(values, dict) for values in named):
        return False
    single = [face.get(n, 0) for n in ("valence", "arousal", "face_probability")]
    numbers = [*face["box"], face.get("enlargement"), *single]
    numbers += [number for values in named for number in values.values()]
    return (
        len(face["box"]) == 4
        and all(map(_is_number, numbers))
        and ("expression" not in face or face["expression"] in list(named[0]))
    )
