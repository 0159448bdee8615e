"""The records of pictures in an output folder, which anybody may have filled.

A record is appended to a journal as soon as it is read. When all are, they are
written to `predictions.jsonl` in order, and the journal is removed.
"""

import contextlib
import json
import os
from collections.abc import Iterator

from fer_tf.utils import atomic
from trainers.prediction import csv_table
from trainers.prediction.output_folder import CSV, DRAWN, JOURNAL, JSONL, can_hold
from trainers.prediction.record_lines import Record, from_line, to_line


class Records:
    """The records of earlier runs and of this one, by name.

    Only their places in the files, the paths of the pictures and the names of the
    drawn ones are held in memory.

    Attributes:
        files: Name of a record -> path of the file that was read, where it says so.
        pictures: Name of a record -> its annotated picture, if that can lie in the
            folder.

    Raises:
        ValueError: If the folder holds lines that are no records, or a link.
    """

    def __init__(self, output: str):
        self._output = output
        self._final = os.path.join(output, JSONL)
        self._journal = os.path.join(output, JOURNAL)
        # Name of a record -> file and byte where its line begins.
        self._places: dict[str, tuple[str, int]] = {}
        self.files: dict[str, str] = {}
        self.pictures: dict[str, str] = {}
        for path in (self._final, self._journal):
            self._index(path)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def __getitem__(self, name: str) -> Record:
        return json.loads(self._line(name))

    def __iter__(self) -> Iterator[Record]:
        return (self[name] for name in self._places)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def names(self) -> list[str]:
        """Names of the records, in their order."""
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
        """Yields `append(record)`, which writes to the journal at once."""
        with open(self._journal, "ab") as file:

            def append(record: Record):
                self._places[record["source"]] = self._journal, file.tell()
                file.write(to_line(record).encode())
                file.flush()

            yield append

    def finish(self, names: list[str], columns: list[str]) -> None:
        """Writes predictions.jsonl and predictions.csv.

        Args:
            names: Of the records to write, in their order.
            columns: Of the table; see `fer_tf.face_table`.
        """
        with atomic.replacing(self._final) as path, open(path, "wb") as file:
            places = {}
            for name in names:
                places[name] = self._final, file.tell()
                file.write(self._line(name))
        self._places = places
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._journal)
        csv_table.write(os.path.join(self._output, CSV), self, columns)

    def _line(self, name):
        path, offset = self._places[name]
        with open(path, "rb") as file:
            file.seek(offset)
            return file.readline()

    def _index(self, path):
        """Notes the records of a file; a last line that a kill cut off is removed."""
        if os.path.islink(path):  # Writing would change a file elsewhere.
            raise ValueError(f"{path}: a link, which no run of trainers.predict made")
        if not os.path.exists(path):
            return
        offset = 0
        with open(path, "rb") as file:
            for line in file:
                if line[-1:] != b"\n":
                    break
                record = from_line(line)
                if record is None:
                    raise ValueError(
                        f"{path}: byte {offset}: not a line of predictions"
                    )
                self._places[record["source"]] = path, offset
                self._note(record)
                offset += len(line)
        if offset < os.path.getsize(path):
            os.truncate(path, offset)

    def _note(self, record):
        """Notes a record's files; a later record of the same name replaces it."""
        name, picture = record["source"], record.get("picture")
        self.files.pop(name, None)
        self.pictures.pop(name, None)
        path = (record.get("file") or {}).get("path")
        if path:
            self.files[name] = path
        if picture and picture.endswith(DRAWN) and can_hold(self._output, picture):
            self.pictures[name] = picture
