"""The options of a synthetic data set, and how they are read from text."""

import dataclasses

from data_pipelines.synthetic.labels import IMBALANCES
from fer_tf.arguments import require, require_one_of

SIZES = (48, 256)
"""Smallest and largest side of a picture in pixels."""


@dataclasses.dataclass(frozen=True)
class SyntheticOptions:
    """The options of a synthetic data set.

    Attributes:
        seed: Not negative; another seed gives other people and pictures.
        size: Side of the square picture in pixels, 48 to 256.
        label_noise: Fraction of examples whose expression is another rater's;
            independently, of those whose valence and arousal are gross outliers.
        missing: Probability, for each task, that the label is absent.
        imbalance: Class frequencies, "uniform" or "affectnet".
        non_faces: Fraction of pictures without a face.
        grey: Whether pictures are grey, in three equal channels.
    """

    seed: int = 0
    size: int = 96
    label_noise: float = 0.10
    missing: float = 0.0
    imbalance: str = "uniform"
    non_faces: float = 0.0
    grey: bool = False

    def __post_init__(self):
        low, high = SIZES
        require(0 <= self.seed < 2**63, "be in [0, 2**63)", seed=self.seed)
        require(low <= self.size <= high, f"be in [{low}, {high}]", size=self.size)
        for name in ("label_noise", "missing", "non_faces"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(
                    f"`{name}` must be in [0, 1]. Received: {name}={value}."
                )
        require_one_of(IMBALANCES, imbalance=self.imbalance)


def source_options(text: str) -> tuple[SyntheticOptions, int]:
    """Options and number of examples from "seed=1,examples=1200,size=96".

    Every part is optional; any field of `SyntheticOptions` may be given.

    Raises:
        ValueError: If a key is unknown or a value is bad; the message names it.

    >>> options, examples = source_options("seed=1,examples=60")
    >>> options.seed, options.size, examples
    (1, 96, 60)
    """
    values = {"examples": 1200}
    fields = {f.name: f.type for f in dataclasses.fields(SyntheticOptions)}
    readers = {**fields, "examples": int}
    for part in filter(None, (p.strip() for p in text.split(","))):
        key, equals, value = (s.strip() for s in part.partition("="))
        require(
            key in readers and equals,
            f"be key=value pairs of {', '.join(readers)}",
            source=part,
        )
        values[key] = _read(key, value, readers[key])
    examples = values.pop("examples")
    require(examples >= 1, "be positive", examples=examples)
    return SyntheticOptions(**values), examples


def _read(key: str, value: str, kind: type):
    """A value of a source text."""
    flags = {"true": True, "1": True, "false": False, "0": False}
    try:
        return flags[value.lower()] if kind is bool else kind(value)
    except (KeyError, ValueError):
        raise ValueError(
            f"`{key}` must be {kind.__name__}. Received: {key}={value}."
        ) from None
