"""A CSV of one's own: `path,expression,valence,arousal,AU1,…,split,subject`.

`path`, relative to the CSV's folder or inside it, is required. Any of the other columns
may be missing, but valence and arousal come together. Leading columns without a name,
such as pandas' index, are skipped. `group_age`, `group_gender` and the like name the
groups of people that a subject belongs to; evaluation reports on each group. An empty
cell means that nothing is annotated. The values of `expression` are expressions or
classes of any other kind (`data_pipelines.sources.classes`).
"""

import contextlib
import functools
import itertools
import os
import re
from collections.abc import Iterator

from data_pipelines.sources import (
    classes,
    fingerprints,
    label_files,
    label_values,
    paths,
)
from data_pipelines.sources.errors import DataError, RepeatedRow, clip
from data_pipelines.sources.sample import SPLIT_NAMES, SPLITS, Reject, Sample
from data_pipelines.sources.source import Source
from fer_tf import labels
from fer_tf.dataset_facts import UNKNOWN
from fer_tf.utils.hashing import tenth

_COLUMNS = ("path", "expression", "valence", "arousal", "split", "subject")
_UNIT = re.compile(r"AU\d{1,2}")
_GROUP = "group_"
# Header of pandas' index column.
_INDEX = re.compile(r"(unnamed: \d+(\.\d+)*)?")


