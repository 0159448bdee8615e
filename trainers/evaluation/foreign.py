"""What somebody else's program says of the faces of a prepared folder, from a CSV.

Its header is `path` and names of expressions; a line holds the picture's path and a
number for each expression, its probability. A line without numbers is a picture in
which the program found no face.
"""

import csv
import os
from collections.abc import Iterable

import numpy as np

from data_pipelines.storage.prepared import Prepared, examples
from fer_tf.labels import EXPRESSIONS
from trainers.evaluation.predictions import ORIGIN, Predictions

NO_FACE = "no face found"
"""What a face is taken for that the program did not find."""

# Programs print two digits, so that 0 may be 0.004.
_LEAST = 1e-3


def predictions_of(path: str, prepared: Prepared, split: str) -> Predictions:
    """Reads a CSV and sets it beside the labels of a split.

    A picture is known by its `sample_id`, or by its file's name without the ending. An
    expression that the program does not know has no probability: faces that show it
    count as wrong, and so do those that it did not find.

    Args:
        path: The CSV; it may list other pictures, too.
        prepared: The data.
        split: Of the data.

    Raises:
        ValueError: If the CSV is not as above, or lacks a picture of the split.
    """
    said = _read(path, prepared.expressions)
    faces = [e for shard in prepared.shards(split) for e in examples(shard)]
    if not faces:
        raise ValueError(f"{','.join(prepared.folders)}: no {split} examples here")
    columns = {name: np.array([face[name] for face in faces]) for name in faces[0]}
    names = [bytes(name).decode() for name in columns["sample_id"]]
    missing = [name for name in names if said.get(name) is None]
    if missing:
        raise ValueError(
            f"{path}: {len(missing)} of {len(names)} pictures of {split} are not in "
            f"it, such as {missing[0]}"
        )
    return Predictions(
        outputs={"expression": np.log(np.stack([said[name] for name in names]))},
        labels={"expression": columns["expression"]},
        weights={"expression": columns["expression_weight"]},
        **{name: columns[name] for name in ORIGIN if name in columns},
    )


def _read(path, expressions):
    """`{name of a picture: probabilities, NO_FACE last}`."""
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        places = _places(header, expressions, path)
        said = {}
        for cells in reader:
            place = f"{path}, line {reader.line_num}"
            if len(cells) != len(header):
                raise ValueError(f"{place}: {len(cells)} cells, not {len(header)}")
            row = _probabilities(cells[1:], places, len(expressions), place)
            for name in _names(cells[0]):
                said[name] = None if name in said else row  # None: of two pictures.
    return said


def _places(header: list[str], expressions: Iterable[str], path: str) -> list[int]:
    named = header[1:]
    unknown = [name for name in named if name not in expressions]
    if header[:1] != ["path"] or not named or unknown or len(set(named)) < len(named):
        raise ValueError(
            f"{path}: must begin with the line path,EXPRESSION,… of "
            f"{', '.join(EXPRESSIONS)}, each once"
        )
    return [list(expressions).index(name) for name in named]


def _probabilities(cells, places, count, place):
    row = np.full(count + 1, _LEAST)
    if not any(cells):
        row[-1] = 1.0
        return row
    try:
        values = np.array([float(cell) for cell in cells])
    except ValueError:
        values = np.array([np.nan])
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"{place}: not all are numbers from 0 to 1")
    row[places] = np.maximum(values, _LEAST)
    return row


def _names(path):
    path = path.replace("\\", "/")
    return {path, os.path.splitext(os.path.basename(path))[0]}
