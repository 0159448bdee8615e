"""Sources derived from another one: without the rows on a list, or some labels.

`trainers.verify --exclude_to=FILE` writes such a list, and `trainers.prepare
--exclude=FILE` applies it. It may name training rows only: the data that numbers are
measured on stay as the owner ships them.

`trainers.prepare --labels=KINDS` keeps some kinds of labels. Two sets can then train a
model together, each with its own labels: for instance expressions from photographs, and
valence and arousal from drawn faces.

`trainers.prepare --find_landmarks` gives the pictures of a set that has no landmarks
the five points that MTCNN finds. They say where the regions of Gan et al. are, and with
`--detector=annotated` they align the crops.
"""

import csv
import dataclasses
import functools
import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from data_pipelines.sources import DataError, OptionError, Reject, Sample, Source
from data_pipelines.sources.splits import possible_splits, split_of
from fer_tf.utils import atomic
from fer_tf.utils.hashing import sha256

COLUMNS = ("row", "reason")
# Kind of label -> the fields of a `Sample` that hold it.
FIELDS = {
    "expression": ("expression",),
    "votes": ("votes",),
    "valence_arousal": ("valence", "arousal"),
    "action_units": ("action_units",),
    "is_face": ("is_face",),
}


class DerivedSource:
    """A source, except for what a subclass changes.

    Args:
        source: The whole source.
        less: Exactly what is left out; it changes the fingerprint.
        words: What is left out, in words.
    """

    def __init__(self, source: Source, *, less: str, words: str):
        self._source = source
        both = f"{source.fingerprint} without {less}"
        self.fingerprint = hashlib.sha256(both.encode()).hexdigest()
        self.layout = f"{source.layout}, without {words}"

    def __getattr__(self, name):
        if name.startswith("_"):  # While it is being unpickled by a worker.
            raise AttributeError(name)
        return getattr(self._source, name)


def write_exclusions(path: str, rows: Iterable[tuple[str, str]]) -> int:
    """Writes names and reasons as CSV; returns how many."""
    rows = list(rows)
    with atomic.replacing(path) as temporary:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(rows)
    return len(rows)


def read_exclusions(path: str) -> dict[str, str]:
    """Reads a list of exclusions: the reason by row.

    Raises:
        DataError: If the file is no such list.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            if tuple(next(reader, ())) != COLUMNS:
                raise DataError(f"{path}: must begin with the line row,reason")
            reasons = {}
            for cells in reader:
                if len(cells) != 2:
                    raise DataError(f"{path}: line {reader.line_num}: not two cells")
                reasons[cells[0]] = cells[1]
            return reasons
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a table of text ({error})") from None


class Excluding(DerivedSource):
    """A source without the training rows on a list.

    Args:
        source: The whole source.
        path: The list, as `write_exclusions` writes it.

    Raises:
        DataError: If the list cannot be read.
    """

    def __init__(self, source: Source, path: str):
        self._path, self._reasons = path, read_exclusions(path)
        words = f"{len(self._reasons):,} training rows"
        super().__init__(source, less=sha256(path), words=words)

    def rows(self) -> Iterator[Sample | Reject]:
        """The source's rows; an excluded one becomes a reject with its reason.

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
        """The split of a row; for some sources its pixels decide."""
        holdout = self._source.holdout
        first, *others = possible_splits(row, holdout)
        if not others:
            return first
        try:
            return split_of(*self._source.load(row), holdout)
        except (ValueError, OSError):
            return "train"  # It cannot be read, and would be in no split.


class KeepingLabels(DerivedSource):
    """A source with some kinds of labels only.

    Args:
        source: The whole source.
        kinds: Keys of `FIELDS`, the kinds to keep.

    Raises:
        OptionError: If there is no such kind.
    """

    def __init__(self, source: Source, kinds: Sequence[str]):
        for kind in kinds:
            if kind not in FIELDS:
                raise OptionError(
                    f"--labels: no kind {kind!r}; there are {', '.join(FIELDS)}"
                )
        dropped = [kind for kind in FIELDS if kind not in kinds]
        words = [kind for kind in dropped if kind != "votes" or source.has_votes]
        self._absent = {name: None for kind in dropped for name in FIELDS[kind]}
        super().__init__(
            source, less=" ".join(self._absent), words=", ".join(words) or "nothing"
        )
        self.has_votes = source.has_votes and "votes" not in self._absent
        self.derived = tuple(kind for kind in source.derived if kind in kinds)

    def rows(self) -> Iterator[Sample | Reject]:
        """The source's rows."""
        for row in self._source.rows():
            yield row if isinstance(row, Reject) else self._stripped(row)

    def load(self, sample: Sample) -> tuple[Sample, np.ndarray]:
        """Reads one picture; the source may complete its labels then."""
        sample, image = self._source.load(sample)
        return self._stripped(sample), image

    def _stripped(self, sample):
        return dataclasses.replace(sample, **self._absent)


class FindingLandmarks(DerivedSource):
    """A source without landmarks, with the five points that MTCNN finds.

    They are of the largest face. A picture in which none is found has none.

    Args:
        source: The whole source.

    Raises:
        OptionError: If it has landmarks of its own.
    """

    num_landmarks = 5

    def __init__(self, source: Source):
        if source.num_landmarks:
            raise OptionError(
                f"--find_landmarks: {source.name} has landmarks of its own"
            )
        words = "landmarks of its own: MTCNN finds five points"
        super().__init__(source, less=words, words=words)

    def load(self, sample: Sample) -> tuple[Sample, np.ndarray]:
        """Reads one picture and looks for the points."""
        sample, image = self._source.load(sample)
        rgb = np.repeat(image[..., None], 3, axis=-1) if image.ndim == 2 else image
        faces = _detector().detect(rgb)
        if faces:
            largest = max(faces, key=lambda face: face["box"][2] * face["box"][3])
            sample = dataclasses.replace(sample, landmarks=largest["landmarks"])
        return sample, image


@functools.cache
def _detector():
    """One a process: it is not sent to the workers with the source."""
    from fer_tf.faces import MTCNNDetector

    return MTCNNDetector()
