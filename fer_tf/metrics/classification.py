"""Metrics of expressions, by the formulas of `fer_tf.scores`."""

import keras
from keras import ops

from fer_tf.scores import table


class _ConfusionMetric(keras.metrics.Metric):
    """A metric of the confusion matrix, rows true and columns predicted.

    `update_state` takes int labels `(batch,)` and logits `(batch, classes)`;
    `sample_weight` is the validity. A label outside `[0, num_classes)` is not
    counted.

    Args:
        num_classes: Number of classes.
        name: Metric name.
    """

    # Of a subclass: from the sums, and what it is called.
    formula = default_name = None

    def __init__(self, num_classes, *, name=None, **kwargs):
        super().__init__(name=name or self.default_name, **kwargs)
        self.num_classes = num_classes
        # Counts in float32 are exact up to 2^24 examples a cell.
        self.confusion = self.add_variable(
            (num_classes, num_classes), "zeros", dtype="float32", name="confusion"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        # Not `ops.one_hot`, which PyTorch refuses for a label above the classes.
        classes = ops.arange(self.num_classes, dtype="int32")
        true = ops.cast(ops.expand_dims(y_true, -1) == classes, "float32")
        if sample_weight is not None:
            weights = ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))
            true = true * weights
        guessed = ops.one_hot(
            ops.argmax(y_pred, axis=-1), self.num_classes, dtype="float32"
        )
        self.confusion.assign_add(ops.matmul(ops.transpose(true), guessed))

    def result(self):
        confusion = ops.convert_to_tensor(self.confusion)
        sums = table.ClassSums(count=ops.sum(confusion), confusion=confusion)
        return type(self).formula(sums, ops)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


@keras.saving.register_keras_serializable(package="fer_tf")
class ConfusionMatrix(_ConfusionMetric):
    """Weighted counts `(classes, classes)`, rows true, columns predicted."""

    default_name = "confusion_matrix"

    def result(self):
        return ops.copy(self.confusion)


@keras.saving.register_keras_serializable(package="fer_tf")
class Accuracy(_ConfusionMetric):
    """Share of valid examples that are right.

    >>> metric = Accuracy(2)
    >>> metric.update_state([0, 1], [[2.0, 0.0], [3.0, 0.0]])
    >>> float(metric.result())
    0.5
    """

    formula = staticmethod(table.accuracy)
    default_name = "accuracy"


@keras.saving.register_keras_serializable(package="fer_tf")
class MeanClassAccuracy(_ConfusionMetric):
    """Mean recall over the classes that occur."""

    formula = staticmethod(table.mean_class_accuracy)
    default_name = "mean_class_accuracy"


@keras.saving.register_keras_serializable(package="fer_tf")
class MacroF1(_ConfusionMetric):
    """Mean F1 over all `num_classes` classes; 0 for one that never occurs."""

    formula = staticmethod(table.macro_f1)
    default_name = "macro_f1"


@keras.saving.register_keras_serializable(package="fer_tf")
class ExpressionScore(_ConfusionMetric):
    """ABAW-2020's expression score, `0.67 macro F1 + 0.33 accuracy`.

    The baseline's row of Zhang's Table I is in this unit; the paper's own
    rows are plain F1, so the two do not compare.
    """

    formula = staticmethod(table.expression_score)
    default_name = "expression_score"


@keras.saving.register_keras_serializable(package="fer_tf")
class ExpectedCalibrationError(keras.metrics.Metric):
    """Mean gap between confidence and accuracy, over bins of confidence.

    Takes what the other metrics here take. The bins are `(i/n, (i+1)/n]`, as in
    Guo et al., 2017.

    Args:
        num_bins: Number of bins.
        name: Metric name.
    """

    def __init__(self, num_bins=15, *, name="ece", **kwargs):
        super().__init__(name=name, **kwargs)
        self.num_bins = num_bins
        # Rows: examples, mean confidence, mean hit rate.
        self.bins = self.add_variable(
            (3, num_bins), "zeros", dtype="float32", name="bins"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        probabilities = ops.softmax(ops.cast(y_pred, "float32"), axis=-1)
        confidence = ops.max(probabilities, axis=-1)
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        guess = ops.cast(ops.argmax(probabilities, axis=-1), "int32")
        hit = ops.cast(ops.equal(guess, labels), "float32")
        known = ops.logical_and(labels >= 0, labels < y_pred.shape[-1])
        weights = ops.cast(known, "float32")
        if sample_weight is not None:
            row_weights = ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
            weights = weights * row_weights
        place = ops.cast(ops.ceil(confidence * self.num_bins), "int32") - 1
        place = ops.clip(place, 0, self.num_bins - 1)
        members = ops.one_hot(place, self.num_bins, dtype="float32")
        rows = ops.stack([weights, weights * confidence, weights * hit])
        added = ops.matmul(rows, members)
        # Running means: sums of confidences would lose digits over an epoch.
        total = self.bins[0] + added[0]
        keep = ops.divide_no_nan(self.bins[0], total)
        means = self.bins[1:] * keep + ops.divide_no_nan(added[1:], total)
        self.bins.assign(ops.concatenate([total[None], means]))

    def result(self):
        counts, confidence, hits = (self.bins[i] for i in range(3))
        gaps = counts * (confidence - hits)
        return table.calibration_error(
            table.ClassSums(count=ops.sum(counts), gaps=gaps), ops
        )

    def get_config(self):
        return {**super().get_config(), "num_bins": self.num_bins}
