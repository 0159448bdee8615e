"""AffectNet (Mollahosseini et al., 2017) in both of the owner's releases.

- first release: `training.csv`, `validation.csv` and the photographs below
  `Manually_Annotated_Images/`, with box and 68 points in pixels of the photograph.
  The CSVs of some copies have no header row.
- newer release: `train_set/` and `val_set/`, each with `images/<id>.jpg` (crops of
  224 pixels) and `annotations/<id>_{exp,val,aro,lnd}.npy`.

The owner's test set was never published: the validation set is `test`, as in
every paper, and `validation` is a tenth of the training set.
"""

import dataclasses
import functools
import os
from collections.abc import Iterator

from data_pipelines.sources import fingerprints, label_files, label_values, paths
from data_pipelines.sources.errors import DataError, RepeatedRow
from data_pipelines.sources.sample import Reject, Sample
from data_pipelines.sources.source import Source, class_counts
from fer_tf import labels
from fer_tf.dataset_facts import OWNERS_TERMS, PEOPLE_UNRECORDED, DatasetFacts

_COLUMNS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
_CSVS = {"training.csv": "train", "validation.csv": "test"}
_IMAGES = "Manually_Annotated_Images"
_SETS = {"train_set": "train", "val_set": "test"}
_NUM_LANDMARKS = 68

# The owner's numbers.
_CLASS_IDS = dict(enumerate(labels.EXPRESSIONS))  # Our order is theirs.

# Classes beyond the eight expressions; the first has valence and arousal.
_NO_EXPRESSION = {8: "None", 9: "Uncertain", 10: "No-Face"}
_NOT_RATED = -2
_NOTHING = ("", "null", "nan", "none")

# Pictures of the classes 0 to 8 in the training list, as public loaders count them.
_TRAIN_COUNTS = (74874, 134415, 25459, 14090, 6378, 3803, 24882, 3750, 33088)

# Rows that are used, by their class: all with a valid label (Wang et al. trained on
# "about 300,000"), those of the eight expressions, or of the seven without contempt.
_VA_ROWS = {"valid": range(11), "8cls": range(8), "7cls": range(7)}


def _published_counts(first_release, va_rows):
    """Rows per class; the validation lists have 500, the newer one 499 of contempt."""
    names = [*_CLASS_IDS.values(), "unlabelled"]
    kept = [k for k in _VA_ROWS[va_rows] if k < (9 if first_release else 8)]
    test = [500 if first_release or names[k] != "contempt" else 499 for k in kept]
    return class_counts(
        [names[k] for k in kept],
        {"train": [_TRAIN_COUNTS[k] for k in kept], "test": test},
    )


