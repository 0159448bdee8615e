"""The interface of a source: what each data set states and does."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from data_pipelines.sources.errors import DataError
from data_pipelines.sources.paths import resolve_inside
from data_pipelines.sources.sample import Reject, Sample
from fer_tf import labels
from fer_tf.dataset_facts import DatasetFacts
from fer_tf.faces.crop_spec import CROP_SPECS, CropSpec
from fer_tf.faces.images import read_image

Counts = Mapping[str, Mapping[str, int]]
"""`{split: {class: count}}`."""


class Source(Protocol):
    """A data set in its owner's layout.

    A subclass states what is special about its data set as class attributes; the code
    reads it nowhere else.

    Attributes:
        name: The data set's name, as `--dataset` takes it.
        facts: What a model card says about it: terms and known flaws among it.
        citation: Who published it, and its counts; empty for data of the user's own.
        class_ids: The owner's number -> our name of each expression; empty if the label
            files hold names.
        default_crop: Default of `--crop`, a key of `fer_tf.faces.crop_spec.CROP_SPECS`.
        default_detector: Default of `--detector`, one of
            `preparation.cropping.DETECTORS`: `none` if the pictures are crops already.
        options: Values that each of its `--options` may have, by name; none: any text.
        published_tables: `{title: {split: {class: count}}}`: every table of counts
            that is published. A copy under another name is recognised by them.
        published: The table that this copy should have under its options, or None.
        root: Folder that the paths of its samples lie in.
        folder: Folder of the download, which is never written into; None where
            the source is a single file.
        fingerprint: sha256 that changes when the listed files change.
        layout: Which of its layouts this is, in words, with its options.
        strict: Whether a bad picture is an error rather than a reject; true
            for sets that are complete as published.
        num_landmarks: Points that every located face has; 0 if none are given.
        holdout: "pixels" where a tenth of `train`, by a hash of the pixels, is to
            become `validation`; None where the rows state every split.
        expressions: Vocabulary of `Sample.expression`, in the order of the records.
        action_units: Vocabulary of `Sample.action_units`, in the order of the records.
        has_votes: Whether every sample has `votes`.
        derived: Kinds of labels that are computed from other labels, such as
            `valence_arousal`; wherever they are shown, they are called so.
        fold_subjects: The people of a cross-validation of the set, also those without
            a usable picture; empty where the set has no folds.
    """

    name: str
    facts: DatasetFacts
    citation: str
    class_ids: Mapping[int, str] = {}
    default_crop: str
    default_detector: str
    options: Mapping[str, tuple[str, ...]] = {}
    published_tables: Mapping[str, Counts] = {}
    published: Counts | None = None
    root: str
    folder: str | None
    fingerprint: str
    layout: str
    strict: bool = False
    num_landmarks: int = 0
    holdout: str | None = None
    expressions: tuple[str, ...] = labels.EXPRESSIONS
    action_units: tuple[str, ...] = labels.ACTION_UNITS
    has_votes: bool = False
    derived: tuple[str, ...] = ()
    fold_subjects: Sequence[str] = ()

    @classmethod
    def class_name(cls, number: int) -> str:
        """Our name of the owner's class of this number.

        Raises:
            ValueError: If the owner has no such class.
        """
        if number not in cls.class_ids:
            known = sorted(cls.class_ids)
            raise ValueError(f"the class must be one of {known}, is {number}")
        return cls.class_ids[number]

    def crop_spec(self, name: str | None = None) -> CropSpec:
        """The crop spec called `name`, or the data set's default one."""
        return CROP_SPECS[name or self.default_crop]

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the data set in a fixed order, decoding no picture."""

    def load(self, sample: Sample) -> tuple[Sample, np.ndarray]:
        """Reads one picture; returns the (possibly completed) sample and it.

        By default it is the file at the sample's path in the folder `root`.

        Returns:
            The sample, and uint8 `(h, w)` or RGB `(h, w, 3)`.

        Raises:
            ValueError: If the picture cannot be read; the message says why.
        """
        return sample, read_image(resolve_inside(self.root, sample.path))


def class_counts(
    names: Sequence[str], counts: Mapping[str, Sequence[int]]
) -> dict[str, dict[str, int]]:
    """`{split: {class: count}}` of a table with a row per split, a column per class.

    >>> class_counts(("fear", "anger"), {"train": (30, 50), "test": (3, 5)})
    {'train': {'fear': 30, 'anger': 50}, 'test': {'fear': 3, 'anger': 5}}
    """
    return {split: dict(zip(names, row, strict=True)) for split, row in counts.items()}


def require_outside(source: Source, path: str) -> None:
    """Refuses to write into the source folder, where it would become part of the data.

    Args:
        source: Of the data.
        path: File or folder that is to be written.

    Raises:
        DataError: If it lies inside the source's folder, or is it.
    """
    if not source.folder:
        return
    inside = os.path.realpath(path) + os.sep
    if inside.startswith(os.path.realpath(source.folder) + os.sep):
        raise DataError(f"{path}: lies inside the source folder {source.folder}")
