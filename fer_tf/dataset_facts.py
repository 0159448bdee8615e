"""What a model card says about the data set that a model was trained on.

Each data set states its own facts, in its class in `data_pipelines/sources/`. They hold
only what the owner's files and papers, and our own counts, support. Where nothing is
known, they say so.
"""

import dataclasses

PEOPLE_UNRECORDED = (
    "Age, gender, skin colour and origin of the people are not recorded: who is "
    "missing cannot be told from the data, and accuracy by group cannot be measured "
    "on it."
)
OWNERS_TERMS = (
    "Given out by its owner under his own terms, which also bind whoever uses the "
    "weights; none of its pictures is in this repository."
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """The facts of one data set, as sentences for a model card.

    Attributes:
        title: Its usual name.
        pictures: What the pictures are and where they come from.
        labels: What was labelled, and how.
        people: Who is in it and who is missing, as far as it is known.
        terms: What its owner allows.
        flaws: What a reader of numbers measured on it should know.
    """

    title: str
    pictures: str
    labels: str
    people: str
    terms: str
    flaws: str = ""


UNKNOWN = DatasetFacts(
    title="Data of the user's own",
    pictures="Not known to this package.",
    labels="Not known to this package.",
    people="Not known to this package.",
    terms="Not known to this package: ask who trained the model.",
)
