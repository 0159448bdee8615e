"""Comparison of counts and class histograms with the published ones."""

from collections import Counter, defaultdict

from data_pipelines.checks.findings import ERROR, WARNING, Findings
from data_pipelines.sources import SOURCES
from data_pipelines.sources.source import Counts

# Many users bring one of these as a folder or a CSV of their own.
_KNOWN = {
    title: counts
    for source in SOURCES.values()
    for title, counts in source.published_tables.items()
}
# How splits are joined before sets are compared: as they are, with PublicTest in
# the test set, with a held-out part back in the training set, and all together.
_JOINED = (
    {},
    {"validation": "test"},
    {"validation": "train"},
    {"train": "all", "validation": "all", "test": "all", "undecided": "all"},
)
# Counts that differ by no more than this share belong to the same data set, with a few
# pictures missing.
_SHORT = 0.02


def check_counts(counts: Counts, published: Counts | None, findings: Findings) -> None:
    """Compares the counts of a copy with the published ones.

    A test or validation set with another count is an error: numbers measured on it
    compare with nobody's. So is a training set that lacks more than a few pictures,
    and classes in another order.
    """
    if published is None:
        _check_known(counts, findings)
        return
    swapped = permutation(counts, published)
    for name, original in swapped.items():
        findings.add("label_order", f"{name} has the number of pictures of {original}")
    for split, wanted in published.items():
        here = counts.get(split, {})
        num_here, num_published = sum(here.values()), sum(wanted.values())
        differ = [n for n in wanted | here if here.get(n, 0) != wanted.get(n, 0)]
        apart = sum(abs(here.get(n, 0) - wanted.get(n, 0)) for n in differ)
        few = split == "train" and apart <= _SHORT * num_published
        severity = WARNING if few else ERROR
        if num_here != num_published:
            text = f"{split}: {num_here:,} here, {num_published:,} published"
            findings.add("count", text, severity=severity)
        if swapped or abs(num_here - num_published) > _SHORT * num_published:
            continue
        for name in differ:
            numbers = f"{here.get(name, 0):,} here, {wanted.get(name, 0):,} published"
            text = f"{split}, {name}: {numbers}"
            findings.add("class_count", text, severity=severity)


def permutation(counts: Counts, published: Counts) -> dict[str, str]:
    """Classes that changed places: each has another's count in every split.

    Returns:
        `{class here: published class}` of those that changed places; empty if
        none did, or if it is a different data set.
    """
    here, theirs = _by_class(counts), _by_class(published)
    splits = [split for split, classes in published.items() if any(classes.values())]
    if {split for split, classes in counts.items() if any(classes.values())} != {
        *splits
    }:
        return {}
    nearest_class = {}
    for name, row in here.items():
        apart = {
            other: sum(abs(row[split] - their_row[split]) for split in splits)
            for other, their_row in theirs.items()
        }
        nearest = min(apart, key=lambda other: (apart[other], other != name))
        if apart[nearest] > _SHORT * sum(theirs[nearest].values()):
            return {}
        nearest_class[name] = nearest
    if sorted(nearest_class.values()) != sorted(theirs):
        return {}
    return {name: other for name, other in nearest_class.items() if name != other}


def _check_known(counts, findings):
    """Finds a user's own set that is a known one with its classes in another order."""
    for title, published in _KNOWN.items():
        for joined in _JOINED:
            swapped = permutation(_join(counts, joined), _join(published, joined))
            for name, original in swapped.items():
                text = f"{name} has the number of pictures of {title}'s {original}"
                findings.add("label_order", text)
            if swapped:
                return


def _join(counts, joined):
    total = defaultdict(Counter)
    for split, classes in counts.items():
        total[joined.get(split, split)].update(classes)
    return total


def _by_class(counts) -> dict[str, Counter]:
    rows = defaultdict(Counter)
    for split, classes in counts.items():
        for name, number in classes.items():
            if number:
                rows[name][split] += number
    return rows
