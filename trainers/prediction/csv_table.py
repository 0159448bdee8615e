"""The records of `trainers.predict` as a table; README.md here explains its columns.

It has a row for each face, and one for each picture without any.
"""

import csv
import itertools
import os
import re
import shutil
from collections.abc import Iterable

from fer_tf import face_table
from fer_tf.utils import atomic
from trainers.prediction.record_lines import Record

OPENFACE = {
    "track": "face_id", "time": "timestamp", "face_score": "confidence",
}  # fmt: skip
"""Names of OpenFace 2 for what it has too."""
PYFEAT = {
    "source": "input", "person": "Identity", "x": "FaceRectX", "y": "FaceRectY",
    "width": "FaceRectWidth", "height": "FaceRectHeight", "face_score": "FaceScore",
}  # fmt: skip
"""Names of py-feat for what it has too."""

# Characters that begin a formula in a spreadsheet; the last four are East Asian.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def write(path: str, records: Iterable[Record], columns: list[str]) -> None:
    """Writes records as CSV, holding one at a time.

    Args:
        path: Of the table.
        records: As in predictions.jsonl.
        columns: Of the table, from `fer_tf.Predictor.columns`.
    """
    rows = (row for record in records for row in face_table.rows(record))
    cells = (map(row.get, columns) for row in rows)
    write_file(path, itertools.chain([columns], cells))


def write_file(path: str, rows: Iterable[Iterable]) -> None:
    """Writes rows of texts, numbers and None as a file; see `write_rows`."""
    with atomic.replacing(path) as temporary:
        with open(temporary, "w", encoding="utf-8", errors="backslashreplace",
                  newline="") as file:  # fmt: skip
            write_rows(file, rows)


def rename(path: str, style: str) -> None:
    """Gives the columns of a written table the names of another program.

    Args:
        path: Of the table.
        style: "openface" or "pyfeat". Columns that the program lacks keep their names.
    """
    with atomic.replacing(path) as temporary:
        with open(path, encoding="utf-8", newline="") as old:
            with open(temporary, "w", encoding="utf-8", newline="") as new:
                # No name of a column holds the end of a line.
                (names,) = csv.reader([old.readline()])
                write_rows(new, [[_renamed(name, style) for name in names]])
                shutil.copyfileobj(old, new)


def _renamed(name, style):
    known, unit = (OPENFACE, "_p") if style == "openface" else (PYFEAT, "")
    if match := re.fullmatch(r"AU(\d+)(_raw)?", name):
        number, raw = match.groups(default="")
        return f"AU{number:0>2}{unit}{raw}"
    return known.get(name, name)


def to_parquet(path: str) -> str:
    """Writes a table once more, as Parquet; returns the path, with that ending.

    Raises:
        ModuleNotFoundError: If pyarrow is not installed.
    """
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet

    table = arrow_csv.read_csv(
        path,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        # An empty number is null, an empty text is a text.
        convert_options=arrow_csv.ConvertOptions(
            null_values=[""],
            column_types=dict.fromkeys(
                ("source", "input", "condition", "expression", "error"), "string"
            ),
        ),
    )
    written = os.path.splitext(path)[0] + ".parquet"
    with atomic.replacing(written) as temporary:
        parquet.write_table(table, temporary)
    return written


def write_rows(file, rows: Iterable[Iterable]) -> None:
    """Writes rows as CSV in which no text is a formula to a spreadsheet.

    Args:
        file: Open for text, with `newline=""`.
        rows: Of texts, numbers and None.
    """
    # Every text is quoted: a lone carriage return in a name would end its row.
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows(map(_harmless, row) for row in rows)


def _harmless(cell):
    """A cell that no spreadsheet runs: text that begins like a formula is quoted."""
    if not isinstance(cell, str):
        return cell
    formula = cell.lstrip().startswith(_FORMULA) or cell[:1] in ("\t", "\r", "\n")
    return "'" + cell if formula else cell
