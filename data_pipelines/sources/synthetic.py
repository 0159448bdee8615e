"""The drawn faces of `data_pipelines.synthetic` as a source."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator

import numpy as np

from data_pipelines import synthetic
from data_pipelines.sources.errors import OptionError
from data_pipelines.sources.sample import Sample
from data_pipelines.sources.source import Source
from fer_tf import labels
from fer_tf.dataset_facts import DatasetFacts
from fer_tf.faces.crop_spec import CropSpec


class Synthetic(Source):
    """Source of drawn faces, split by person.

    Args:
        text: `seed=1,examples=1200,size=96`, every part optional.

    Raises:
        OptionError: If a part is unknown or out of range.
    """

    name = "synthetic"
    facts = DatasetFacts(
        title="Drawn faces",
        pictures="Faces drawn by this package (`data_pipelines/synthetic/`).",
        labels="Known by construction; a tenth are changed as a second rater would.",
        people=(
            "No person at all. It shows that every part works; it says nothing of how "
            "well the model reads real faces."
        ),
        terms="None: made by this package.",
    )
    citation = ""
    default_crop = "synthetic"
    default_detector = "none"
    published = None
    strict = True
    num_landmarks = 68
    folder = None

    def __init__(self, text: str = ""):
        try:
            self.drawing, self.num_examples = synthetic.source_options(text)
        except ValueError as error:
            raise OptionError(str(error)) from error
        described = dataclasses.asdict(self.drawing) | {"examples": self.num_examples}
        self.layout = json.dumps(described, sort_keys=True)
        self.fingerprint = hashlib.sha256(self.layout.encode()).hexdigest()

    def crop_spec(self, name: str | None = None) -> CropSpec:
        """The crop spec called `name`, or that of the drawn faces in their size."""
        spec = super().crop_spec(name)
        return spec if name else dataclasses.replace(spec, size=self.drawing.size)

    def rows(self) -> Iterator[Sample]:
        """Lists the indices; drawing a face gives everything else."""
        for index in range(self.num_examples):
            yield Sample(sample_id=f"synthetic_{index:07d}", frame=index)

    def load(self, sample: Sample) -> tuple[Sample, np.ndarray]:
        """Draws face `sample.frame`."""
        face = synthetic.draw(sample.frame, self.drawing)
        named = face.expression is not None
        action_units = face.action_units
        sample = dataclasses.replace(
            sample,
            split=synthetic.split_of(face.subject, self.drawing.seed),
            subject=face.subject,
            landmarks=face.landmarks if face.is_face else None,
            expression=labels.EXPRESSIONS[face.expression] if named else None,
            valence=face.valence,
            arousal=face.arousal,
            action_units=None
            if action_units is None
            else dict(zip(labels.ACTION_UNITS, map(int, action_units))),
            is_face=face.is_face,
            groups=face.groups,
        )
        return sample, face.image
