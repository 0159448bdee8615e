"""Faces as the rows of a table, one schema for CSV, Parquet and pandas.

Which columns there are depends on the model and on whether videos were read, never on
what was found. `trainers/prediction/README.md` explains every column.
"""

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence

from fer_tf.circumplex import NORMS

# The error of a picture that was read and shows no face.
NO_FACE = "no face found"

_VIDEO = ("frame", "time")
_PEOPLE = ("person", "track")
_BOX = ("x", "y", "width", "height")
_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
_LANDMARKS = tuple(f"{point}_{axis}" for point in _POINTS for axis in "xy")
_DIMENSIONS = ("valence", "arousal")
_DERIVED = ("circumplex_valence", "circumplex_arousal")
_OWN = (
    "source", "condition", *_VIDEO, "face", *_PEOPLE, *_BOX, *_LANDMARKS, "face_score",
    "enlargement", "sharpness", "face_probability", "expression", "unsure",
    *_DIMENSIONS, *_DERIVED, "error",
)  # fmt: skip
# Behind the name of a reading: that of the frame alone.
_RAW = "_raw"


def has_circumplex(names: Mapping[str, Sequence[str]]) -> bool:
    """Whether a model's probabilities give a derived place on the circumplex.

    They do if the model has no valence and arousal of its own, and knows every
    expression that has norms.

    Args:
        names: As of `columns`.
    """
    own = set(_dimensions(names))
    return not own and set(NORMS) <= set(names.get("expressions", ()))


def columns(
    names: Mapping[str, Sequence[str]],
    *,
    pictures: bool = True,
    videos: bool = False,
    smoothed: bool = False,
    unsure: bool = False,
) -> list[str]:
    """Names of the columns, in their order.

    Args:
        names: The model's outputs, as `fer_tf.model_io.serving.names_inside` gives
            them.
        pictures: Whether pictures, or a folder of videos, were read: these have a
            condition.
        videos: Whether videos were read.
        smoothed: Whether their readings were smoothed over time.
        unsure: Whether the model's card states a threshold.

    Example:
        >>> found = columns({"expressions": ["fear", "anger"]})
        >>> found[:3], found[-3:]
        (['source', 'condition', 'face'], ['fear', 'anger', 'error'])
    """
    expressions = [_column(name) for name in names.get("expressions", ())]
    action_units = [_column(name) for name in names.get("action_units", ())]
    dimensions = _dimensions(names)
    smoothable = [*expressions, *dimensions, *action_units]
    found = [
        "source",
        *(["condition"] if pictures else []),
        *(_VIDEO if videos else ()),
        "face",
        *(_PEOPLE if videos else ()),
        *_BOX,
        *_LANDMARKS,
        "face_score",
        "enlargement",
        "sharpness",
        *(["face_probability"] if "faces" in names else []),
        *(["expression"] if expressions else []),
        *(["unsure"] if expressions and unsure else []),
        *expressions,
        *dimensions,
        *(_DERIVED if has_circumplex(names) else ()),
        *action_units,
        *([name + _RAW for name in smoothable] if videos and smoothed else []),
        "error",
    ]
    return list(dict.fromkeys(found))


def rows(record: Mapping) -> Iterator[dict]:
    """A row for each face of a picture or frame, or one for none.

    Args:
        record: As in predictions.jsonl: `source`, `faces` and, as far as they are
            known, `condition`, `frame`, `time` and `error`. Without a condition, a
            picture's is the first folder of its `source`.

    Yields:
        Values by the names of `columns`.

    Example:
        >>> face = {"box": [1, 2, 3, 4], "confidence": 0.9}
        >>> (row,) = rows({"source": "sad/a.png", "faces": [face]})
        >>> row["condition"], row["width"], row["face_score"]
        ('sad', 3, 0.9)
    """
    common = {name: record.get(name) for name in ("source", *_VIDEO, "error")}
    common["condition"] = record.get("condition")
    if "condition" not in record and record.get("frame") is None:
        first, below, _ = str(record["source"]).partition(os.sep)
        common["condition"] = first if below else ""
    for number, face in enumerate(record["faces"], 1):
        yield {**_row(face), "face": number, **common}
    if not record["faces"]:
        yield common


def _row(face):
    row = {name: value for name, value in face.items() if name in _OWN}
    row |= readings(face)
    row |= {k + _RAW: v for k, v in readings(face.get("unsmoothed", {})).items()}
    row |= dict(zip(_BOX, face["box"]))
    row |= zip(_LANDMARKS, itertools.chain(*face.get("landmarks", ())))
    row["face_score"] = face.get("confidence")
    return row


def readings(face: Mapping) -> dict[str, float]:
    """What is read in a face, as numbers by column.

    Example:
        >>> readings({"probabilities": {"fear": 0.5}, "unsure": True, "box": [0] * 4})
        {'fear': 0.5, 'unsure': 1}
    """
    named = {**face.get("probabilities", {}), **face.get("action_units", {})}
    named = {_column(name): value for name, value in named.items()}
    named |= {k: face[k] for k in (*_DIMENSIONS, *_DERIVED) if k in face}
    return named | ({"unsure": int(face["unsure"])} if "unsure" in face else {})


def _dimensions(names):
    both = names.get("valence_arousal", ())
    return [name for name in _DIMENSIONS if name in both or name in names]


def _column(name):
    """Column of an expression or action unit, told from the table's own columns."""
    own = name.casefold() in _OWN or name.casefold().endswith(_RAW)
    return f"{name} (class)" if own else name
