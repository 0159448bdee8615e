"""The tables that the researcher writes: when something happened, and who is who."""

import csv
import dataclasses
from collections.abc import Iterator


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table of participants.

    Attributes:
        line: Its number in the file.
        participant: Who it is.
        source: End of the path of the pictures or videos that it is about; empty where
            the table has no such column.
        person: Number of the person in the video; None: the one seen longest, and in a
            picture the largest face.
        facts: The other columns.
    """

    line: int
    participant: str
    source: str
    person: int | None
    facts: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Participants:
    """A table of participants.

    Attributes:
        path: Of the file.
        rows: Its lines.
        facts: Names of the columns that say something about the participants.
        named: Whether it says by `source` who is who.
    """

    path: str
    rows: list[Row]
    facts: tuple[str, ...]
    named: bool

    def row(self, source: str, person: int | None, first: bool) -> Row | None:
        """The line about a face, where `named`.

        Args:
            source: Of the face.
            person: Its number in a video.
            first: Whether it is the person seen longest, or the largest face.

        Raises:
            ValueError: If several lines are about it.
        """
        found = [
            row for row in self.rows
            if is_end_of(row.source, source)
            and (first if row.person is None else row.person == person)
        ]  # fmt: skip
        if len(found) > 1:
            lines = " and ".join(str(row.line) for row in found)
            raise ValueError(f"{self.path}: lines {lines} name one person of {source}")
        return found[0] if found else None


def participants(path: str) -> Participants:
    """Reads a table of participants.

    Args:
        path: A CSV file. `participant` is who it is. With `source`, the end of a path,
            and `person`, a number in it, the table says who is who; without, its
            participants are known as `--person` says. Other columns are facts.

    Raises:
        ValueError: If it has no such column, a line says nothing or no number, or, in a
            table without `source`, two lines are about the same participant.
    """
    rows, facts, named = [], (), False
    for line, cells in _lines(path, "participant"):
        where = f"{path}: line {line}"
        named = "source" in cells
        facts = tuple(name for name in cells if name not in _OWN)
        for name in ("participant", *(["source"] if named else [])):
            if not cells[name]:
                raise ValueError(f"{where}: no `{name}`")
        number = cells.get("person", "")
        if number and not (number.isdecimal() and named):
            raise ValueError(
                f"{where}: `person` must be a number, beside a column `source`"
            )
        row = Row(
            line, cells["participant"], cells.get("source", ""),
            int(number) if number else None, {name: cells[name] for name in facts},
        )  # fmt: skip
        rows.append(row)
    if not rows:
        raise ValueError(f"{path}: no line below the names of the columns")
    first = {}
    for row in rows:
        before = first.setdefault(row.participant, row.line)
        if not named and before != row.line:
            raise ValueError(
                f"{path}: lines {before} and {row.line} are both about "
                f"{row.participant}: say by `source` what each is about"
            )
    return Participants(path, rows, facts, named)


_OWN = ("participant", "source", "person")


def events(path: str) -> list[dict]:
    """Reads a table of events: each `{"time", "event", "source"}`.

    Args:
        path: A CSV file. `time` is in seconds; `event` names it; `source` is the end of
            the path of its video, or empty for every video.

    Raises:
        ValueError: If a line has no time.
    """
    found = []
    for line, cells in _lines(path, "time"):
        try:
            time = float(cells["time"])
        except ValueError:
            raise ValueError(f"{path}: line {line}: no number `time`") from None
        event = {"event": cells.get("event") or "event", "time": time}
        found.append({**event, "source": cells.get("source", "")})
    return found


def is_end_of(end: str, source: str) -> bool:
    """Whether a path ends so, in whole names of folders and files.

    >>> is_end_of("a/1.mp4", "/study/a/1.mp4"), is_end_of("1.mp4", "a/11.mp4")
    (True, False)
    """
    source, end = (path.replace("\\", "/") for path in (source, end))
    return source == end or source.endswith("/" + end.lstrip("/"))


def _lines(path, needed) -> Iterator[tuple[int, dict[str, str]]]:
    """Number and cells of each line; a table may be separated by semicolons, too."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        head = file.readline()
        file.seek(0)
        # As spreadsheets write it where the comma is in numbers.
        reader = csv.DictReader(file, delimiter=";" if ";" in head else ",")
        if needed not in (reader.fieldnames or ()):
            raise ValueError(f"{path}: line 1: no column `{needed}`")
        for cells in reader:
            yield (
                reader.line_num,
                {
                    name: (value or "").strip()
                    for name, value in cells.items()
                    if name is not None
                },
            )
