"""Honest numbers: every example of a split once, through the shipped graph."""

import collections
import json
import os
from collections.abc import Iterable, Iterator

import keras
import numpy as np
import tensorflow as tf

from fer_tf import labels, scores
from fer_tf.model_io.views import require_finite
from fer_tf.scores import bootstrap, table
from fer_tf.utils import atomic
from fer_tf.utils.backend import require_tensorflow

# Tasks a model may have, and the features that they are scored against.
_LABELS = ("expression", "valence_arousal", "action_units", "is_face")
# Who is shown, and what the owner says of them.
_ORIGIN = ("sample_id", "subject", "video", "groups")


class Evaluator:
    """Runs an inference model over a split and scores what it says.

    Args:
        model: From `fer_tf.model_io.views.make_inference_model`. The graph is traced
            once; it sees the weights as they are when it is called.
        action_units: Names of the action units that the data is labelled with.
    """

    def __init__(self, model: keras.Model, action_units: tuple[str, ...]):
        require_tensorflow("evaluation")
        self.model, self.action_units = model, action_units
        self._call = tf.function(lambda images: model(images, training=False))

    def outputs(self, batches) -> dict[str, np.ndarray]:
        """Outputs and labels of all real rows, in order, as arrays.

        Raises:
            FloatingPointError: If the model says NaN or infinity.
        """
        columns = {}
        for batch in batches:
            rows = batch["mask"].numpy() > 0
            found = {k: v.numpy()[rows] for k, v in self._call(batch["image"]).items()}
            labelled = {k: np.asarray(v)[rows] for k, v in self._labels(batch).items()}
            require_finite(found, labelled["sample_id"])
            for name, value in {**labelled, **found}.items():
                columns.setdefault(name, []).append(value)
        return {name: np.concatenate(parts) for name, parts in columns.items()}

    def scores(self, batches) -> dict[str, float]:
        """Every metric of the tasks that the model has, by name."""
        return score(self.outputs(batches))

    def _labels(self, batch):
        outputs = self.model.output
        names = [name for name in _LABELS if name in outputs]
        if "valence" in outputs or "arousal" in outputs:
            names.append("valence_arousal")
        true = {f"true_{name}": batch[name] for name in names}
        origin = {name: batch[name] for name in _ORIGIN if name in batch}
        weights = {f"{name}_weight": batch[f"{name}_weight"] for name in names}
        if "expression" in names:
            # As in training, a class that the model does not have is no label.
            known = batch["expression"] < outputs["expression"].shape[-1]
            weights["expression_weight"] *= tf.cast(known, tf.float32)
        if "action_units" in names:
            # A row each, as all else: what is cut from the columns keeps its names.
            shape = batch["action_units"].shape
            named = np.array(self.action_units, "S")
            origin["action_unit_names"] = np.broadcast_to(named, shape)
        return {**true, **origin, **weights}


def save_outputs(path: str, columns: dict[str, np.ndarray]) -> None:
    """Writes what `Evaluator.outputs` gives to an npz, whole or not at all."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Text comes as objects, which an npz would hold as pickles.
    plain = {k: v.astype(bytes) if v.dtype == object else v for k, v in columns.items()}
    with atomic.replacing(path) as temporary:
        np.savez_compressed(temporary, **plain)


def load_outputs(path: str) -> dict[str, np.ndarray]:
    """Reads what `save_outputs` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def score(columns: dict[str, np.ndarray]) -> dict[str, float]:
    """Metrics of the arrays that `Evaluator.outputs` gives."""
    found = {}
    for family, _ in families(columns):
        found |= family.values()
    return found


def scalars(found: dict) -> dict[str, float]:
    """The metrics that are single numbers."""
    return {name: float(v) for name, v in found.items() if np.ndim(v) == 0}


