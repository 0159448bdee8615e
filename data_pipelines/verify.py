"""The doctor: what in a data set would falsify a result, before it does.

Counts against the published ones, identical pictures, pictures that reach
across splits, identical pictures with conflicting labels, and what cannot be
read. A finding of severity `error` means that numbers measured on this copy
would not be comparable; FER2013's own duplicates are a `warning`.
"""

import dataclasses
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import numpy as np

from data_pipelines import records
from data_pipelines.sources import DataError, Reject, Source
from fer_tf.hashing import sha256

_EXAMPLES = 5


@dataclasses.dataclass(frozen=True)
class Row:
    """What verification needs of one picture."""

    name: str
    split: str
    label: str
    subject: str
    digest: bytes


@dataclasses.dataclass(frozen=True)
class Finding:
    """One kind of problem.

    Attributes:
        kind: `duplicate`, `cross_split`, `label_conflict`, `unreadable`,
            `left_out`, `count`, `subject_leak`, `shard`.
        count: How many groups of pictures, or pictures, it touches.
        severity: `error` or `warning`.
        examples: Up to five, in words.
    """

    kind: str
    count: int
    severity: str
    examples: list[str]


def verify_source(
    source: Source, *, progress: Callable[[int], None] = lambda done: None
) -> dict:
    """Reads every picture of a source and reports.

    Returns:
        `{"dataset", "ok", "findings", "counts"}`, JSON-ready.
    """
    rows, broken, left_out = [], [], []
    for done, row in enumerate(source.rows(), 1):
        progress(done)
        if isinstance(row, Reject):
            reasons = left_out if row.expected else broken
            reasons.append(f"{row.path}: {row.reason}")
            continue
        try:
            sample, image = source.load(row)
        except (ValueError, OSError) as error:
            broken.append(f"{row.path or row.sample_id}: {error}")
            continue
        label = sample.expression
        if label is None and sample.is_face is not None:
            label = "face" if sample.is_face else "nonface"
        own_file = sample.path is not None and sample.span is None
        rows.append(
            Row(
                name=sample.path if own_file else row.sample_id,
                split=sample.split or "undecided",
                label=label or "unlabelled",
                subject=sample.subject or "",
                digest=_digest(image),
            )
        )
    findings = []
    if broken:
        findings.append(Finding("unreadable", len(broken), "error", broken[:_EXAMPLES]))
    if left_out:
        kept = left_out[:_EXAMPLES]
        findings.append(Finding("left_out", len(left_out), "warning", kept))
    findings += check_counts(rows, source.published)
    findings += check_rows(rows)
    return _report(source.name, rows, findings)


def verify_prepared(folder: str) -> dict:
    """Checks a prepared folder: shards against their sha256, then its rows."""
    import tensorflow as tf

    manifest = records.read_manifest(folder)
    rows, findings, damaged = [], [], []
    spec = records.feature_spec(manifest)
    names = manifest["expressions"]
    for shard in manifest["shards"]:
        path = os.path.join(folder, shard["name"])
        problem = _shard_problem(path, shard["sha256"])
        if problem:
            damaged.append(problem)
            continue
        split = shard["name"].split(".tfrecord")[0].rsplit("-", 1)[-1]
        for record in tf.data.TFRecordDataset(path):
            example = tf.io.parse_single_example(record, spec)
            named = float(example["expression_weight"][0]) > 0
            rows.append(
                Row(
                    name=example["sample_id"].numpy().decode(),
                    split=split,
                    label=names[int(example["expression"])] if named else "unlabelled",
                    subject="",
                    digest=hashlib.sha256(example["image"].numpy()).digest(),
                )
            )
    if damaged:
        findings.append(Finding("shard", len(damaged), "error", damaged[:_EXAMPLES]))
    return _report(manifest["dataset"], rows, findings + check_rows(rows))


def _shard_problem(path, expected):
    try:
        found = sha256(path)
    except OSError as error:
        return f"{path}: {error.strerror}"
    if found != expected:
        return f"{path}: its bytes are not the ones that were written"
    return None


def check_counts(rows: Iterable[Row], published) -> list[Finding]:
    """Examples a split against what the owner publishes."""
    if published is None:
        return []
    counts = Counter(row.split for row in rows)
    wrong = [
        f"{split}: {counts[split]:,} here, {number:,} published"
        for split, number in published.items()
        if counts[split] != number
    ]
    return [Finding("count", len(wrong), "error", wrong)] if wrong else []


def check_rows(rows: Iterable[Row]) -> list[Finding]:
    """Identical pictures, leaks across splits, conflicting labels."""
    groups = defaultdict(list)
    for row in rows:
        groups[row.digest].append(row)
    groups = [group for group in groups.values() if len(group) > 1]
    findings = []
    for kind, matches in (
        ("duplicate", groups),
        ("cross_split", [g for g in groups if len({r.split for r in g}) > 1]),
        ("label_conflict", [g for g in groups if len({r.label for r in g}) > 1]),
    ):
        if matches:
            examples = [_in_words(group) for group in matches[:_EXAMPLES]]
            findings.append(Finding(kind, len(matches), "warning", examples))
    return findings + _subject_leaks(rows)


def _subject_leaks(rows):
    splits = defaultdict(set)
    for row in rows:
        if row.subject:
            splits[row.subject].add(row.split)
    leaks = [f"{s} in {', '.join(sorted(w))}" for s, w in splits.items() if len(w) > 1]
    if not leaks:
        return []
    return [Finding("subject_leak", len(leaks), "error", sorted(leaks)[:_EXAMPLES])]


def _in_words(group):
    """The group's members that differ in split or label come first."""
    kinds = {(row.split, row.label): row for row in reversed(group)}
    shown = list(kinds.values())[::-1]
    shown += [row for row in group if row not in shown]
    text = " = ".join(f"{row.name} ({row.split}, {row.label})" for row in shown[:4])
    return text + (f" and {len(group) - 4} more" if len(group) > 4 else "")


def _report(dataset, rows, findings):
    if not rows:
        raise DataError(f"{dataset}: no picture can be read here")
    counts = defaultdict(Counter)
    for row in rows:
        counts[row.split][row.label] += 1
    return {
        "dataset": dataset,
        "ok": not any(finding.severity == "error" for finding in findings),
        "findings": [dataclasses.asdict(finding) for finding in findings],
        "counts": {split: dict(sorted(c.items())) for split, c in counts.items()},
    }


def _digest(image: np.ndarray) -> bytes:
    shape = repr(image.shape).encode()
    return hashlib.sha256(shape + np.ascontiguousarray(image).tobytes()).digest()
