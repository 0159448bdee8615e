"""Metrics of action units: each a binary detection, absent annotations masked."""

import keras
from keras import ops

from fer_tf.scores import table


class _ActionUnitMetric(keras.metrics.Metric):
    """Counts the outcomes of each unit.

    `update_state` takes labels of 0 and 1 and logits, both `(batch, units)`; a
    unit is detected when its logit is positive (probability over 0.5).
    `sample_weight` is the validity, of rows or of elements.

    Args:
        num_action_units: Number of units.
        name: Metric name.
    """

    # Of a subclass: from the sums, and what it is called.
    formula = default_name = None

    def __init__(self, num_action_units, *, name=None, **kwargs):
        super().__init__(name=name or self.default_name, **kwargs)
        self.num_action_units = num_action_units
        # Rows as in `UnitSums`: hits, wrong, total.
        self.outcomes = self.add_variable(
            (3, num_action_units), "zeros", dtype="float32", name="outcomes"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        true = ops.cast(y_true, "float32")
        guess = ops.cast(y_pred > 0, "float32")
        weights = ops.ones_like(true)
        if sample_weight is not None:
            row_weights = ops.cast(sample_weight, "float32")
            if len(row_weights.shape) == 1:
                row_weights = ops.expand_dims(row_weights, -1)
            weights = weights * row_weights
        rows = (weights * true * guess, weights * ops.abs(true - guess), weights)
        self.outcomes.assign_add(ops.stack([ops.sum(row, axis=0) for row in rows]))

    def result(self):
        sums = table.UnitSums(*(self.outcomes[row] for row in range(3)))
        return type(self).formula(sums, ops)

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

    formula = staticmethod(table.mean_unit_f1)

    def __init__(self, num_action_units, *, index=None, name="au_f1", **kwargs):
        super().__init__(num_action_units, name=name, **kwargs)
        self.index = index

    def result(self):
        if self.index is None:
            return super().result()
        sums = table.UnitSums(*(self.outcomes[row] for row in range(3)))
        return table.unit_f1(sums, ops)[self.index]

    def get_config(self):
        return {**super().get_config(), "index": self.index}


@keras.saving.register_keras_serializable(package="fer_tf")
class ActionUnitAccuracy(_ActionUnitMetric):
    """Share of all valid (frame, unit) decisions that are right."""

    formula = staticmethod(table.unit_accuracy)
    default_name = "au_accuracy"


@keras.saving.register_keras_serializable(package="fer_tf")
class ActionUnitScore(_ActionUnitMetric):
    """ABAW-2020's score, `0.5 mean F1 + 0.5 accuracy`; not Zhang's plain F1."""

    formula = staticmethod(table.unit_score)
    default_name = "au_score"
