"""The two ways in which the reported weights of a run are chosen."""

import enum

_WITHOUT_TEST = (
    "weights chosen on the very data that is reported, for want of a test split: "
    "the numbers flatter the model"
)
_MEANING = {
    "clean": "weights chosen on validation data, reported on test data",
    "paper": (
        "weights chosen on the test data themselves, as public code of the field does "
        "and papers may have done: the test numbers flatter the model"
    ),
}


class Protocol(enum.StrEnum):
    """How weights are chosen; a member is its name, as files and flags have it.

    >>> Protocol.PAPER == "paper", Protocol.CLEAN.chosen_on
    (True, 'validation')
    """

    CLEAN = "clean"
    PAPER = "paper"

    @property
    def chosen_on(self) -> str:
        """The split whose scores decide which epoch's weights are kept."""
        return "validation" if self is Protocol.CLEAN else "test"

    def meaning(self, reported_on: str = "test") -> str:
        """What numbers of a split mean, in a phrase."""
        return _MEANING[self] if reported_on == "test" else _WITHOUT_TEST
