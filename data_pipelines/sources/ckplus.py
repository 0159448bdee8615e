"""CK+ (Lucey et al., 2010): posed expressions, each a sequence from neutral to peak.

Below each of `cohn-kanade-images/`, `Emotion/`, `FACS/` and `Landmarks/` lie
`<subject>/<sequence>/`. 327 of the 593 sequences have an emotion; as usual, their
last three frames are the data set (981 pictures) and share it. Emotion and action
units are coded for the peak, the last frame.
"""

import functools
import os
from collections.abc import Iterable, Iterator

import numpy as np

from data_pipelines.sources import fingerprints, label_files, label_values, paths
from data_pipelines.sources.errors import DataError
from data_pipelines.sources.sample import Reject, Sample
from data_pipelines.sources.source import Counts, Source, class_counts
from fer_tf import labels
from fer_tf.dataset_facts import OWNERS_TERMS, PEOPLE_UNRECORDED, DatasetFacts

FOLDS = 10
FRAMES = 3
"""Frames taken from the end of a sequence."""

# By the owner's numbers, from 1.
_CLASSES = (
    "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"
)  # fmt: skip
# Pictures of each class in each fold, of the 118 people with a labelled sequence.
_FOLD_COUNTS = (
    (6, 3, 21, 12, 21, 12, 24),
    (18, 6, 21, 12, 24, 6, 30),
    (15, 6, 18, 9, 27, 18, 27),
    (18, 6, 21, 3, 24, 6, 27),
    (12, 6, 27, 6, 15, 3, 21),
    (12, 6, 18, 12, 21, 12, 30),
    (21, 6, 12, 3, 15, 6, 24),
    (15, 3, 12, 6, 15, 12, 24),
    (12, 6, 18, 12, 24, 3, 24),
    (6, 6, 9, 0, 21, 6, 18),
)

_NUM_LANDMARKS = 68
_NEUTRAL = 0
_IMAGES = "cohn-kanade-images"
_PICTURES = (".png", ".jpg", ".tiff")


def ckplus_folds(subjects: Iterable[str]) -> list[list[str]]:
    """The ten person-independent folds of Gan et al. and those before them.

    "Arranged the IDs in ascending order and divided the database into ten subsets
    using sampling interval 10": fold k is `ids[k::10]`.

    Args:
        subjects: Subject of each labelled sequence; repetitions do not matter.

    Returns:
        Ten sorted lists.
    """
    ids = sorted(set(subjects))
    return [ids[fold::FOLDS] for fold in range(FOLDS)]


