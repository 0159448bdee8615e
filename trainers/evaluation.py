"""Honest numbers: every example of a split once, through the shipped graph."""

import keras
import numpy as np
import tensorflow as tf

from fer_tf import scores

# Tasks a model may have, and the features that they are scored against.
_LABELS = ("expression", "valence_arousal", "action_units", "is_face")


class Evaluator:
    """Runs an inference model over a split and scores what it says.

    Args:
        model: From `fer_tf.inference.make_inference_model`. The graph is traced
            once; it sees the weights as they are when it is called.
    """

    def __init__(self, model: keras.Model):
        self.model = model
        self._call = tf.function(lambda images: model(images, training=False))

    def outputs(self, batches) -> dict[str, np.ndarray]:
        """Outputs and labels of all real rows, in order, as arrays."""
        columns = {}
        for batch in batches:
            rows = batch["mask"].numpy() > 0
            found = self._call(batch["image"])
            for name, value in {**self._labels(batch), **found}.items():
                columns.setdefault(name, []).append(np.asarray(value)[rows])
        return {name: np.concatenate(parts) for name, parts in columns.items()}

    def scores(self, batches) -> dict[str, float]:
        """Every metric of the tasks that the model has, by name."""
        return score(self.outputs(batches))

    def _labels(self, batch):
        outputs = self.model.output
        names = [name for name in _LABELS if name in outputs]
        if "valence" in outputs or "arousal" in outputs:
            names.append("valence_arousal")
        names = names + ["sample_id"]
        labels = {f"true_{n}": batch[n] for n in names}
        weights = {
            f"{n}_weight": batch[f"{n}_weight"] for n in names if n != "sample_id"
        }
        return {**labels, **weights}


def score(columns: dict[str, np.ndarray]) -> dict[str, float]:
    """Metrics of the arrays that `Evaluator.outputs` gives."""
    found = {}
    for task in ("expression", "is_face"):
        if task in columns:
            given = columns[f"{task}_weight"] > 0
            prefix = "" if task == "expression" else "face_"
            if given.any():
                measured = scores.classification_scores(
                    columns[f"true_{task}"][given],
                    columns[task][given],
                    columns[task].shape[-1],
                )
                found |= {f"{prefix}{k}": v for k, v in measured.items()}
    if "valence_arousal" in columns:
        given = columns["valence_arousal_weight"] > 0
        if given.any():
            found |= scores.dimensional_scores(
                columns["true_valence_arousal"][given],
                columns["valence_arousal"][given],
            )
    for index, name in enumerate(("valence", "arousal")):
        # 2Att-CNN's networks, of one dimension each.
        if name in columns and (given := columns["valence_arousal_weight"] > 0).any():
            true = columns["true_valence_arousal"][given]
            pair = true.copy()
            pair[:, index] = columns[name][given][:, 0]
            both = scores.dimensional_scores(true, pair)
            found |= {k: v for k, v in both.items() if k.endswith(name)}
    if "action_units" in columns and columns["action_units_weight"].any():
        found |= scores.action_unit_scores(
            columns["true_action_units"],
            columns["action_units"],
            columns["action_units_weight"],
        )
    return found


def scalars(found: dict) -> dict[str, float]:
    """The metrics that are single numbers."""
    return {name: float(v) for name, v in found.items() if np.ndim(v) == 0}
