"""FER+ (Barsoum et al., 2016): FER2013's pictures, relabelled by ten raters.

- `fer2013.csv` and `fer2013new.csv` together: row i of one belongs to row i of the
  other. (The image names are no row numbers.)
- folders `FER2013{Train,Valid,Test}/`, as the owner's script makes them from the
  two: `label.csv` without a header, and the pictures as PNG.

The owner's code turns votes into targets in one of four ways: see `ferplus_rules`. It
trains by any of them, and measures by `majority`: option `scored`.

Nobody rated valence and arousal. `valence_arousal=derived` derives them from the votes
by the norms of `fer_tf.circumplex`: of all votes for an expression that has norms, also
the single ones that the owner's rules drop, so that they are the same under every rule.
"""

import dataclasses
import functools
import itertools
import os
from collections.abc import Iterator

import numpy as np

from data_pipelines.sources import fingerprints, label_files, label_values, paths
from data_pipelines.sources.errors import DataError, OutOfRange, RepeatedRow, clip
from data_pipelines.sources.fer2013 import (
    CSV_NAMES,
    FLAWS,
    PICTURES,
    SIZE,
    SPLITS,
    TERMS,
    Fer2013,
)
from data_pipelines.sources.ferplus_rules import (
    NUM_EXPRESSIONS,
    RULES,
    VOTES,
    target_votes,
)
from data_pipelines.sources.sample import Reject, Sample
from data_pipelines.sources.source import Source, class_counts
from fer_tf import labels
from fer_tf.circumplex import circumplex
from fer_tf.dataset_facts import PEOPLE_UNRECORDED, DatasetFacts
from fer_tf.faces.images import read_image

_RATERS = 10
_VOTES_CSV = "fer2013new.csv"
_HEADER = ("usage", "image name", *(name.lower() for name in VOTES))
_EIGHT = VOTES[:NUM_EXPRESSIONS]
_PROBABILITY = class_counts(
    _EIGHT,
    {
        "train": (10122, 7503, 3524, 3430, 2407, 169, 641, 160),  # 27,956
        "validation": (1317, 897, 450, 401, 314, 31, 72, 23),  # 3,505
        "test": (1251, 925, 435, 435, 320, 22, 92, 25),  # 3,505
    },
)
PUBLISHED = {
    "majority": class_counts(
        _EIGHT,
        {
            "train": (8740, 7287, 3149, 3014, 2100, 119, 532, 119),  # 25,060
            "validation": (1182, 865, 415, 351, 287, 24, 62, 13),  # 3,199
            "test": (1090, 893, 396, 384, 273, 18, 83, 16),  # 3,153
        },
    ),
    "probability": _PROBABILITY,
    "crossentropy": _PROBABILITY,
    "multi_target": class_counts(
        _EIGHT,
        {
            "train": (10071, 7492, 3486, 3399, 2327, 153, 598, 145),  # 27,671
            "validation": (1307, 893, 446, 400, 307, 30, 71, 18),  # 3,472
            "test": (1243, 921, 438, 434, 302, 21, 90, 23),  # 3,472
        },
    ),
}
"""What the owner's script keeps of the owner's label file under each rule."""

_FOLDERS = {
    "FER2013Train": "train",
    "FER2013Valid": "validation",
    "FER2013Test": "test",
}


