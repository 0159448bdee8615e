"""From per-example losses to one number, over valid rows only."""

import keras
from keras import ops


def masked_mean(values, weights=None):
    """Weighted mean of per-example values; 0 if no row is valid.

    Args:
        values: `(batch,)` losses.
        weights: `(batch,)` validity, 0 or 1 (other weights average as such);
            None for all valid.

    Returns:
        float32 scalar. A row of weight 0 changes neither it nor its gradient.

    Example:
        >>> print(masked_mean(np.array([1.0, 3.0, 50.0]), np.array([1, 1, 0])).numpy())
        2.0
    """
    values = ops.cast(values, "float32")
    if weights is None:
        return ops.mean(values)
    weights = ops.cast(weights, "float32")
    # Selected before the product: a masked row's overflow would be 0 * inf.
    values = ops.where(weights > 0, values, 0.0)
    return ops.divide_no_nan(ops.sum(values * weights), ops.sum(weights))


class MaskedLoss(keras.losses.Loss):
    """A `keras.losses.Loss` whose `sample_weight` says which rows are valid.

    The mean is over valid rows (0 if there are none), not over the batch, and
    the arithmetic is float32 under every dtype policy.
    """

    def __init__(
        self, *, reduction="mean_with_sample_weight", name=None, dtype="float32"
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def __call__(self, y_true, y_pred, sample_weight=None):
        shape = tuple(getattr(sample_weight, "shape", ()))
        if len(shape) > 1 and shape[1:] != (1,):
            # Keras would weigh `(batch,)` losses by it, wrong without a word where
            # a batch has as many rows as columns.
            raise ValueError(
                f"`sample_weight` of {self.name} must be (batch,). Received: shape "
                f"{shape}."
            )
        if sample_weight is not None:
            y_true, y_pred = keras.tree.map_structure(
                lambda rows: _valid_rows(rows, sample_weight), (y_true, y_pred)
            )
        return super().__call__(y_true, y_pred, sample_weight)


def _valid_rows(rows, weights):
    """Rows of weight 0 as zeros: 0 times their NaN would be NaN, gradient and all."""
    rows = ops.convert_to_tensor(rows)
    valid = ops.reshape(ops.cast(weights, "float32") > 0, (-1,))
    valid = ops.reshape(valid, (-1, *[1] * (len(rows.shape) - 1)))
    return ops.where(valid, rows, ops.zeros_like(rows))


def split_weights(y_true):
    """Undoes `(y_true, weights)`, how weights reach a loss's `call`."""
    return y_true if isinstance(y_true, (tuple, list)) else (y_true, None)
