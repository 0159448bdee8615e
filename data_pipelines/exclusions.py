"""Training rows that a list leaves out: copies, and pictures of two labels.

`trainers.verify --exclude_to=FILE` writes such a list, and `trainers.prepare
--exclude=FILE` goes by it. It may name training rows alone: what a number is
measured on stays what the owner ships.
"""

import csv
from collections.abc import Iterable, Iterator

from data_pipelines import atomic
from data_pipelines.chunks import possible_splits, split_of
from data_pipelines.derived_source import DerivedSource
from data_pipelines.sources import DataError, Reject, Sample, Source
from fer_tf.hashing import sha256

COLUMNS = ("row", "reason")


def write(path: str, rows: Iterable[tuple[str, str]]) -> int:
    """Writes names and reasons as CSV; returns how many."""
    rows = list(rows)
    with atomic.replacing(path) as temporary:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(rows)
    return len(rows)


def read(path: str) -> dict[str, str]:
    """Reason by name.

    Raises:
        DataError: If it is no such list.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            if tuple(next(reader, ())) != COLUMNS:
                raise DataError(f"{path}: must begin with the line row,reason")
            found = {}
            for cells in reader:
                if len(cells) != 2:
                    raise DataError(f"{path}: line {reader.line_num}: not two cells")
                found[cells[0]] = cells[1]
            return found
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a table of text ({error})") from None


class Excluding(DerivedSource):
    """A source without the training rows of a list; otherwise as it is.

    Args:
        source: The whole.
        path: Of the list.

    Raises:
        DataError: If the list cannot be read.
    """

    def __init__(self, source: Source, path: str):
        self._path, self._reasons = path, read(path)
        words = f"{len(self._reasons):,} training rows"
        super().__init__(source, less=sha256(path), words=words)

    def rows(self) -> Iterator[Sample | Reject]:
        """The source's rows; each that is left out as a reject with its reason.

        Raises:
            DataError: If the list names a row of validation or test, or one that
                is not there.
        """
        left = set(self._reasons)
        for row in self._source.rows():
            name = None if isinstance(row, Reject) else row.name
            if name not in self._reasons:
                yield row
                continue
            split = self._split(row)
            if split != "train":
                raise DataError(
                    f"{self._path}: {name} is of {split}; only training rows can "
                    "be left out"
                )
            left.discard(name)
            reason = f"left out by the list: {self._reasons[name]}"
            yield Reject(name, reason, expected=True)
        if left:
            raise DataError(
                f"{self._path}: {len(left)} rows are not in the source, such as "
                f"{min(left)}"
            )

    def _split(self, row):
        """Where a row goes, which for some sources its pixels decide."""
        holdout = self._source.holdout
        first, *others = possible_splits(row, holdout)
        if not others:
            return first
        try:
            return split_of(*self._source.load(row), holdout)
        except (ValueError, OSError):
            return "train"  # It cannot be read, and would be in no split.
