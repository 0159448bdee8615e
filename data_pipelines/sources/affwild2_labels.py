"""Aff-Wild2's label files: one for each task and video, with a row for each frame."""

import re
from collections.abc import Iterator

from data_pipelines.sources import label_files, label_values
from data_pipelines.sources.errors import DataError, OutOfRange, clip
from data_pipelines.sources.sample import Reject
from fer_tf import labels

OTHER = "other"
"""Name of the eighth class of the later challenges."""

_NO_VALENCE_AROUSAL = -5
_NO_LABEL = -1
_UNIT_NAME = re.compile(r"AU\d{1,2}")


def read_columns(root: str, task: str, name: str) -> list[str]:
    """The columns of a file, by its header.

    Args:
        root: Folder of the data set.
        task: `VA`, `EXPR` or `AU`.
        name: Relative path of the file.

    Returns:
        `valence` and `arousal`, the classes, or the action units.

    Raises:
        DataError: If it is no file of the task.
    """
    return _columns(task, next(_rows(root, name)), name)[0]


def read_labels(root: str, task: str, name: str) -> Iterator[dict | Reject]:
    """The labels in each row of a file: fields of a `Sample`, or a reject.

    A row that the owner marks as not valid has no labels. The header tells whether
    there are seven classes or eight, eight action units or twelve.

    Args:
        root: Folder of the data set.
        task: `VA`, `EXPR` or `AU`.
        name: Relative path of the file.

    Raises:
        DataError: If it is no file of the task.
    """
    rows = _rows(root, name)
    columns, width = _columns(task, next(rows), name)
    read_row = _TASKS[task][1]
    for place, fields in rows:
        try:
            if len(fields) != width:
                raise DataError(f"{len(fields)} values, not {width}")
            yield read_row(columns, fields)
        except ValueError as error:
            yield Reject.of(place, error)


def _rows(root, name):
    """The header, then `(place, fields)` of each row."""
    lines = label_files.text_lines(root, name)
    yield [field.strip() for field in next(lines, "").split(",")]
    # Files often end on empty lines, which are no frames; one in between is.
    waiting = []
    for number, line in enumerate(lines, 2):
        waiting.append((f"{name}, line {number}", line.split(",")))
        if line.strip():
            yield from waiting
            waiting.clear()


def _columns(task, header, name):
    """The columns of a task's file, and how many values a row has."""
    try:
        return _TASKS[task][0](header)
    except ValueError as error:
        text, reason = clip(",".join(header)), clip(str(error), 200)
        raise DataError(f"{name}: {text!r} is not its header: {reason}") from error


def _dimensions(header):
    names = [column.lower() for column in header]
    if sorted(names) != ["arousal", "valence"]:
        raise ValueError("it must be valence,arousal")
    return names, 2


def _valence_arousal(columns, fields):
    values = {c: label_values.number(text, c) for c, text in zip(columns, fields)}
    if _NO_VALENCE_AROUSAL in values.values():
        return {}
    return {c: label_values.in_circumplex(value, c) for c, value in values.items()}


def _classes(header):
    """Our name of each class."""
    ours = lambda name: name if name == OTHER else labels.expression_of(name)
    return [ours(name.lower()) for name in header], 1


def _expression(classes, fields):
    label = label_values.whole_number(fields[0], "expression")
    if label == _NO_LABEL:
        return {}
    if not 0 <= label < len(classes):
        raise OutOfRange(f"expression must be 0..{len(classes) - 1}, is {label}")
    return {"expression": classes[label]}


def _units(header):
    names = [column.upper() for column in header]
    if not all(_UNIT_NAME.fullmatch(name) for name in names):
        raise ValueError("it must be AU1,AU2,…")
    if len(set(names)) < len(names):
        raise ValueError("an action unit comes twice")
    return names, len(names)


def _action_units(names, fields):
    values = {n: label_values.whole_number(text, n) for n, text in zip(names, fields)}
    if _NO_LABEL in values.values():
        # As public readers of the challenge do: if one is missing, none is used.
        return {}
    units = {n: label_values.present(text, n) for n, text in zip(names, fields)}
    return {"action_units": units}


_TASKS = {
    "VA": (_dimensions, _valence_arousal),
    "EXPR": (_classes, _expression),
    "AU": (_units, _action_units),
}
