"""Metrics of action units: each a binary detection, absent annotations masked."""

import keras
from keras import ops


class _ActionUnitMetric(keras.metrics.Metric):
    """Counts the four outcomes of each unit.

    `update_state` takes labels of 0 and 1 and logits, both `(batch, units)`; a
    unit is detected when its logit is positive (probability over 0.5).
    `sample_weight` is the validity, of rows or of elements.

    Args:
        num_action_units: Number of units.
        name: Metric name.
    """

    def __init__(self, num_action_units, *, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.num_action_units = num_action_units
        # Rows: true positives, false positives, false negatives, true negatives.
        self.outcomes = self.add_variable(
            (4, num_action_units), "zeros", dtype="float32", name="outcomes"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        true = ops.cast(y_true, "float32")
        guess = ops.cast(y_pred > 0, "float32")
        weights = ops.ones_like(true)
        if sample_weight is not None:
            given = ops.cast(sample_weight, "float32")
            if len(given.shape) == 1:
                given = ops.expand_dims(given, -1)
            weights = weights * given
        outcomes = (
            true * guess,
            (1.0 - true) * guess,
            true * (1.0 - guess),
            (1.0 - true) * (1.0 - guess),
        )
        self.outcomes.assign_add(ops.stack([ops.sum(weights * o, 0) for o in outcomes]))

    def _f1(self):
        hits, false_alarms, misses = (self.outcomes[i] for i in range(3))
        return ops.divide_no_nan(2.0 * hits, 2.0 * hits + false_alarms + misses)

    def _mean_f1(self):
        annotated = ops.cast(ops.sum(self.outcomes, axis=0) > 0, "float32")
        return ops.divide_no_nan(ops.sum(self._f1()), ops.sum(annotated))

    def _accuracy(self):
        right = ops.sum(self.outcomes[0]) + ops.sum(self.outcomes[3])
        return ops.divide_no_nan(right, ops.sum(self.outcomes))

    def get_config(self):
        return {**super().get_config(), "num_action_units": self.num_action_units}


@keras.saving.register_keras_serializable(package="fer_tf")
class ActionUnitF1(_ActionUnitMetric):
    """Mean binary F1 over annotated units, or one unit's; 0 if it never occurs.

    Args:
        num_action_units: Number of units.
        index: The unit measured; None for the mean, Zhang's number.
        name: Metric name.
    """

    def __init__(self, num_action_units, *, index=None, name="au_f1", **kwargs):
        super().__init__(num_action_units, name=name, **kwargs)
        self.index = index

    def result(self):
        return self._mean_f1() if self.index is None else self._f1()[self.index]

    def get_config(self):
        return {**super().get_config(), "index": self.index}


@keras.saving.register_keras_serializable(package="fer_tf")
class ActionUnitAccuracy(_ActionUnitMetric):
    """Share of all valid (frame, unit) decisions that are right."""

    def __init__(self, num_action_units, *, name="au_accuracy", **kwargs):
        super().__init__(num_action_units, name=name, **kwargs)

    def result(self):
        return self._accuracy()


@keras.saving.register_keras_serializable(package="fer_tf")
class ActionUnitScore(_ActionUnitMetric):
    """ABAW-2020's score, `0.5 mean F1 + 0.5 accuracy`; not Zhang's plain F1."""

    def __init__(self, num_action_units, *, name="au_score", **kwargs):
        super().__init__(num_action_units, name=name, **kwargs)

    def result(self):
        return 0.5 * self._mean_f1() + 0.5 * self._accuracy()
