"""The lines of predictions.jsonl, in a folder that anybody may have filled.

Each record is written to a journal as soon as it is there, and the journal
becomes `predictions.jsonl` when all are.
"""

import contextlib
import json
import os

from fer_tf.utils import atomic
from trainers.prediction import csv_table

JSONL, CSV, RUN = "predictions.jsonl", "predictions.csv", "run.json"
JOURNAL = f".part-{JSONL}"
DRAWN = "_annotated.png"


class Records:
    """The records in a folder: finished ones, and the journal of the others.

    Only where each lies, its file and its annotated picture are held in memory.

    Attributes:
        files: Name of a record -> path of the file that was read, where it says so.
        pictures: Name of a record -> its annotated picture, where it has one that
            lies in the folder.
    """

    def __init__(self, output: str):
        self._output = output
        self._final = os.path.join(output, JSONL)
        self._journal = os.path.join(output, JOURNAL)
        self._table = os.path.join(output, CSV)
        self._places: dict[str, tuple[str, int]] = {}
        self.files: dict[str, str] = {}
        self.pictures: dict[str, str] = {}
        for path in (self._final, self._journal):
            self._index(path)

    def __contains__(self, name) -> bool:
        return name in self._places

    def __getitem__(self, name) -> dict:
        return json.loads(self._line(name))

    def __iter__(self):
        return (self[name] for name in self._places)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def names(self) -> list[str]:
        """Of the records, in their order."""
        return list(self._places)

    def drop(self, name: str) -> None:
        """Forgets a record, and removes its annotated picture."""
        del self._places[name]
        self.files.pop(name, None)
        picture = self.pictures.pop(name, None)
        if picture:
            with contextlib.suppress(FileNotFoundError):
                os.remove(os.path.join(self._output, picture))

    @contextlib.contextmanager
    def appending(self):
        """Yields `append(record)`; what is appended outlives a kill."""
        with open(self._journal, "ab") as file:

            def append(record):
                self._places[record["source"]] = self._journal, file.tell()
                file.write(line(record).encode())
                file.flush()

            yield append

    def finish(self, names, card) -> None:
        """Writes predictions.jsonl and .csv of the records named, in that order."""
        with atomic.replacing(self._final) as path, open(path, "wb") as file:
            places = {}
            for name in names:
                places[name] = self._final, file.tell()
                file.write(self._line(name))
        self._places = places
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._journal)
        csv_table.write(self._table, self, card)

    def _line(self, name):
        path, offset = self._places[name]
        with open(path, "rb") as file:
            file.seek(offset)
            return file.readline()

    def _index(self, path):
        """Finds the records of a file; a torn last line of a kill is cut off."""
        if os.path.islink(path):  # What is written to it would lie elsewhere.
            raise ValueError(f"{path}: a link, which no run of trainers.predict made")
        if not os.path.exists(path):
            return
        offset = 0
        with open(path, "rb") as file:
            for text in file:
                if text[-1:] != b"\n":
                    break
                record = _parsed(text)
                if record is None:
                    raise ValueError(
                        f"{path}: byte {offset}: not a line of predictions"
                    )
                self._places[record["source"]] = path, offset
                self._note(record)
                offset += len(text)
        if offset < os.path.getsize(path):
            os.truncate(path, offset)

    def _note(self, record):
        """Of two lines of one name the later counts."""
        name, picture = record["source"], record.get("picture")
        self.files.pop(name, None)
        self.pictures.pop(name, None)
        file = (record.get("file") or {}).get("path")
        if file:
            self.files[name] = file
        if picture and picture.endswith(DRAWN) and fits(self._output, picture):
            self.pictures[name] = picture


def line(record: dict) -> str:
    """A record as a line of JSON; bytes of a file's name that are no text escaped."""
    text = json.dumps(record, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode() + "\n"


def fits(output: str, picture: str) -> bool:
    """Whether an annotated picture can lie there: in the folder, and in nothing's way.

    Args:
        output: Folder.
        picture: Path in it, as somebody may have written it.
    """
    if "\0" in picture:
        return False
    path = os.path.normpath(os.path.join(output, picture))
    # Links lead elsewhere too.
    root, folder = map(os.path.realpath, (output, os.path.dirname(path)))
    inside = f"{folder}{os.sep}".startswith(root.rstrip(os.sep) + os.sep)
    if not inside or os.path.isdir(path):
        return False
    parents = os.path.relpath(folder, root).split(os.sep)
    if parents[0] in (JSONL, CSV, RUN):  # To come, if they are not there yet.
        return False
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder)


def is_own(path: str, output: str) -> bool:
    """Whether this is the output, or what an earlier call wrote there."""
    name, path, output = os.path.basename(path), *map(os.path.realpath, (path, output))
    ours = name in (JSONL, CSV, RUN) or name.endswith(DRAWN)
    return path == output or (path.startswith(output + os.sep) and ours)


def _parsed(text):
    """The record in a line, or None if it is none of a picture."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if _is_record(record) else None


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
    """Whether it is what a picture is called: a path inside the folder it lies in."""
    if not isinstance(source, str) or not source or os.path.isabs(source):
        return False
    return os.pardir not in source.split(os.sep)


def _is_number(value):
    # Of JSON's, NaN and what no float holds are none.
    return isinstance(value, int | float) and abs(value) < 1e300


def _is_face(face):
    if not isinstance(face, dict) or not isinstance(face.get("box"), list):
        return False
    named = [face.get(name, {}) for name in ("probabilities", "action_units")]
    if not all(isinstance(each, dict) for each in named):
        return False
    single = ("valence", "arousal", "face_probability")
    values = [*face["box"], face.get("enlargement"), *(face.get(n, 0) for n in single)]
    values += [value for each in named for value in each.values()]
    return (
        len(face["box"]) == 4
        and all(map(_is_number, values))
        and ("expression" not in face or face["expression"] in list(named[0]))
    )
