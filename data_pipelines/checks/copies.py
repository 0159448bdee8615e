"""Copies: the same picture twice, in two splits, or under two labels."""

import functools
from collections import defaultdict

import numpy as np

from data_pipelines.checks import perceptual_hash
from data_pipelines.checks.findings import Findings
from data_pipelines.checks.picture_table import SIDE, PictureTable, is_blank

UNLABELLED = "unlabelled"

# Least correlation of the thumbnails of copies. Of 200 such pairs of FER2013 with
# different pixels, none shows two different photographs.
_CORRELATION = 0.95
_BATCH = 8192
# So many pictures of a group are named in its description.
_SHOWN = 4


def check_identical(table: PictureTable, findings: Findings) -> list[np.ndarray]:
    """Finds groups of pictures whose pixels are the same; returns their rows."""
    splits, labels = table.splits, table.labels
    named = np.array([name != UNLABELLED for name in table.label_names])
    groups = _identical(table.digests)
    for rows in groups:
        text = functools.partial(_in_words, table, rows)
        findings.add("duplicate", text)
        if len(set(splits[rows])) > 1:
            findings.add("cross_split", text)
        if len(set(labels[rows][named[labels[rows]]])) > 1:
            findings.add("label_conflict", text)
    return groups


def check_nearly_identical(table: PictureTable, findings: Findings) -> list[list[int]]:
    """Finds groups of pictures, across splits, that are nearly the same.

    Those that are the same are not among them. Returns the groups' rows.
    """
    groups = _nearly_identical(table)
    for rows in groups:
        text = functools.partial(_in_words, table, rows, sign=" ~ ")
        findings.add("near_duplicate", text)
    return groups


def surplus(table: PictureTable, identical, nearly) -> list[tuple[str, str]]:
    """The training pictures to leave out, with reasons; other splits stay whole.

    Left out are copies and near copies of a picture of another split, all copies
    of a training picture whose labels differ, and all but one where they agree.

    Args:
        table: All pictures.
        identical: Groups that `check_identical` found.
        nearly: Groups that `check_nearly_identical` found.
    """
    if "train" not in table.split_names:
        return []
    train = table.splits == table.split_names.index("train")
    named = np.array([name != UNLABELLED for name in table.label_names])
    reasons = {}
    for rows in identical:
        inside, outside = rows[train[rows]], rows[~train[rows]]
        if len(outside):
            why, left_out = f"same picture as {table.describe(outside[0])}", inside
        elif len(set(table.labels[rows][named[table.labels[rows]]])) > 1:
            why, left_out = "the same picture has another label too", inside
        else:
            # The first picture with a label is kept, if there is one.
            kept = min(inside, key=lambda row: not named[table.labels[row]])
            why = f"same picture as {table.describe(kept)}"
            left_out = inside[inside != kept]
        reasons |= dict.fromkeys(left_out.tolist(), why)
    for rows in map(np.array, nearly):
        other = table.describe(rows[~train[rows]][0])
        for row in rows[train[rows]].tolist():
            reasons.setdefault(row, f"nearly the same picture as {other}")
    return [(table.name(row), reasons[row]) for row in sorted(reasons)]


def _nearly_identical(table) -> list[list[int]]:
    """Rows of each group, across splits, that look alike without being the same."""
    splits = table.splits
    if len(set(splits)) < 2:
        return []
    pairs = _copies(table.thumbs(), splits)
    digests = table.digests
    other = (digests[pairs[:, 0]] != digests[pairs[:, 1]]).any(axis=1)
    return _connected(pairs[other])


def _identical(digests) -> list[np.ndarray]:
    """Rows of each group of one digest, groups by their first row."""
    order = np.lexsort(digests.T)
    ordered = digests[order]
    starts = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)])
    sizes = np.diff(np.r_[starts, len(order)])
    groups = [
        np.sort(order[start : start + size])
        for start, size in zip(starts[sizes > 1], sizes[sizes > 1])
    ]
    return sorted(groups, key=lambda rows: rows[0])


def _copies(thumbs, splits):
    """`(pairs, 2)` rows that look alike, of different splits."""
    codes = [[], [], []]
    blank = np.zeros(len(thumbs), bool)
    for start in range(0, len(thumbs), _BATCH):
        batch = np.array(thumbs[start : start + _BATCH])
        for column, hashes in zip(codes, perceptual_hash.hashes(batch)):
            column.append(hashes)
        blank[start : start + len(batch)] = is_blank(batch)
    rows = np.flatnonzero(~blank)
    pairs = [
        rows[perceptual_hash.alike(np.concatenate(column)[rows], splits[rows])]
        for column in codes
    ]
    pairs = np.unique(np.concatenate(pairs), axis=0)
    kept = [
        part[_correlation(thumbs, part) > _CORRELATION]
        for part in np.split(pairs, range(_BATCH, len(pairs), _BATCH))
    ]
    return np.concatenate(kept)


def _correlation(thumbs, pairs):
    first, second = (_standardized(thumbs[pairs[:, side]]) for side in (0, 1))
    return (first * second).mean(axis=1)


def _standardized(thumbs):
    flat = thumbs.reshape(len(thumbs), SIDE * SIDE).astype(np.float32)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / flat.std(axis=1, keepdims=True)


def _connected(pairs) -> list[list[int]]:
    """Groups that the pairs hold together, by their first row."""
    parent = {}

    def first(row):
        while parent.setdefault(row, row) != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for pair in pairs.tolist():
        low, high = sorted(map(first, pair))
        parent[high] = low
    groups = defaultdict(list)
    for row in sorted(parent):
        groups[first(row)].append(row)
    return list(groups.values())


def _in_words(table, rows, sign=" = "):
    """The group's members that differ in split or label come first."""
    splits, labels = table.splits, table.labels
    kinds = {}
    for row in rows:
        kinds.setdefault((splits[row], labels[row]), row)
    shown = list(kinds.values())
    shown += [row for row in rows if row not in set(shown)]
    text = sign.join(table.describe(row) for row in shown[:_SHOWN])
    num_hidden = len(rows) - _SHOWN
    return text + (f" and {num_hidden} more" if num_hidden > 0 else "")
