"""One labelled picture as a source lists it, before anything is decoded."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from data_pipelines.sources.errors import clip
from fer_tf.utils.names import one_line

SPLITS = ("train", "validation", "test")
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""Common names of the splits, in lower case, and ours."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """A row of a data set. Everything but the id is optional.

    A sample is plain data (it travels as JSON to the workers) and holds no
    pixels: `path`, relative to the source's root, and `span` say where they
    are, and the source's `load` reads them.

    Attributes:
        sample_id: Unique in its data set, and the same on every machine.
        split: `train`, `validation`, `test`, or None where it is decided from
            the picture itself.
        path: File that holds the picture, relative to the root, with `/`.
        span: `(offset, length)` in bytes where the file holds many pictures.
        subject: Person shown, where known; splits never share one.
        video: Clip that the frame belongs to.
        frame: Frame number in the clip.
        box: `(x, y, width, height)` of the annotated face, in pixels.
        landmarks: 5, 37 or 68 `(x, y)` points, in pixels.
        expression: Name from the source's `expressions`.
        votes: Shares of the raters' votes by expression name, which sum to 1.
        valence: In [-1, 1].
        arousal: In [-1, 1].
        action_units: 0 or 1 by name ("AU1"); a missing name is not annotated.
        is_face: Whether the picture shows a face, where that is annotated.
        groups: What else the owner annotates (age, gender, ...).

    >>> Sample("a", split="train", path="faces/a.png", expression="fear").to_dict()
    {'sample_id': 'a', 'split': 'train', 'path': 'faces/a.png', 'expression': 'fear'}
    """

    sample_id: str
    split: str | None = None
    path: str | None = None
    span: tuple[int, int] | None = None
    subject: str | None = None
    video: str | None = None
    frame: int | None = None
    box: tuple[float, float, float, float] | None = None
    landmarks: Any = None
    expression: str | None = None
    votes: Mapping[str, float] | None = None
    valence: float | None = None
    arousal: float | None = None
    action_units: Mapping[str, int] | None = None
    is_face: bool | None = None
    groups: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """The name for messages: its file, or its id where one file holds many."""
        return self.path if self.path and self.span is None else self.sample_id

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready fields, without those that are not set."""
        return {
            field.name: value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) is not None
        }


@dataclasses.dataclass(frozen=True)
class Reject:
    """A row that cannot be used, and why. Rejects are counted, never hidden.

    Attributes:
        path: The picture, or the label file and the line.
        reason: In words.
        expected: Whether the owner's own rules leave such a row out, so that it
            is no sign of damage.
        kind: The kind of finding that `verify` counts it under.
    """

    path: str
    reason: str
    expected: bool = False
    kind: str = "bad_row"

    @classmethod
    def of(cls, path: str, error: Exception) -> "Reject":
        """The reject for a row that raised this error."""
        reason = clip(str(error), 300)
        return cls(one_line(path), reason, kind=getattr(error, "kind", "bad_row"))


def class_of(sample: Sample) -> str:
    """The class that a picture is counted under."""
    if sample.expression is not None:
        return sample.expression
    if sample.is_face is not None:
        return "face" if sample.is_face else "nonface"
    return "unlabelled"