def intervals(columns: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """95 % bootstrap intervals of the metrics, `{name: [low, high]}`.

    Faces of one person, or else of one video, are resampled together. Calibration
    errors have none; a share of exactly 0 or 1, which every resample repeats, has
    Clopper and Pearson's over the resampled people.
    """
    return intervals_of(families(columns), independent_units(columns)[0])


def intervals_of(scored: Iterable, units: np.ndarray) -> dict[str, list[float]]:
    """The same of scores as `families` gives them, and of labels of the units."""
    found = {}
    for family, given in scored:
        values, count = family.values(), len(np.unique(units[given]))
        for name, (low, high) in bootstrap.intervals(family, units[given]).items():
            if np.ndim(low):  # A confusion matrix.
                continue
            kind = scores.metric_of(name).interval
            if kind == table.NONE:
                continue
            if kind == table.SHARE and values[name] in (0.0, 1.0):
                beyond = ((1 - bootstrap.LEVEL) / 2) ** (1 / count)
                low, high = (beyond, 1.0) if values[name] else (0.0, 1 - beyond)
            found[name] = [low, high]
    return found


def independent_units(columns: dict[str, np.ndarray]) -> tuple[np.ndarray, str]:
    """What of a set is independent: `(n,)` labels, and what they are, in words.

    Of each row that is the subject where it is known, else the video, else the row:
    of a set of people and one of videos, merged, "subject or video".
    """
    ids = _distinct(columns["sample_id"])
    units, kinds = np.char.add(b"example ", ids), np.full(len(ids), "example")
    for name in ("video", "subject"):
        if name in columns:
            known = columns[name] != b""
            # A person and a picture of the same name are two units.
            named = np.char.add(f"{name} ".encode(), columns[name].astype(bytes))
            units, kinds = np.where(known, named, units), np.where(known, name, kinds)
    present = [k for k in ("subject", "video", "example") if (kinds == k).any()]
    return units, " or ".join(present)


def _distinct(ids):
    """Ids as bytes; one that comes again, as of two merged sets, with a number."""
    seen, names = collections.Counter(), []
    for name in ids.astype(bytes).tolist():
        seen[name] += 1
        names.append(name if seen[name] == 1 else b"%s %d" % (name, seen[name]))
    return np.array(names)


def by_group(columns: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Rows of each group of people, `{attribute: {value: bool (n,)}}`.

    Attributes are what the owner annotates (gender, age, ...). Rows that lack one
    which others have are its value "not annotated".
    """
    if "groups" not in columns:
        return {}
    texts, place = np.unique(columns["groups"], return_inverse=True)
    annotated = [json.loads(text) if text else {} for text in texts.tolist()]
    found = {}
    for attribute in sorted({name for groups in annotated for name in groups}):
        values = np.array([g.get(attribute, "not annotated") for g in annotated])
        rows = values[place]
        found[attribute] = {str(v): rows == v for v in np.unique(rows)}
    return found


def action_unit_names(columns: dict[str, np.ndarray]) -> list[str]:
    """Names of the action units in columns that have some."""
    if "action_unit_names" not in columns:  # As of outputs kept before they had them.
        return list(labels.action_unit_names(columns["action_units"].shape[1]))
    return columns["action_unit_names"][0].astype(str).tolist()


def families(columns: dict[str, np.ndarray]) -> Iterator:
    """Yields each task's `SumScores`, and bool `(n,)`: which rows they are over."""
    for task, prefix in (("expression", ""), ("is_face", table.FACE)):
        if task in columns and (given := columns[f"{task}_weight"] > 0).any():
            logits = columns[task][given]
            family = scores.classification_sums(
                columns[f"true_{task}"][given],
                logits,
                logits.shape[-1],
                prefix=prefix,
            )
            yield family, given
    given = columns.get("valence_arousal_weight", np.zeros(0)) > 0
    if given.any():
        true = columns["true_valence_arousal"][given]
        if "valence_arousal" in columns:
            guess = columns["valence_arousal"][given]
            yield scores.dimensional_sums(true, guess), given
        for index, name in enumerate(("valence", "arousal")):
            # 2Att-CNN's networks, of one dimension each.
            if name in columns:
                guess = columns[name][given][:, 0]
                yield scores.dimension_sums(true[:, index], guess, name), given
    if "action_units" in columns:
        given = columns["action_units_weight"].max(axis=1) > 0
        if given.any():
            family = scores.action_unit_sums(
                columns["true_action_units"][given],
                columns["action_units"][given],
                columns["action_units_weight"][given],
                action_unit_names(columns),
            )
            yield family, given
