"""RAF-DB (Li et al., 2017), the single-label ("basic") part.

`EmoLabel/list_patition_label.txt` (the owner's spelling) names pictures and
classes, `Image/original/` and `Image/aligned/` hold them, and `Annotation/` has a
file for each: `manual/*_manu_attri.txt` (five points, gender, race, age),
`auto/*_auto_attri.txt` (37 points) and `boundingbox/*_boundingbox.txt`. All points
and boxes are in pixels of the original photograph.
"""

import dataclasses
import functools
import os
from collections.abc import Iterator

from data_pipelines.sources import fingerprints, label_files, label_values, paths
from data_pipelines.sources.errors import DataError, RepeatedRow
from data_pipelines.sources.sample import Reject, Sample
from data_pipelines.sources.source import Source, class_counts
from fer_tf.dataset_facts import OWNERS_TERMS, DatasetFacts

PUBLISHED = class_counts(
    ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"),
    {
        "train": (1290, 281, 717, 4772, 1982, 705, 2524),  # 12,271
        "test": (329, 74, 160, 1185, 478, 162, 680),  # 3,068
    },
)

_LABELS = "EmoLabel/list_patition_label.txt"
_BASIC_CLASSES = 7
_POINTS = {"auto": 37, "manual": 5}

GROUPS = {
    "gender": ("male", "female", "unsure"),
    "race": ("Caucasian", "African-American", "Asian"),
    "age": ("0-3", "4-19", "20-39", "40-69", "70+"),
}
"""What the manual annotation says of the person, in the owner's order."""


class RafDb(Source):
    """Source of RAF-DB's 15,339 pictures with one of seven expressions.

    `validation` is a tenth of the training set.

    Args:
        root: The folder `basic`, or one that holds it.
        images: `original` (the default where they are) or `aligned` (100 pixels,
            without points).
        landmarks: `auto` (the default where they are) or `manual`.

    Raises:
        DataError: If the layout is not there, or it is the compound set.
    """

    name = "rafdb"
    facts = DatasetFacts(
        title="RAF-DB",
        pictures="15,339 real-world photographs of its single-label part.",
        labels="One of seven expressions a picture, by crowdsourcing.",
        people=(
            "The owner's files give a gender, a race and an age group a picture; where "
            "accuracy by group was measured, it is below."
        ),
        terms=OWNERS_TERMS,
        flaws="Few pictures show fear (74 of the 3,068 test pictures).",
    )
    citation = "Li et al., CVPR 2017; counts of the owner's list_patition_label.txt"
    class_ids = dict(enumerate(PUBLISHED["train"], 1))
    default_crop = "gan2020"
    default_detector = "mtcnn"
    options = {"images": ("original", "aligned"), "landmarks": tuple(_POINTS)}
    published_tables = {"RAF-DB": PUBLISHED}
    published = PUBLISHED
    holdout = "pixels"

    def __init__(
        self, root: str, images: str | None = None, landmarks: str | None = None
    ):
        self.root = self.folder = root
        label_list = paths.find(root, _LABELS)
        if not label_list:
            raise DataError(f"{root}: no {_LABELS} here or in basic/")
        self._base = label_list.removesuffix(_LABELS)
        self._labels = label_list
        self.images = images or self._first(
            self.options["images"], self._base + "Image/"
        )
        if not self.images or not self._has(f"Image/{self.images}"):
            raise DataError(
                f"{root}: no {self._base}Image/{self.images or 'original'} here"
            )
        # Points lie in the original photographs.
        self.landmarks = None
        if self.images == "original":
            self.landmarks = landmarks or self._first(
                _POINTS, self._base + "Annotation/"
            )
        self.num_landmarks = _POINTS.get(self.landmarks, 0)
        self.layout = f"basic, images={self.images}, landmarks={self.landmarks}"

    @functools.cached_property
    def fingerprint(self) -> str:
        folders = [f"Image/{self.images}", "Annotation"]
        listed = (
            path
            for folder in folders
            if self._has(folder)
            for path in paths.list_files(self.root, self._base + folder)
        )
        return fingerprints.of_files(
            self.root, contents=[self._labels], listed=listed, text=self.layout
        )

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the pictures in the owner's order."""
        seen, rows = label_files.Seen(), 0
        for place, line in label_files.numbered_lines(self.root, self._labels):
            rows += 1
            try:
                yield self._sample(line, place, seen)
            except _CompoundSet:
                raise
            except ValueError as error:
                yield Reject.of(place, error)
        if not rows:
            raise DataError(f"{self._labels}: no rows")

    def _sample(self, line, place, seen):
        fields = line.split()
        if len(fields) != 2:
            raise DataError(f"must be a name and a class, is {line[:60]!r}")
        name, label = fields[0], label_values.whole_number(fields[1], "the class")
        if label > _BASIC_CLASSES:
            raise _CompoundSet(
                f"{place}: class {label}, and there are {_BASIC_CLASSES}; this is the "
                "list of the compound set, which has the same name"
            )
        expression = self.class_name(label)
        split = name.partition("_")[0]
        if split not in PUBLISHED or "/" in paths.clean_path(name):
            raise DataError(f"{name!r} must be train_*.jpg or test_*.jpg")
        if not seen.add(name):
            raise RepeatedRow(f"a second row of {name}")
        stem, ending = os.path.splitext(name)
        file = f"{stem}_aligned{ending}" if self.images == "aligned" else name
        sample = Sample(
            sample_id=stem,
            split=split,
            path=f"{self._base}Image/{self.images}/{file}",
            expression=expression,
        )
        return self._annotated(sample, stem)

    def _annotated(self, sample, stem):
        manual, groups = self._manual(stem)
        sample = dataclasses.replace(sample, groups=groups)
        if self.images == "aligned":
            return sample
        points = manual if self.landmarks == "manual" else None
        if self.landmarks == "auto":
            values = self._numbers("auto", f"{stem}_auto_attri.txt")
            points = values and label_values.points(
                values, _POINTS["auto"], f"auto {stem}"
            )
        box = self._numbers("boundingbox", f"{stem}_boundingbox.txt")
        if box:
            if len(box) != 4 or box[2] <= box[0] or box[3] <= box[1]:
                raise DataError(f"the bounding box must be two corners, is {box}")
            box = (box[0], box[1], box[2] - box[0], box[3] - box[1])
        return dataclasses.replace(sample, landmarks=points, box=box)

    def _manual(self, stem):
        """The five points, and gender, race and age by name."""
        name = f"{stem}_manu_attri.txt"
        values = self._numbers("manual", name)
        if values is None:
            return None, None
        count = 2 * _POINTS["manual"]
        if len(values) != count + len(GROUPS):
            raise DataError(f"{name}: {len(values)} numbers, not {count + len(GROUPS)}")
        groups = {}
        for (what, meanings), value in zip(GROUPS.items(), values[count:]):
            if value not in range(len(meanings)):
                raise DataError(f"{name}: {what} {value:g} is unknown")
            groups[what] = meanings[int(value)]
        return label_values.points(values[:count], _POINTS["manual"], name), groups

    def _numbers(self, folder, name):
        """Numbers of an annotation; None where there is no such file."""
        relative = f"{self._base}Annotation/{folder}/{name}"
        if not os.path.lexists(os.path.join(self.root, relative)):
            return None
        return label_files.numbers_file(self.root, relative)

    def _first(self, names, parent):
        for name in names:
            if os.path.isdir(os.path.join(self.root, parent, name)):
                return name
        return None

    def _has(self, folder):
        return os.path.isdir(os.path.join(self.root, self._base, folder))


class _CompoundSet(DataError):
    pass