class AffectNet(Source):
    """Source of AffectNet's manually annotated part.

    Classes None, Uncertain and No-Face become no expression, and a valence or
    arousal of -2 becomes none; rows that have neither are expected rejects.

    Args:
        root: Folder that holds the CSVs and `Manually_Annotated_Images`, here or
            one level down, or `train_set` and `val_set`.
        va_rows: `valid`, `8cls` or `7cls`; rows of other classes are left out.

    Raises:
        DataError: If neither release is there.
    """

    name = "affectnet"
    facts = DatasetFacts(
        title="AffectNet",
        pictures=(
            "Photographs found by three search engines with 1,250 emotion-related tags."
        ),
        labels=(
            "Expression, valence and arousal, by people. The test set is not "
            "published: what is called test here is the owner's validation set."
        ),
        people=(
            "Most ages; nearly 10 % wear glasses, 50 % make-up on eyes and lips (Wang "
            f"et al. 2018). {PEOPLE_UNRECORDED}"
        ),
        terms=OWNERS_TERMS,
    )
    citation = (
        "Mollahosseini et al., IEEE Transactions on Affective Computing, 2017; counts "
        "of the training list by public loaders, 500 a class in the validation list"
    )
    class_ids = _CLASS_IDS
    default_crop = "wang2018"
    default_detector = "mtcnn"
    options = {"va_rows": tuple(_VA_ROWS)}
    published_tables = {"AffectNet": _published_counts(True, "8cls")}
    num_landmarks = _NUM_LANDMARKS
    holdout = "pixels"

    def __init__(self, root: str, va_rows: str = "valid"):
        self.va_rows = va_rows
        self.root = self.folder = root
        self._csvs = [
            (path, split)
            for name, split in _CSVS.items()
            if (path := paths.find(root, name))
        ]
        self._images = paths.find(root, _IMAGES)
        self._sets = [
            (name, split)
            for name, split in _SETS.items()
            if os.path.isdir(os.path.join(root, name, "annotations"))
        ]
        if self._csvs and self._sets:
            raise DataError(
                f"{root}: holds both releases, {self._csvs[0][0]} and "
                f"{self._sets[0][0]}; keep them in two folders"
            )
        if self._csvs and not self._images:
            raise DataError(f"{root}: no folder {_IMAGES} beside {self._csvs[0][0]}")
        if not self._csvs and not self._sets:
            raise DataError(
                f"{root}: no training.csv or validation.csv here, and no "
                "train_set/annotations or val_set/annotations"
            )
        kind = "first release, csv" if self._csvs else "newer release, npy"
        self.layout = f"{kind}, va_rows={self.va_rows}"
        self.published = _published_counts(bool(self._csvs), self.va_rows)

    @functools.cached_property
    def fingerprint(self) -> str:
        contents = [path for path, _ in self._csvs]
        if self._csvs:
            listed = paths.list_files(self.root, self._images)
        else:
            listed = (
                f for name, _ in self._sets for f in paths.list_files(self.root, name)
            )
        return fingerprints.of_files(
            self.root, contents=contents, listed=listed, text=self.layout
        )

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the rows of the CSVs, or the images in sorted order."""
        if not self._csvs:
            for folder, split in self._sets:
                yield from self._set_rows(folder, split)
            return
        seen = label_files.Seen()
        for csv, split in self._csvs:
            yield from self._csv_rows(csv, split, seen)

    def _csv_rows(self, name, split, seen):
        where = None
        for place, text in label_files.numbered_lines(self.root, name):
            try:
                if where is None:
                    where = {column: number for number, column in enumerate(_COLUMNS)}
                    header = _header(label_files.csv_fields(text))
                    if header:
                        where = header
                        continue
                fields = label_files.csv_fields(text, len(where))
                row = {column: fields[number] for column, number in where.items()}
                path = paths.clean_path(row["subDirectory_filePath"])
                if not seen.add(path):
                    raise RepeatedRow(f"a second row of {path}")
                sample = Sample(
                    sample_id=os.path.splitext(path)[0],
                    split=split,
                    path=f"{self._images}/{path}",
                    box=_box(row),
                    landmarks=_landmarks(row["facial_landmarks"]),
                )
                label = label_values.whole_number(row["expression"], "expression")
                yield self._labelled(
                    sample, label, row["valence"], row["arousal"], place
                )
            except _ForeignHeader as error:
                raise DataError(f"{name}: {error}") from error
            except ValueError as error:
                yield Reject.of(place, error)
        if where is None:
            raise DataError(f"{name}: empty")

    def _set_rows(self, folder, split):
        images, annotations = f"{folder}/images", f"{folder}/annotations"
        path_of = {
            os.path.splitext(os.path.basename(path))[0]: path
            for path in paths.list_files(self.root, images)
        }
        for name in os.listdir(os.path.join(self.root, annotations)):
            if name.endswith("_exp.npy"):
                key = name.removesuffix("_exp.npy")
                path_of.setdefault(key, f"{images}/{key}.jpg")
        for key, path in sorted(path_of.items()):
            try:
                paths.check_name(path)
                label, valence, arousal = (
                    self._value(f"{annotations}/{key}_{what}.npy")
                    for what in ("exp", "val", "aro")
                )
                # Both sets number from the start, so the set is part of the id.
                sample = Sample(
                    sample_id=f"{folder}/{key}",
                    split=split,
                    path=path,
                    landmarks=self._points(f"{annotations}/{key}_lnd.npy"),
                )
                label = label_values.whole_number(label, "expression")
                yield self._labelled(sample, label, valence, arousal, path)
            except ValueError as error:
                yield Reject.of(path, error)

    def _labelled(self, sample, label, valence, arousal, place):
        if label in _NO_EXPRESSION:
            expression = None
        else:
            expression = self.class_name(label)
        values = [_rating(valence, "valence"), _rating(arousal, "arousal")]
        if None in values:
            values = [None, None]
        if label not in _VA_ROWS[self.va_rows]:
            kind = expression or _NO_EXPRESSION[label]
            return Reject(place, f"class {kind} is not of {self.va_rows}", True)
        if expression is None and values[0] is None:
            kind = _NO_EXPRESSION[label]
            return Reject(place, f"class {kind}, without valence and arousal", True)
        return dataclasses.replace(
            sample, expression=expression, valence=values[0], arousal=values[1]
        )

    def _value(self, name):
        array = label_files.array_file(self.root, name)
        if array.size != 1:
            raise DataError(f"{name}: must hold one value, has shape {array.shape}")
        # Some are numbers and some are strings that spell one.
        value = array.ravel()[0]
        return value.decode("latin-1") if isinstance(value, bytes) else str(value)

    def _points(self, name):
        if not os.path.lexists(os.path.join(self.root, name)):
            return None
        array = label_files.array_file(self.root, name)
        return label_values.points(array.ravel(), _NUM_LANDMARKS, name)


class _ForeignHeader(DataError):
    pass


def _header(fields):
    """Where each column is, if this row is a header; None if it is data."""
    known = {column.lower(): column for column in _COLUMNS}
    columns = [known.get(field.lower()) for field in fields]
    if not any(columns):
        return None
    missing = [column for column in _COLUMNS if column not in columns]
    if missing:
        raise _ForeignHeader(f"the header lacks {', '.join(missing)}")
    return {column or f"other {i}": i for i, column in enumerate(columns)}


def _rating(text, what):
    value = label_values.number(text, what)
    return None if value == _NOT_RATED else label_values.in_circumplex(value, what)


def _box(row):
    """The box, or None: rows without a face have NULL or a negative size."""
    texts = [row[f"face_{key}"] for key in ("x", "y", "width", "height")]
    if any(text.lower() in _NOTHING for text in texts):
        return None
    box = tuple(label_values.number(text, "the box") for text in texts)
    return box if min(box[2:]) > 0 else None


def _landmarks(text):
    if text.lower() in _NOTHING:
        return None
    return label_values.points(text.split(";"), _NUM_LANDMARKS, "facial_landmarks")
