"""A source of which only some labels are kept.

For training on two sets together, of which each is to teach its own: categories
of photographs, say, and valence and arousal of drawn faces.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from data_pipelines.derived_source import DerivedSource
from data_pipelines.sources import OptionError, Reject, Sample, Source

# Kind of label -> the fields of a `Sample` that hold it.
FIELDS = {
    "expression": ("expression", "votes"),
    "valence_arousal": ("valence", "arousal"),
    "action_units": ("action_units",),
    "is_face": ("is_face",),
}


class KeepingLabels(DerivedSource):
    """A source whose other labels are missing; otherwise as it is.

    Args:
        source: The whole.
        kinds: Keys of `FIELDS` that are kept.

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
        self._absent = {name: None for kind in dropped for name in FIELDS[kind]}
        super().__init__(
            source, less=" ".join(self._absent), words=", ".join(dropped) or "nothing"
        )
        self.has_votes = source.has_votes and "votes" not in self._absent

    def rows(self) -> Iterator[Sample | Reject]:
        """The source's rows."""
        for row in self._source.rows():
            yield row if isinstance(row, Reject) else self._stripped(row)

    def load(self, sample: Sample) -> tuple[Sample, np.ndarray]:
        """Reads one picture, as the source does: that may complete the labels."""
        sample, image = self._source.load(sample)
        return self._stripped(sample), image

    def _stripped(self, sample):
        return dataclasses.replace(sample, **self._absent)
