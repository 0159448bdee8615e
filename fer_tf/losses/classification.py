"""Cross-entropies: expressions (softmax) and action units (sigmoid)."""

import keras
from keras import ops

from fer_tf.arguments import require_one_of
from fer_tf.losses.reduction import MaskedLoss, split_weights


def cross_entropy(labels, logits, *, label_smoothing=0.0):
    """Softmax cross-entropy (Zhang Eq. 1, Gan Eq. 7), not reduced.

    A label outside `[0, num_classes)` has no class and costs
    `label_smoothing`'s share only; records are checked when they are written.

    Args:
        labels: int `(batch,)`.
        logits: `(batch, num_classes)`.
        label_smoothing: Mass moved to the uniform distribution, in [0, 1).

    Returns:
        float32 `(batch,)`.

    Example:
        >>> values = cross_entropy(np.array([0, 1]), np.array([[9.0, 0.0], [0.0, 0.0]]))
        >>> print(values.numpy().round(2))
        [0.   0.69]
    """
    num_classes = logits.shape[-1]
    labels = ops.reshape(ops.cast(labels, "int32"), ops.shape(logits)[:-1])
    # Not `ops.one_hot`, which PyTorch refuses for a label above the classes.
    targets = ops.expand_dims(labels, -1) == ops.arange(num_classes, dtype="int32")
    targets = ops.cast(targets, "float32")
    if label_smoothing:
        targets = targets * (1.0 - label_smoothing) + label_smoothing / num_classes
    return soft_cross_entropy(targets, logits)


def soft_cross_entropy(targets, logits):
    """Cross-entropy against a distribution over classes (FERPlus votes).

    Args:
        targets: `(batch, num_classes)`, each row summing to 1.
        logits: `(batch, num_classes)`.

    Returns:
        float32 `(batch,)`.

    Example:
        >>> values = soft_cross_entropy(np.array([[0.5, 0.5]]), np.array([[0.0, 0.0]]))
        >>> print(values.numpy().round(2))
        [0.69]
    """
    return ops.categorical_crossentropy(
        ops.cast(targets, "float32"), ops.cast(logits, "float32"), from_logits=True
    )


def action_unit_cross_entropy(labels, logits, weights=None, *, reduction="sum"):
    """Binary cross-entropy over action units (Zhang Eq. 2), per example.

    Args:
        labels: `(batch, units)` of 0 and 1.
        logits: `(batch, units)`.
        weights: validity, `(batch, units)` or `(batch,)`; None for all valid.
        reduction: "sum" over the units, as Eq. 2 prints it, or "mean" over the
            valid ones, which is what PyTorch's default would compute (1/8).

    Returns:
        float32 `(batch,)`; 0 where no unit is valid.

    Raises:
        ValueError: If `reduction` is neither.

    Example:
        >>> units, logits = np.array([[1, 0, 1]]), np.zeros((1, 3))
        >>> print(action_unit_cross_entropy(units, logits).numpy().round(2))
        [2.08]
    """
    require_one_of(("sum", "mean"), reduction=reduction)
    logits, labels = ops.cast(logits, "float32"), ops.cast(labels, "float32")
    weights = ops.ones_like(logits) if weights is None else weights
    weights = ops.cast(weights, "float32")
    if len(weights.shape) == 1:
        weights = ops.expand_dims(weights, -1)
    weights = weights * ops.ones_like(logits)
    # A unit that is not annotated may be NaN, and 0 times that would be, too.
    labels = ops.where(weights > 0, labels, 0.0)
    values = ops.binary_crossentropy(labels, logits, from_logits=True)
    total = ops.sum(values * weights, axis=-1)
    if reduction == "sum":
        return total
    return ops.divide_no_nan(total, ops.sum(weights, axis=-1))


@keras.saving.register_keras_serializable(package="fer_tf")
class CrossEntropy(MaskedLoss):
    """`cross_entropy` for `model.compile`; `sample_weight` is the validity.

    Example:
        >>> loss = CrossEntropy()
        >>> labels, logits = np.array([0, 1]), np.array([[0.0, 0.0], [9.0, 0.0]])
        >>> print(f"{loss(labels, logits, sample_weight=np.array([1, 0])):.2f}")
        0.69
    """

    def __init__(self, *, label_smoothing=0.0, name="cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        return cross_entropy(y_true, y_pred, label_smoothing=self.label_smoothing)

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable(package="fer_tf")
class ActionUnitCrossEntropy(MaskedLoss):
    """`action_unit_cross_entropy` for `model.compile`.

    `sample_weight` is `(batch,)` or, for units annotated one by one,
    `(batch, units)`; the batch mean is over rows with any valid unit.

    Args:
        over_units: "sum" or "mean", the function's `reduction`.

    Example:
        >>> loss = ActionUnitCrossEntropy()
        >>> units, logits = np.array([[1, 0], [0, 1]]), np.zeros((2, 2))
        >>> annotated = np.array([[1, 0], [0, 0]])
        >>> print(f"{loss(units, logits, sample_weight=annotated):.2f}")
        0.69
    """

    def __init__(self, *, over_units="sum", name="action_unit_cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.over_units = over_units

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None and len(sample_weight.shape) == 2:
            sample_weight = ops.cast(sample_weight, "float32")
            valid = ops.cast(ops.any(sample_weight > 0, axis=-1), "float32")
            return super().__call__((y_true, sample_weight), y_pred, valid)
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true, y_pred):
        labels, weights = split_weights(y_true)
        return action_unit_cross_entropy(
            labels, y_pred, weights, reduction=self.over_units
        )

    def get_config(self):
        return {**super().get_config(), "over_units": self.over_units}
