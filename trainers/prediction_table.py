"""The records of `trainers.predict` as a table: a row a face."""

import csv

from data_pipelines import atomic
from fer_tf import labels


def columns(card) -> list[str]:
    """The table's columns: the same for every model whose names are the usual ones.

    Args:
        card: Of the model, a `fer_tf.loading.Card`; its own names come after them.
    """
    names = [
        "source", "frame", "time", "face", "track_id", "x", "y", "width", "height",
        "confidence", "enlargement", "face_probability", "expression",
        *labels.EXPRESSIONS, *card.expressions, "valence", "arousal",
        *labels.ACTION_UNITS, *card.action_units, "error",
    ]  # fmt: skip
    return list(dict.fromkeys(names))


def write(path: str, records, card) -> None:
    """Writes the records as CSV, one at a time.

    Text that a spreadsheet would run as a formula is made harmless.

    Args:
        path: Of the table.
        records: As in predictions.jsonl.
        card: Of the model that made them.
    """
    with atomic.replacing(path) as temporary:
        with open(temporary, "w", encoding="utf-8", errors="backslashreplace",
                  newline="") as file:  # fmt: skip
            writer = csv.DictWriter(
                file, columns(card), lineterminator="\n", extrasaction="ignore"
            )
            writer.writeheader()
            for record in records:
                writer.writerows(_rows(record))


def _rows(record):
    common = {name: record.get(name) for name in ("frame", "time", "error")}
    common["source"] = _harmless(record["source"])
    for number, face in enumerate(record["faces"], 1):
        box = dict(zip(("x", "y", "width", "height"), face["box"]))
        named = {**face.get("probabilities", {}), **face.get("action_units", {})}
        yield {**common, "face": number, **box, **face, **named}
    if not record["faces"]:
        yield common


def _harmless(text):
    return "'" + text if text[:1] in "=+-@\t\r" else text