class Table(Source):
    """Source of pictures that a CSV lists.

    A row without a split gets one: that of its subject's other rows, or one by its
    subject, or, without that, by its pixels; 80 % train, 10 % validation, 10 % test.
    If the CSV names `train` and `test` and nothing else, `validation` is a tenth of
    `train`: of its subjects (a row without one stays in `train`), or, if none of its
    rows names one, of its pictures.

    Args:
        root: The CSV, or a folder that holds a single one.
        classes: Order of the classes, as `data_pipelines.sources.classes` reads it;
            empty: expressions, or else the values of `expression`, sorted.

    Raises:
        DataError: If it is not there, its header is not as above, or the values of
            `expression` make no classes.
    """

    name = "csv"
    facts = UNKNOWN
    citation = ""
    default_crop = "meen"
    default_detector = "mtcnn"
    options = {"classes": ()}
    published = None

    def __init__(self, root: str, classes: str = ""):
        path = _find(root)
        self.folder = root if os.path.isdir(root) else None
        self.root = os.path.dirname(path) or "."
        self._csv = os.path.basename(path)
        _, header = next(label_files.numbered_lines(self.root, self._csv), (None, None))
        if header is None:
            raise DataError(f"{path}: empty")
        self._columns = columns = _header(header, self._csv)
        self.action_units = _vocabulary(columns)
        splits, self._named_splits = self._read_splits()
        self._wanted = classes
        self.expressions, self._classes = self._read_classes()
        self._without_validation = splits == {"train", "test"}
        people = any("train" in names for names in self._named_splits.values())
        by_pixels = self._without_validation and not people
        self.holdout = "pixels" if by_pixels else None
        self.layout = f"csv: {','.join(c for c in columns if not _is_index(c))}"
        self.layout += f", classes={classes}" if classes else ""

    @functools.cached_property
    def fingerprint(self) -> str:
        return fingerprints.of_files(
            self.root,
            contents=[self._csv],
            listed=self._pictures(),
            text=self._wanted,
        )

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the rows in order."""
        seen = label_files.Seen()
        for place, text in self._lines():
            try:
                row = self._row(text)
                if alone := _without_partner(row):
                    # The row keeps its other labels, as with an empty field.
                    row[alone] = ""
                    reason = f"{alone} without the other of the two is no label"
                    yield Reject(place, reason, True)
                yield self._sample(row, seen)
            except ValueError as error:
                yield Reject.of(place, error)

    def _lines(self):
        """`(place, text)` of each row below the header."""
        lines = label_files.numbered_lines(self.root, self._csv)
        next(lines)
        return lines

    def _row(self, text):
        """The fields of a row, by column."""
        return dict(
            zip(self._columns, label_files.csv_fields(text, len(self._columns)))
        )

    def _whole_rows(self):
        """The fields of the rows that can be parsed; `rows` reports the others."""
        for _, text in self._lines():
            with contextlib.suppress(DataError):
                yield self._row(text)

    def _read_splits(self):
        """The splits that rows name, and those of each subject."""
        splits, of_subjects = set(), {}
        for row in self._whole_rows() if "split" in self._columns else ():
            name, subject = row["split"], row.get("subject")
            name = SPLIT_NAMES.get(name.lower(), name)
            splits.add(name)
            if name and subject:
                of_subjects.setdefault(subject, set()).add(name)
        return splits, of_subjects

    def _read_classes(self):
        """The vocabulary, and the class of each value of `expression`."""
        found = set()
        for row in self._whole_rows() if "expression" in self._columns else ():
            with contextlib.suppress(ValueError):  # `rows` reports it.
                found |= {*labels.check_names([row["expression"]], "expression")}
        return classes.vocabulary(
            found, self._wanted, where=self._csv, action_units=self.action_units
        )

    def _pictures(self):
        """Pictures that are there, in order."""
        for row in self._whole_rows():
            with contextlib.suppress(DataError):
                path = self._path(row)
                if os.path.lexists(os.path.join(self.root, path)):
                    yield path

    def _path(self, row):
        """The path of a row's picture in the CSV's folder."""
        path = row["path"].replace("\\", "/")
        for root in (os.path.abspath(self.root), os.path.realpath(self.root)):
            # An absolute path may lie inside; elsewhere the folder has another name.
            inside = root.replace("\\", "/").rstrip("/") + "/"
            if path.startswith(inside):
                return paths.clean_path(path.removeprefix(inside).lstrip("/"))
        return paths.clean_path(path)

    def _sample(self, row, seen):
        path = self._path(row)
        if not seen.add(path):
            raise RepeatedRow(f"a second row of {path}")
        filled = {key: value for key, value in row.items() if value}
        subject = filled.get("subject")
        values = {
            key: label_values.in_circumplex(label_values.number(filled[key], key), key)
            for key in ("valence", "arousal")
            if key in filled
        }
        units = {
            key: label_values.present(filled[key], key)
            for key in filled
            if _UNIT.fullmatch(key)
        }
        groups = {
            key.removeprefix(_GROUP): value
            for key, value in filled.items()
            if key.startswith(_GROUP)
        }
        expression = filled.get("expression")
        if expression:
            (expression,) = labels.check_names([expression], "expression")
            expression = self._classes[expression]
        return Sample(
            sample_id=path,
            split=self._split(filled.get("split"), subject),
            path=path,
            subject=subject,
            expression=expression,
            action_units=units or None,
            groups=groups or None,
            **values,
        )

    def _split(self, name, subject):
        if not name and subject in self._named_splits:
            # Or a person would be learned from in one row and tested on in another.
            name, *others = sorted(self._named_splits[subject])
            if others:
                raise DataError(
                    f"split is empty, and other rows of subject {clip(subject)!r} are "
                    f"in {clip(', '.join((name, *others)))}"
                )
        if name:
            if name.lower() not in SPLIT_NAMES:
                raise DataError(
                    f"split must be one of {', '.join(SPLITS)}, is {clip(name)!r}"
                )
            split = SPLIT_NAMES[name.lower()]
            if subject and split == "train" and self._without_validation:
                return "validation" if tenth(subject) == 0 else "train"
            return split
        if not subject:
            return None
        return {0: "validation", 1: "test"}.get(tenth(subject), "train")


def _without_partner(row):
    """The one of valence and arousal that a row gives without the other."""
    present = [key for key in ("valence", "arousal") if row.get(key)]
    return present[0] if len(present) == 1 else None


def _find(root):
    if os.path.isfile(root):
        return root
    if not os.path.isdir(root):
        raise DataError(f"{root}: no such file or folder")
    names = (n for n in os.listdir(root) if not n.startswith("."))
    csvs = sorted(n for n in names if n.lower().endswith(".csv"))
    if len(csvs) != 1:
        raise DataError(f"{root}: {len(csvs)} CSVs here; name the one that is meant")
    return os.path.join(root, csvs[0])


def _header(text, name):
    try:
        fields = label_files.csv_fields(text)
    except DataError as error:
        raise DataError(f"{name}, the header: {error}") from error
    columns = [
        # AU01 and AU1 are one unit.
        f"AU{int(field[2:])}" if _UNIT.fullmatch(field.upper()) else field.lower()
        for field in fields
    ]
    if len(fields) == 1 and ";" in fields[0]:
        raise DataError(f"{name}: separated by semicolons; save it with commas")
    named = list(itertools.dropwhile(_is_index, columns))
    for column, field in zip(named, fields[len(columns) - len(named) :]):
        group = column.startswith(_GROUP) and column != _GROUP
        if column not in _COLUMNS and not _UNIT.fullmatch(column) and not group:
            raise DataError(
                f"{name}: unknown column {clip(field)!r}; there are "
                f"{', '.join(_COLUMNS)}, AU1, AU2, … and group_…"
            )
        if named.count(column) > 1:
            raise DataError(f"{name}: the column {clip(column)} comes twice")
    if "path" not in named:
        raise DataError(f"{name}: the header has no column path")
    alone = {"valence", "arousal"} & set(named)
    if len(alone) == 1:
        raise DataError(
            f"{name}: of valence and arousal, the header has {alone.pop()} alone"
        )
    return columns


def _is_index(column):
    return bool(_INDEX.fullmatch(column))


def _vocabulary(columns):
    """The CSV's action units, by number; Aff-Wild2's eight if it has no others."""
    units = {column for column in columns if _UNIT.fullmatch(column)}
    if units <= set(labels.ACTION_UNITS):
        return labels.ACTION_UNITS
    return tuple(sorted(units, key=lambda name: int(name.removeprefix("AU"))))
