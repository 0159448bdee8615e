"""Predictions of many pictures: lines of JSON, a table, annotated pictures.

A run that was stopped goes on where it was. Of a folder that was read before, only
pictures that are new or have changed are read.
"""

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent import futures

import numpy as np

from fer_tf.face_table import NO_FACE
from fer_tf.faces.images import read_with_note
from fer_tf.plotting.photograph import annotated
from fer_tf.plotting.pixels import save_png
from trainers.common.progress import Progress
from trainers.prediction import picture_names
from trainers.prediction.picture_files import Files, sha256
from trainers.prediction.record_lines import SCHEMA_VERSION, Record
from trainers.prediction.records import Records

# A picture cannot be used, or the model's outputs for it are not finite.
_UNREADABLE = (ValueError, FloatingPointError)

# A picture cannot be drawn, or another file is in its way.
_UNDRAWABLE = (ValueError, FileExistsError, IsADirectoryError, NotADirectoryError)

# Most pictures, and about the most pixels, that are searched together.
_MOST_PICTURES, _MOST_PIXELS = 8, 12_000_000
# Most pictures, and about the most pixels, that are decoded ahead.
_AHEAD, _PIXELS_AHEAD = 4, 24_000_000

_Picture = tuple[Record, np.ndarray | None]


def run(
    predictor, files: Files, output: str, *, pictures: bool
) -> tuple[Records, list[str], int]:
    """Predicts pictures and writes everything to `output`.

    Args:
        predictor: A `fer_tf.Predictor`.
        files: The pictures.
        output: Folder; see `output_folder.begin`.
        pictures: Whether to write annotated pictures.

    Returns:
        All `Records` of predictions.jsonl, those of earlier calls too; the names of
        the pictures, in the order of `files.paths`; and the number of records that
        were dropped because their pictures are gone from the folder or pattern.

    Raises:
        ValueError: If the output holds lines that are no predictions.
    """
    records = Records(output)
    gone = picture_names.gone(records, files)
    for name in gone:
        records.drop(name)
    names = list(picture_names.source_names(files, records))
    drawn = {}
    if pictures:
        drawn = picture_names.drawn_names(names, records.pictures, output)
    new = [
        (path, name)
        for path, name in zip(files.paths, names)
        if name not in records
        or not _is_done(records[name], path, drawn.get(name), output)
    ]
    progress = Progress("predict", len(names), unit="pictures")
    done = len(names) - len(new)
    progress.update(done)
    with records.appending() as append:
        for group in _groups(new):
            for record, image in _predict(predictor, group):
                if image is not None and pictures:
                    _draw(image, record, output, drawn[record["source"]])
                append(record)
                done += 1
                progress.update(done)
    # Records of earlier calls stay in front.
    own = set(names)
    earlier = [name for name in records.names if name not in own]
    records.finish([*earlier, *names], predictor.columns())
    return records, names, len(gone)


def _is_done(record, path, picture, output):
    """Whether a record is of this very file, and drawn if it is to be.

    A picture that could not be read is tried again: the obstacle may be gone.
    """
    if record["error"] not in (None, NO_FACE):
        return False
    drawn = picture is None or not record["faces"]
    if picture is not None and record.get("picture") == picture:
        drawn |= os.path.exists(os.path.join(output, picture))
    known = (record.get("file") or {}).get("sha256")
    return bool(drawn and known) and known == sha256(path)


def _groups(files: Iterable[tuple[str, str]]) -> Iterator[list[_Picture]]:
    """Groups of records without faces and their pictures, decoded ahead of use.

    The next pictures are taken to be as large as the last.
    """
    waiting, group, pixels = deque(), [], 0
    with futures.ThreadPoolExecutor(2) as pool:
        files = iter(files)
        submit = lambda count: waiting.extend(
            pool.submit(_decode, *file) for file in itertools.islice(files, count)
        )
        submit(1)
        while waiting:
            record, image = waiting.popleft().result()
            size = 0 if image is None else image.shape[0] * image.shape[1]
            ahead = min(_AHEAD, max(1, _PIXELS_AHEAD // max(1, size)))
            submit(max(0, ahead - len(waiting)))
            group.append((record, image))
            pixels += size
            if len(group) == _MOST_PICTURES or pixels > _MOST_PIXELS:
                yield group
                group, pixels = [], 0
    if group:
        yield group


def _decode(path: str, name: str) -> _Picture:
    """A picture's record, still without faces, and its pixels if it can be read."""
    record: Record = {"schema_version": SCHEMA_VERSION, "source": name, "frame": None}
    file = {"path": os.path.realpath(path), "sha256": None}
    record |= {"file": file, "picture": None, "faces": [], "error": None}
    try:
        image, note = read_with_note(path)
    except (ValueError, OSError) as error:
        record["error"] = str(error)
        return record, None
    file["sha256"] = sha256(path)
    if note:
        record["note"] = note
    return record, image


def _predict(predictor, group: list[_Picture]) -> Iterator[_Picture]:
    """The group with its faces; a picture that fails does not fail the others."""
    images = [image for _, image in group if image is not None]
    try:
        together = iter(predictor.predict_many(images))
    except _UNREADABLE:
        together = None
    for record, image in group:
        if image is not None:
            try:
                faces = next(together) if together else predictor.predict(image)
                record["faces"] = faces
                record["error"] = None if faces else NO_FACE
            except _UNREADABLE as error:
                record["error"] = str(error)
        yield record, image


def _draw(image, record, output, picture):
    """Writes the annotated picture; one that cannot be drawn is an error."""
    path = os.path.join(output, picture)
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        save_png(np.asarray(annotated(image, record["faces"])), path)
        record["picture"] = picture
    except _UNDRAWABLE as error:
        record["error"] = f"the annotated picture cannot be drawn: {error}"