class FerPlus(Source):
    """Source of FER+ in either layout.

    A sample's `votes` are the target that the rule makes of them, over the eight
    expressions, and its expression the first of the largest.

    Rows that the owner leaves out are expected rejects: those without an image
    name (173 pictures that show no face), and those whose target is "unknown"
    or "NF". PublicTest is `validation`, PrivateTest is `test`.

    Args:
        root: Folder that holds both CSVs, here or one level down, or the folders.
        rule: One of `RULES`.
        scored: The rule of validation and test; "" is that of training.
        valence_arousal: `derived` from the votes, or `none`.

    Raises:
        DataError: If neither layout is there.
    """

    name = "ferplus"
    facts = DatasetFacts(
        title="FER+",
        pictures=f"FER2013's: {PICTURES}",
        labels="Ten votes a picture, for eight expressions, unknown or not a face.",
        people=PEOPLE_UNRECORDED,
        terms=f"The votes are under the MIT licence. {TERMS}",
        flaws=FLAWS,
    )
    citation = (
        "Barsoum et al., ICMI 2016; counts of fer2013new.csv by the owner's script "
        "(github.com/Microsoft/FERPlus)"
    )
    default_crop = "meen"
    default_detector = "none"
    options = {
        "rule": tuple(RULES),
        "scored": tuple(RULES),
        "valence_arousal": ("none", "derived"),
    }
    published_tables = {f"FER+ ({rule})": table for rule, table in PUBLISHED.items()}
    strict = True
    has_votes = True

    def __init__(
        self,
        root: str,
        rule: str = "majority",
        scored: str = "",
        valence_arousal: str = "none",
    ):
        self.rule, self.scored = rule, scored or rule
        if valence_arousal == "derived":
            self.derived = ("valence_arousal",)
        train = {"train": PUBLISHED[rule]["train"]}
        self.published = {**PUBLISHED[self.scored], **train}
        if not os.path.isdir(root):
            raise DataError(f"{root}: no such folder")
        self.root = self.folder = root
        votes, pixels = paths.find(root, _VOTES_CSV), paths.find(root, *CSV_NAMES)
        self._votes_csv = votes if votes and pixels else None
        self._pixels = None
        if self._votes_csv:
            self._pixels = Fer2013(os.path.join(root, pixels))
        self._folders = [] if self._votes_csv else self._find_folders(votes)
        self.layout = f"{'folders' if self._folders else 'csv'}, rule={self.rule}"
        if self.scored != self.rule:
            self.layout += f", scored={self.scored}"
        if self.derived:
            self.layout += ", valence_arousal=derived"

    @functools.cached_property
    def fingerprint(self) -> str:
        if self._folders:
            contents = [f"{folder}/label.csv" for folder, _ in self._folders]
            listed = [
                f"{folder}/{name}"
                for folder, _ in self._folders
                for name in sorted(os.listdir(os.path.join(self.root, folder)))
            ]
            return fingerprints.of_files(
                self.root, contents=contents, listed=listed, text=self.layout
            )
        text = f"{self.layout}\0{self._pixels.fingerprint}"
        return fingerprints.of_files(self.root, contents=[self._votes_csv], text=text)

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the rows in the owner's order."""
        seen = label_files.Seen()
        for row in self._folder_rows() if self._folders else self._csv_rows():
            if isinstance(row, Sample) and not seen.add(row.sample_id):
                error = RepeatedRow("a second row of this name")
                row = Reject.of(row.sample_id, error)
            yield row

    def load(self, sample: Sample) -> tuple[Sample, np.ndarray]:
        """Reads one 48x48 grey picture."""
        if self._pixels:
            return self._pixels.load(sample)
        image = read_image(paths.resolve_inside(self.root, sample.path))
        if image.shape[:2] != (SIZE, SIZE):
            raise DataError(
                f"FER+ pictures are {SIZE}x{SIZE}, this one is "
                f"{image.shape[1]}x{image.shape[0]}"
            )
        return sample, image[..., 0]

    def _find_folders(self, votes):
        for parent in ("", "data"):
            folders = [
                (f"{parent}/{name}" if parent else name, split)
                for name, split in _FOLDERS.items()
                if os.path.lexists(os.path.join(self.root, parent, name, "label.csv"))
            ]
            # A fresh clone of the owner's repository has labels and no picture.
            if any(
                name.endswith(".png")
                for folder, _ in folders
                for name in os.listdir(os.path.join(self.root, folder))
            ):
                return folders
        missing = "fer2013.csv, whose pictures it labels," if votes else _VOTES_CSV
        raise DataError(f"{self.root}: no {missing} here, and no FER2013Train/*.png")

    def _csv_rows(self):
        name = self._votes_csv
        table = label_files.numbered_lines(self.root, name)
        _, text = next(table, ("", ""))
        header = [column.strip().lower() for column in text.split(",")]
        if sorted(header) != sorted(_HEADER):
            raise DataError(f"{name}: the header must be Usage,Image name,neutral,…,NF")
        order = [header.index(column) for column in _HEADER]
        pairs = itertools.zip_longest(self._pixels.rows(), table)
        for number, (picture, row) in enumerate(pairs):
            if picture is None or row is None:
                longer = name if picture is None else "fer2013.csv"
                raise DataError(
                    f"{longer}: has more than the {number} rows of the other file; "
                    "their rows belong together one by one"
                )
            place, text = row
            try:
                fields = label_files.csv_fields(text, len(order))
            except DataError as error:
                yield Reject.of(place, error)
                continue
            usage, image_name, *votes = (fields[index] for index in order)
            if SPLITS.get(usage) != picture.split:
                raise DataError(
                    f"{place}: Usage is {clip(usage)!r}, of the same row of "
                    f"fer2013.csv it is that of {picture.split}; the files do not "
                    "belong together"
                )
            if not image_name:
                yield Reject(place, "not a face: the owner names no image", True)
                continue
            try:
                sample_id = os.path.splitext(paths.clean_path(image_name))[0]
            except DataError as error:
                yield Reject.of(place, error)
                continue
            picture = dataclasses.replace(picture, sample_id=sample_id)
            yield self._labelled(picture, votes, place)

    def _folder_rows(self):
        for folder, split in self._folders:
            name = f"{folder}/label.csv"
            for place, text in label_files.numbered_lines(self.root, name):
                try:
                    # The second field is the face's box, always the whole picture.
                    fields = label_files.csv_fields(text, 2 + len(VOTES))
                    path = f"{folder}/{paths.clean_path(fields[0])}"
                except DataError as error:
                    yield Reject.of(place, error)
                    continue
                sample_id = os.path.splitext(fields[0])[0]
                sample = Sample(sample_id=sample_id, split=split, path=path)
                yield self._labelled(sample, fields[2:], place)

    def _labelled(self, sample, fields, place):
        try:
            votes = [_vote(text, name) for text, name in zip(fields, VOTES)]
            if not any(votes):
                raise DataError("nobody voted")
        except DataError as error:
            return Reject.of(place, error)
        rule = self.rule if sample.split == "train" else self.scored
        target = target_votes(votes, rule)
        best = VOTES[int(np.argmax(target))]
        if best not in labels.EXPRESSIONS:
            meaning = "not a face" if best == "NF" else "unknown"
            return Reject(place, f"{meaning}, by the rule {rule}", True)
        if self.derived:
            valence, arousal = circumplex(votes, VOTES).tolist()
            if not np.isnan(valence):  # NaN: nobody chose a word that has norms.
                sample = dataclasses.replace(sample, valence=valence, arousal=arousal)
        # Votes for anything else are left out of the target, as the owner does.
        shares = target[:NUM_EXPRESSIONS] / target[:NUM_EXPRESSIONS].sum()
        votes = dict(zip(_EIGHT, shares.tolist()))
        return dataclasses.replace(sample, expression=best, votes=votes)


def _vote(text, name):
    votes = label_values.whole_number(text, f"the votes for {name}")
    if not 0 <= votes <= _RATERS:
        raise OutOfRange(f"the votes for {name} must be 0..{_RATERS}, are {votes}")
    return votes
