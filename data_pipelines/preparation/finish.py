"""The finished chunks of a preparation -> its shards and manifest."""

import contextlib
import itertools
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from data_pipelines.preparation.chunks import Chunk
from data_pipelines.sources.sample import SPLITS
from data_pipelines.storage import manifests, npz
from fer_tf.utils import atomic
from fer_tf.utils.hashing import sha256


def class_counts(summaries: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """`{split: {class: count}}` of the splits that have examples."""
    counts = {}
    for split in SPLITS:
        total = sum((Counter(s["counts"][split]) for s in summaries), Counter())
        if total:
            counts[split] = dict(sorted(total.items()))
    return counts


def remove_empty(chunks: Sequence[Chunk], counts: Mapping[str, Any]) -> None:
    """Removes the shards of splits that turned out to have no example."""
    for split in SPLITS:
        if split not in counts:
            for chunk in chunks:
                with contextlib.suppress(FileNotFoundError):
                    os.remove(chunk.shard(split))


def manifest_of(
    chunks: Sequence[Chunk],
    summaries: Sequence[Mapping[str, Any]],
    rejects: Sequence[Mapping[str, str]],
    plan: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest; joins the parts of each file first.

    Args:
        chunks: All of the work, with an example at least.
        summaries: What each chunk's `run` returned.
        rejects: Rows that were not used, `{"path", "reason"}`.
        plan: From `preparation.plan.describe`.
    """
    counts = class_counts(summaries)
    source, cropping = chunks[0].source, chunks[0].cropping
    join = _join_npz if plan["format"] == "npz" else _list_shards
    return {
        "schema_version": manifests.SCHEMA_VERSION,
        "format": plan["format"],
        "dataset": source.name,
        "num_examples": sum(sum(split.values()) for split in counts.values()),
        "counts": counts,
        "rejects": rejects,
        "cropped": dict(sum((Counter(s["cropped"]) for s in summaries), Counter())),
        "crop_spec": cropping.crop_spec.to_dict(),
        "source": {"layout": source.layout, "sha256": source.fingerprint},
        "action_units": list(source.action_units),
        "expressions": list(source.expressions),
        "votes": source.has_votes,
        "derived": list(source.derived),
        "num_landmarks": source.num_landmarks,
        "with_landmarks": sum(s.get("with_landmarks", 0) for s in summaries),
        # So that the folds stay the owner's when somebody has no usable picture.
        "fold_subjects": list(source.fold_subjects),
        "shards": join(chunks, summaries, counts),
        "plan": plan,
    }


def _list_shards(chunks, summaries, counts):
    remove_empty(chunks, counts)
    if chunks[0].shards < len(chunks):
        return _join_records(chunks, summaries, counts)
    return [
        _shard(
            chunk.shard(split),
            sum(summary["counts"][split].values()),
            summary["sha256"][split],
        )
        for split in counts
        for chunk, summary in zip(chunks, summaries)
    ]


def _join_records(chunks, summaries, counts):
    """Joins the chunks' records, which follow each other in a file, in order."""
    written, shards = [], chunks[0].shards
    ends = [len(chunks) * number // shards for number in range(shards + 1)]
    for split in counts:
        for number, (begin, end) in enumerate(itertools.pairwise(ends)):
            name = f"{chunks[0].source.name}-{split}.tfrecord"
            name += f"-{number:05d}-of-{shards:05d}"
            path = os.path.join(chunks[0].output, name)
            with atomic.replacing(path) as temporary, open(temporary, "wb") as file:
                for chunk in chunks[begin:end]:
                    with open(chunk.shard(split), "rb") as part:
                        shutil.copyfileobj(part, file)
            total = sum(sum(s["counts"][split].values()) for s in summaries[begin:end])
            written.append(_shard(path, total, sha256(path)))
    return written


def _join_npz(chunks, summaries, counts):
    """Joins the chunks' parts of each split to one npz."""
    written = []
    for split in counts:
        parts = [
            chunk.shard(split)
            for chunk, summary in zip(chunks, summaries)
            if summary["counts"][split]
        ]
        path = os.path.join(chunks[0].output, f"{chunks[0].source.name}-{split}.npz")
        npz.merge(parts, path)
        written.append(_shard(path, sum(counts[split].values()), sha256(path)))
    return written


def _shard(path, num_examples, digest):
    name = os.path.basename(path)
    return {"name": name, "num_examples": num_examples, "sha256": digest}