class CkPlus(Source):
    """Source of CK+'s labelled peaks, split by person.

    `test` is one of ten folds, `validation` the one after it, `train` the rest.
    Sequences without an emotion are expected rejects.

    Args:
        root: Folder that holds `cohn-kanade-images` and `Emotion`, each here or
            one level down; `FACS` and `Landmarks` where they are.
        fold: 0 to 9, the fold that is tested on.

    Raises:
        DataError: If the layout is not there.
    """

    name = "ckplus"
    facts = DatasetFacts(
        title="CK+",
        pictures=(
            "327 labelled sequences of 118 people in a laboratory, from neutral to the "
            "peak of an expression."
        ),
        labels="One of seven expressions a sequence, contempt among them.",
        people=(
            "118 people in one laboratory, with few variations of background: what is "
            f"seen elsewhere is missing. {PEOPLE_UNRECORDED}"
        ),
        terms=OWNERS_TERMS,
    )
    citation = (
        "Lucey et al., CVPR Workshops 2010; the last three frames of its 327 labelled "
        "sequences, in the folds of Gan et al. 2020"
    )
    class_ids = dict(enumerate(_CLASSES, 1))
    default_crop = "gan2020"
    default_detector = "mtcnn"
    options = {"fold": tuple(map(str, range(FOLDS)))}
    num_landmarks = _NUM_LANDMARKS

    def __init__(self, root: str, fold: str = "0"):
        self.fold = int(fold)
        self.root = self.folder = root
        self._images, self._emotions, self._facs, self._points = (
            paths.find(root, name) for name in (_IMAGES, "Emotion", "FACS", "Landmarks")
        )
        for path, name in ((self._images, _IMAGES), (self._emotions, "Emotion")):
            if not path:
                raise DataError(f"{root}: no folder {name} here or one level down")
        self.layout = f"sequences, fold={self.fold}"

    @property
    def published(self) -> Counts:
        """Pictures of each class, with this fold as `test`."""
        counts = np.array(_FOLD_COUNTS)
        test, validation = counts[self.fold], counts[(self.fold + 1) % FOLDS]
        train = counts.sum(axis=0) - test - validation
        table = {"train": train, "validation": validation, "test": test}
        names = tuple(self.class_ids.values())
        return class_counts(names, {s: row.tolist() for s, row in table.items()})

    @functools.cached_property
    def fingerprint(self) -> str:
        tops = filter(None, (self._emotions, self._facs, self._points))
        contents = (path for top in tops for path in paths.list_files(self.root, top))
        listed = paths.list_files(self.root, self._images)
        return fingerprints.of_files(
            self.root, contents=contents, listed=listed, text=self.layout
        )

    @functools.cached_property
    def fold_subjects(self) -> tuple[str, ...]:
        """Everybody with a labelled sequence, even if its pictures are missing."""
        labelled = self._labelled.items()
        return tuple(
            sorted({key[0] for key, emotion in labelled if isinstance(emotion, str)})
        )

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the last frames of the labelled sequences, by subject."""
        folds = ckplus_folds(self.fold_subjects)
        splits = {subject: "train" for fold in folds for subject in fold}
        splits |= dict.fromkeys(folds[(self.fold + 1) % FOLDS], "validation")
        splits |= dict.fromkeys(folds[self.fold], "test")
        for key, emotion in self._labelled.items():
            if isinstance(emotion, Reject):
                yield emotion
                continue
            yield from self._frames(key, emotion, splits[key[0]])

    @functools.cached_property
    def _labelled(self):
        """`{(subject, sequence): name of the emotion, or a Reject}`, sorted.

        A sequence of either folder: one whose pictures are missing must not vanish.
        """
        keys = self._pictured | self._sequences(self._emotions)
        return {key: self._emotion(key) for key in sorted(keys)}

    @functools.cached_property
    def _pictured(self):
        return self._sequences(self._images)

    def _sequences(self, part):
        """`{(subject, sequence)}` of a part; links are not followed."""
        top = os.path.join(self.root, part)
        return {
            (subject, sequence)
            for subject in paths.folders(top)
            for sequence in paths.folders(os.path.join(top, subject))
        }

    def _last_frames(self, key):
        if key not in self._pictured:
            return []
        top = f"{self._images}/{key[0]}/{key[1]}"
        frames = [
            p for p in paths.list_files(self.root, top) if p.lower().endswith(_PICTURES)
        ]
        return frames[-FRAMES:]

    def _emotion(self, key):
        """Name of a sequence's emotion, or a Reject."""
        top = f"{self._emotions}/{key[0]}/{key[1]}"
        name = self._file(top, "_emotion.txt")
        sequence = f"{self._images}/{key[0]}/{key[1]}"
        if not name:
            return Reject(sequence, "the sequence has no emotion", True)
        try:
            values = self._numbers(name)
            if len(values) != 1:
                raise DataError(f"{len(values)} numbers where there must be one")
            label = label_values.whole_number(str(values[0]), "emotion")
            if label == _NEUTRAL:
                return Reject(name, "neutral is none of the seven classes", True)
            return self.class_name(label)
        except ValueError as error:
            return Reject.of(name, error)

    def _frames(self, key, emotion, split):
        sequence, frames = f"{self._images}/{key[0]}/{key[1]}", self._last_frames(key)
        if len(frames) < FRAMES:
            reason = f"{len(frames)} frames, and {FRAMES} are used"
            yield Reject(sequence, reason, kind="bad_row" if frames else "missing")
            return
        for path in frames:
            stem = os.path.splitext(os.path.basename(path))[0]
            units = None
            try:
                paths.check_name(path)
                if path == frames[-1]:
                    units = self._action_units(key)
                number = stem.rpartition("_")[2]
                yield Sample(
                    sample_id=stem,
                    split=split,
                    path=path,
                    subject=key[0],
                    video=f"{key[0]}_{key[1]}",
                    frame=label_values.whole_number(number, "the number of the frame"),
                    landmarks=self._landmarks(key, stem),
                    expression=emotion,
                    action_units=units,
                )
            except ValueError as error:
                yield Reject.of(path, error)

    def _action_units(self, key):
        """0 or 1 by name. A coded unit is present, at any intensity.

        An intensity of 0 means that it was not scored, not that it is absent. Units
        that are not coded are absent.
        """
        if not self._facs:
            return None
        name = self._file(f"{self._facs}/{key[0]}/{key[1]}", "_facs.txt")
        if not name:
            return None
        values = self._numbers(name)
        if len(values) % 2:
            raise DataError(f"{name}: rows must be a unit and an intensity")
        units = dict.fromkeys(labels.ACTION_UNITS, 0)
        for unit in values[::2]:
            number = label_values.whole_number(str(unit), f"{name}: the unit")
            units[f"AU{number}"] = 1
        return units

    def _landmarks(self, key, stem):
        name = f"{self._points}/{key[0]}/{key[1]}/{stem}_landmarks.txt"
        if not self._points or not os.path.lexists(os.path.join(self.root, name)):
            return None
        return label_values.points(self._numbers(name), _NUM_LANDMARKS, name)

    def _numbers(self, name):
        return label_files.numbers_file(self.root, name)

    def _file(self, top, ending):
        """The file of a sequence with this ending; many folders are empty."""
        if not os.path.isdir(os.path.join(self.root, top)):
            return None
        matching = [p for p in paths.list_files(self.root, top) if p.endswith(ending)]
        return matching[-1] if matching else None
