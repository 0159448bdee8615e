"""What is known of the data sets that a model may have been trained on.

For model cards. Only what the owners' files and papers, and our own counts, bear
out; where nothing is known, it says so.
"""

import dataclasses

_UNRECORDED = (
    "Age, gender, skin colour and origin of the people are not recorded: who is "
    "missing cannot be told from the data, and accuracy by group cannot be measured "
    "on it."
)
_OWNERS_TERMS = (
    "Given out by its owner under his own terms, which also bind whoever uses the "
    "weights; none of its pictures is in this repository."
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """What a data set is.

    Attributes:
        title: Its usual name.
        pictures: What they are and where they come from.
        labels: What was labelled, and how.
        people: Who is in it, who is missing, as far as it is known.
        terms: What its owner allows.
        flaws: What a reader of numbers measured on it should know.
    """

    title: str
    pictures: str
    labels: str
    people: str
    terms: str
    flaws: str = ""


_FER2013_PICTURES = (
    "35,887 grey pictures of 48x48 pixels, gathered from the web for a challenge of "
    "ICML 2013."
)
_FER2013_TERMS = "The pictures may be measured and trained on, not passed on."
_FER2013_FLAWS = (
    "1,516 groups of identical pictures; 557 of them reach across the splits and 57 "
    "carry conflicting labels (`trainers.verify` counts them)."
)

FACTS = {
    "fer2013": Facts(
        title="FER2013",
        pictures=_FER2013_PICTURES,
        labels="One of seven expressions a picture.",
        people=_UNRECORDED,
        terms=_FER2013_TERMS,
        flaws=_FER2013_FLAWS,
    ),
    "ferplus": Facts(
        title="FER+",
        pictures=f"FER2013's: {_FER2013_PICTURES}",
        labels="Ten votes a picture, for eight expressions, unknown or not a face.",
        people=_UNRECORDED,
        terms=f"The votes are under the MIT licence. {_FER2013_TERMS}",
        flaws=_FER2013_FLAWS,
    ),
    "affectnet": Facts(
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
            f"et al. 2018). {_UNRECORDED}"
        ),
        terms=_OWNERS_TERMS,
    ),
    "affwild2": Facts(
        title="Aff-Wild2",
        pictures="Frames of over 500 videos in the wild, cropped by their owner.",
        labels=(
            "Valence and arousal, seven expressions and eight action units a frame "
            '(since 2022 also "other", and twelve units), by people; most frames lack '
            "some of them. What is called test here is the owner's validation set."
        ),
        people=_UNRECORDED,
        terms=_OWNERS_TERMS,
    ),
    "rafdb": Facts(
        title="RAF-DB",
        pictures="15,339 real-world photographs of its single-label part.",
        labels="One of seven expressions a picture, by crowdsourcing.",
        people=(
            "The owner's files give a gender, a race and an age group a picture; where "
            "accuracy by group was measured, it is below."
        ),
        terms=_OWNERS_TERMS,
        flaws="Few pictures show fear (74 of the 3,068 test pictures).",
    ),
    "ckplus": Facts(
        title="CK+",
        pictures=(
            "327 labelled sequences of 118 people in a laboratory, from neutral to the "
            "peak of an expression."
        ),
        labels="One of seven expressions a sequence, contempt among them.",
        people=(
            "118 people in one laboratory, with few variations of background: what is "
            f"seen elsewhere is missing. {_UNRECORDED}"
        ),
        terms=_OWNERS_TERMS,
    ),
    "facenonface": Facts(
        title="Faces and non-faces",
        pictures="Pictures of faces, and pictures without one, of any origin.",
        labels="Face or not.",
        people=_UNRECORDED,
        terms="Those of the sets that its pictures were taken from.",
        flaws="Nobody has checked that the pictures without a face hold none.",
    ),
    "synthetic": Facts(
        title="Drawn faces",
        pictures="Faces drawn by this package (`data_pipelines/synthetic.py`).",
        labels="Known by construction; a tenth are changed as a second rater would.",
        people=(
            "No person at all. It shows that every part works; it says nothing of how "
            "well the model reads real faces."
        ),
        terms="None: made by this package.",
    ),
}
"""By the name that `trainers.prepare` gives a data set."""

UNKNOWN = Facts(
    title="Data of the user's own",
    pictures="Not known to this package.",
    labels="Not known to this package.",
    people="Not known to this package.",
    terms="Not known to this package: ask who trained the model.",
)


def facts_of(dataset: str) -> list[Facts]:
    """Facts of a data set, or of several joined by `+`."""
    return [FACTS.get(name, UNKNOWN) for name in dataset.split("+")]
