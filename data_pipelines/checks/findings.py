"""Findings: how many there are of each kind, with a few examples in words."""

import dataclasses
from collections.abc import Callable

from fer_tf.utils.names import one_line

EXAMPLES = 5
"""Examples that are kept of each kind; all are counted."""

ERROR, WARNING = "error", "warning"

# Kind -> severity, and the meaning of its count.
KINDS = {
    "damaged": (ERROR, "places where reading could not go on"),
    "shard": (ERROR, "damaged shards"),
    "count": (ERROR, "splits with another number of pictures than they should have"),
    "class_count": (
        ERROR,
        "classes with another number of pictures than they should have",
    ),
    "label_order": (ERROR, "classes that have the number of pictures of another"),
    "missing": (ERROR, "pictures or annotations that are not there"),
    "unreadable": (ERROR, "pictures that cannot be read"),
    "bad_row": (ERROR, "rows that cannot be used"),
    "out_of_range": (ERROR, "labels outside their range"),
    "repeated_row": (ERROR, "second rows of a picture"),
    "unsafe_path": (ERROR, "paths that lead out of the data folder"),
    "subject_leak": (ERROR, "people in more than one split"),
    "video_leak": (ERROR, "videos in more than one split"),
    "cross_split": (WARNING, "groups of identical pictures that reach across splits"),
    "near_duplicate": (
        WARNING,
        "groups of nearly identical pictures that reach across splits",
    ),
    "label_conflict": (
        WARNING,
        "groups of identical pictures with conflicting labels",
    ),
    "duplicate": (WARNING, "groups of identical pictures"),
    "named_otherwise": (WARNING, "pictures whose file name says another expression"),
    "blank": (WARNING, "pictures that show nothing"),
    "no_face": (WARNING, "pictures in which no face is found"),
    "unexpected_face": (WARNING, "pictures without a face in which one is found"),
    "points_outside": (WARNING, "pictures with landmarks outside of them"),
    "box_outside": (WARNING, "pictures whose box lies outside of them"),
    "frames": (WARNING, "videos whose labels and pictures differ in number"),
    "rejected": (WARNING, "rows that were not prepared"),
    "left_out": (WARNING, "rows that the owner's rules leave out"),
}


@dataclasses.dataclass
class Finding:
    """One kind of problem.

    Attributes:
        kind: One of `KINDS`.
        count: How many there are.
        severity: `error`: numbers measured on this copy would not hold; or
            `warning`.
        examples: The first few, in words.
    """

    kind: str
    count: int
    severity: str
    examples: list[str]


class Findings:
    """Collects findings; memory does not grow with their number."""

    def __init__(self):
        self._by_kind: dict[str, Finding] = {}

    def add(
        self,
        kind: str,
        example: str | Callable[[], str],
        *,
        severity: str | None = None,
    ) -> None:
        """Counts one more of a kind; a kind has the worst severity that was given.

        Args:
            kind: One of `KINDS`.
            example: It in words, or what makes them, if they are wanted.
            severity: Another than the kind's own.
        """
        severity = severity or KINDS[kind][0]
        finding = self._by_kind.setdefault(kind, Finding(kind, 0, severity, []))
        finding.count += 1
        if severity == ERROR:
            finding.severity = ERROR
        if len(finding.examples) < EXAMPLES:
            text = example if isinstance(example, str) else example()
            # Names come from files, and could move the cursor of a terminal.
            finding.examples.append(one_line(text))

    def sorted(self) -> list[Finding]:
        """The findings, in the order of `KINDS`, errors first."""
        findings = [self._by_kind[kind] for kind in KINDS if kind in self._by_kind]
        return sorted(findings, key=lambda finding: finding.severity != ERROR)
