"""The records of `trainers.predict` as a table.

It has a row for each face, and one for each picture without any.
"""

import csv
from collections.abc import Iterable, Iterator

from fer_tf import labels
from fer_tf.model_io.card import Card
from fer_tf.utils import atomic
from trainers.prediction.record_lines import Record

# The columns before and after those of the expressions and action units.
_BEFORE = (
    "source", "frame", "time", "face", "person", "track", "x", "y", "width", "height",
    "confidence", "enlargement", "face_probability", "expression",
)  # fmt: skip
_DIMENSIONS = ("valence", "arousal")
_AFTER = ("error",)

# Characters that begin a formula in a spreadsheet; the last four are East Asian.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def columns(card: Card) -> list[str]:
    """Names of the columns.

    They are the same for every model of the usual expressions and action units. A
    model's own names come after the usual ones.

    Args:
        card: Of the model.
    """
    expressions = map(_column, (*labels.EXPRESSIONS, *card.expressions))
    action_units = map(_column, (*labels.ACTION_UNITS, *card.action_units))
    names = [*_BEFORE, *expressions, *_DIMENSIONS, *action_units, *_AFTER]
    return list(dict.fromkeys(names))


def _column(name):
    """Column of an expression or action unit, told from the table's own columns."""
    own = (*_BEFORE, *_DIMENSIONS, *_AFTER)
    return f"{name} (class)" if name.casefold() in own else name


def write(path: str, records: Iterable[Record], card: Card) -> None:
    """Writes records as CSV, holding one at a time.

    Args:
        path: Of the table.
        records: As in predictions.jsonl.
        card: Of the model that made them.
    """
    with atomic.replacing(path) as temporary:
        with open(temporary, "w", encoding="utf-8", errors="backslashreplace",
                  newline="") as file:  # fmt: skip
            names = columns(card)
            rows = (row for record in records for row in _rows(record))
            write_rows(file, [names])
            write_rows(file, (map(row.get, names) for row in rows))


def write_rows(file, rows: Iterable[Iterable]) -> None:
    """Writes rows as CSV in which no text is a formula to a spreadsheet.

    Args:
        file: Open for text, with `newline=""`.
        rows: Of texts, numbers and None.
    """
    # Every text is quoted: a lone carriage return in a name would end its row.
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows(map(_harmless, row) for row in rows)


def _rows(record: Record) -> Iterator[dict]:
    common = {name: record.get(name) for name in ("source", "frame", "time", "error")}
    for number, face in enumerate(record["faces"], 1):
        box = dict(zip(("x", "y", "width", "height"), face["box"]))
        named = {**face.get("probabilities", {}), **face.get("action_units", {})}
        named = {_column(name): value for name, value in named.items()}
        yield {**face, **named, **box, "face": number, **common}
    if not record["faces"]:
        yield common


def _harmless(cell):
    """A cell that no spreadsheet runs: text that begins like a formula is quoted."""
    if not isinstance(cell, str):
        return cell
    formula = cell.lstrip().startswith(_FORMULA) or cell[:1] in ("\t", "\r", "\n")
    return "'" + cell if formula else cell
