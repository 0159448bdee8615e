"""Predictions of many pictures: lines of JSON, a table, annotated pictures."""

import csv
import io
import json
import os
from collections import Counter

from data_pipelines import atomic
from fer_tf import labels, plotting
from fer_tf.faces.images import read_image
from trainers.progress import Progress

SCHEMA_VERSION = 1
NO_FACE = "no face found"


def run(predictor, paths, output: str, *, root: str, pictures: bool) -> list[dict]:
    """Predicts pictures one after the other and writes everything to `output`.

    Args:
        predictor: A `fer_tf.Predictor`.
        paths: Of the pictures.
        output: Existing folder.
        root: What names are relative to, if it is a folder.
        pictures: Whether to write annotated pictures.

    Returns:
        The records of predictions.jsonl.
    """
    records = []
    names = _picture_names(paths, root)
    bar = Progress("predict", len(paths), unit="pictures")
    bar.update(0)
    for number, path in enumerate(paths, 1):
        name = os.path.relpath(path, root) if os.path.isdir(root) else path
        record, image = _predict(predictor, path, name)
        records.append(record)
        if pictures and image is not None:
            shown = name if os.path.isdir(root) else os.path.basename(path)
            _draw(image, record, os.path.join(output, f"{names[shown]}_annotated.png"))
        bar.update(number)
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    atomic.write_text(os.path.join(output, "predictions.jsonl"), "".join(lines))
    atomic.write_text(os.path.join(output, "predictions.csv"), _table(records))
    return records


def _picture_names(paths, root):
    """Names for annotated pictures: without ending, unless two would be one."""
    shown = [os.path.relpath(p, root) if os.path.isdir(root) else os.path.basename(p)
             for p in paths]  # fmt: skip
    stems = Counter(os.path.splitext(name)[0] for name in shown)
    stem = lambda name: os.path.splitext(name)[0]
    return {name: stem(name) if stems[stem(name)] == 1 else name for name in shown}


def _draw(image, record, path):
    """Writes the annotated picture; one that cannot be drawn is noted."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    try:
        plotting.save(plotting.annotated(image, record["faces"]), path)
    except ValueError as error:
        record["error"] = f"the annotated picture cannot be drawn: {error}"


def _predict(predictor, path, name):
    """One picture's record, and its pixels if it could be read."""
    record = {"schema_version": SCHEMA_VERSION, "source": name, "frame": None}
    try:
        image = read_image(path)
        faces = predictor.predict(image)
    except (ValueError, OSError) as error:
        return {**record, "faces": [], "error": str(error)}, None
    if not faces:
        return {**record, "faces": [], "error": NO_FACE}, image
    plain = [{**face, "landmarks": face["landmarks"].tolist()} for face in faces]
    return {**record, "faces": plain, "error": None}, image


def describe(record: dict) -> str:
    """A line for people."""
    if record["error"]:
        return f"{record['source']}: {record['error']}"
    parts = []
    for face in record["faces"]:
        words = []
        if "expression" in face:
            name = face["expression"]
            words.append(f"{name} {face['probabilities'][name]:.0%}")
        if "valence" in face:
            words.append(f"valence {face['valence']:+.2f}")
        if "arousal" in face:
            words.append(f"arousal {face['arousal']:+.2f}")
        parts.append(" ".join(words) or "face")
    return f"{record['source']}: " + "; ".join(parts)


def _table(records):
    """The faces as CSV. Text that a spreadsheet would run is made harmless."""
    columns = ["source", "face", "x", "y", "width", "height", "confidence"]
    columns += ["expression", *labels.EXPRESSIONS, "valence", "arousal"]
    columns += [*labels.ACTION_UNITS, "error"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for record in records:
        common = {"source": _harmless(record["source"]), "error": record["error"]}
        for number, face in enumerate(record["faces"], 1):
            box = dict(zip(("x", "y", "width", "height"), face["box"]))
            named = {**face.get("probabilities", {}), **face.get("action_units", {})}
            writer.writerow({**common, "face": number, **box, **face, **named})
        if not record["faces"]:
            writer.writerow(common)
    return text.getvalue()


def _harmless(text):
    return "'" + text if text[:1] in "=+-@\t\r" else text
