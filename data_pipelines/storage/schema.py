"""What an example is: the names, types and shapes of its features, and their ranges.

Records (`data_pipelines.storage.records`) and npz files (`data_pipelines.storage.npz`)
hold the same. Whatever is read of either is checked here, whoever wrote it.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from data_pipelines.sources.errors import DataError

# What is annotated of a face as a whole, or not: its weight is one number. Of action
# units each has its own.
_ROW_WEIGHTED = ("expression", "valence_arousal", "is_face", "landmarks")
_TEXTS = ("sample_id", "subject", "video", "groups")


def features(manifest: Mapping[str, Any]) -> dict[str, tuple[type, tuple[int, ...]]]:
    """Type and shape of every feature of an example but its picture, by name."""
    units = (len(manifest["action_units"]),)
    kinds = {
        **{name: (np.bytes_, ()) for name in _TEXTS},
        "key": (np.int64, ()),
        "frame": (np.int64, ()),
        "expression": (np.int64, ()),
        "valence_arousal": (np.float32, (2,)),
        "action_units": (np.float32, units),
        "action_units_weight": (np.float32, units),
        "is_face": (np.int64, ()),
        "landmarks": (np.float32, (manifest["num_landmarks"], 2)),
        **{f"{task}_weight": (np.float32, ()) for task in _ROW_WEIGHTED},
    }
    if manifest["votes"]:
        kinds["votes"] = (np.float32, (len(manifest["expressions"]),))
    return kinds


def check(
    columns: Mapping[str, np.ndarray],
    manifest: Mapping[str, Any],
    path: str,
    first: int = 0,
) -> None:
    """Refuses labels, weights and texts that cannot be.

    Args:
        columns: Of some examples of a file, of the types and shapes of `features`.
        manifest: Of their folder.
        path: Of the file, for the message.
        first: Number of the first of the examples in the file.

    Raises:
        DataError: If there is one; the message names the feature and the example.
    """
    for name, (words, fits) in _rules(manifest).items():
        fit = fits(columns[name]).reshape(len(columns[name]), -1).all(axis=1)
        if not fit.all():
            row = int(np.argmin(fit))
            value = str(columns[name][row].tolist())[:60]
            raise DataError(
                f"{path}: {name} must be {words}, is {value} in example {first + row}"
            )
    for name in _TEXTS:
        for text in np.unique(columns[name]).tolist():
            if fault := _fault_of_text(name, text):
                raise DataError(f"{path}: {name} {fault} in an example: {text[:60]!r}")


def count_classes(
    columns: Mapping[str, np.ndarray], manifest: Mapping[str, Any]
) -> Counter:
    """How many examples there are of each class, named as a manifest counts them."""
    names = [*manifest["expressions"], "nonface", "face", "unlabelled"]
    known = len(manifest["expressions"])
    face = np.where(columns["is_face_weight"] > 0, columns["is_face"], 2)
    named = columns["expression_weight"] > 0
    places = np.where(named, columns["expression"], known + face)
    counts = np.bincount(places, minlength=len(names)).tolist()
    return Counter({name: count for name, count in zip(names, counts) if count})


def _rules(manifest):
    """Feature -> what its numbers must be in words, and which of them are."""
    classes = len(manifest["expressions"])
    binary = ("0 or 1", lambda x: (x == 0) | (x == 1))
    weights = [f"{task}_weight" for task in (*_ROW_WEIGHTED, "action_units")]
    rules = {
        **dict.fromkeys((*weights, "action_units", "is_face"), binary),
        "expression": (f"0 to {classes - 1}", lambda x: (x >= 0) & (x < classes)),
        "valence_arousal": ("in [-1, 1]", lambda x: np.abs(x) <= 1),
        "landmarks": ("finite", np.isfinite),
        "key": ("of 32 bits", lambda x: (x >= 0) & (x < 2**32)),
        "frame": ("at least -1", lambda x: x >= -1),
    }
    if manifest["votes"]:
        rules["votes"] = ("shares that sum to 1", _are_shares)
    return rules


def _are_shares(votes):
    with np.errstate(invalid="ignore"):
        total = votes.sum(axis=1, keepdims=True, dtype=np.float64)
        return (votes >= 0) & (np.abs(total - 1) < 1e-3)


def _fault_of_text(name, text):
    try:
        words = text.decode()
    except UnicodeDecodeError:
        return "is not UTF-8"
    if name == "sample_id" and not words:
        return "is empty"
    if name == "groups" and words:
        try:
            groups = json.loads(words)
        except (ValueError, RecursionError):
            return "is not JSON"
        if not isinstance(groups, dict) or not all(
            type(value) is str for value in groups.values()
        ):
            return "is no dict of texts"
    return None
