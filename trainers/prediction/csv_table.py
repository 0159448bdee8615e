"""The records of `trainers.predict` as a table: a row a face."""

import csv

from fer_tf import labels
from fer_tf.utils import atomic


def columns(card) -> list[str]:
    """The table's columns: the same for every model whose names are the usual ones.

    Args:
        card: Of the model, a `fer_tf.model_io.card.Card`; its own names come
            after them.
    """
    names = [
        "source", "frame", "time", "face", "track_id", "x", "y", "width", "height",
        "confidence", "enlargement", "face_probability", "expression",
        *labels.EXPRESSIONS, *card.expressions, "valence", "arousal",
        *labels.ACTION_UNITS, *card.action_units, "error",
    ]  # fmt: skip
    return list(dict.fromkeys(names))


def write(path: str, records, card) -> None:
    """Writes the records as CSV, one at a time; see `write_rows`.

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


def write_rows(file, rows) -> None:
    """Writes rows as CSV in which no text is a formula to a spreadsheet.

    Args:
        file: Open for text, with `newline=""`.
        rows: Of texts, numbers and None.
    """
    # Every text quoted: a lone carriage return in a name would end its row.
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows(map(_harmless, row) for row in rows)


def _rows(record):
    common = {name: record.get(name) for name in ("source", "frame", "time", "error")}
    for number, face in enumerate(record["faces"], 1):
        box = dict(zip(("x", "y", "width", "height"), face["box"]))
        named = {**face.get("probabilities", {}), **face.get("action_units", {})}
        yield {**face, **named, **box, "face": number, **common}
    if not record["faces"]:
        yield common


# What begins a formula, in fonts of East Asia too.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def _harmless(cell):
    """A cell that no spreadsheet runs: text that begins like a formula is quoted."""
    if not isinstance(cell, str):
        return cell
    formula = cell.lstrip().startswith(_FORMULA) or cell[:1] in ("\t", "\r", "\n")
    return "'" + cell if formula else cell
