"""People, or videos, that are in more than one split."""

from collections import defaultdict

from data_pipelines.checks.findings import Findings


class Appearances:
    """In which splits each name was seen."""

    def __init__(self):
        self._splits = defaultdict(set)

    def add(self, name: str | None, split: str) -> None:
        """Notes that a name, if there is one, was seen in a split."""
        if name:
            self._splits[name].add(split)

    def report(self, kind: str, findings: Findings) -> None:
        """Adds a finding of this kind for every name seen in two splits or more."""
        for name, splits in sorted(self._splits.items()):
            if len(splits) > 1:
                findings.add(kind, f"{name} in {', '.join(sorted(splits))}")
