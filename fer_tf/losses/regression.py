"""Losses of continuous targets: valence and arousal, and region masks."""

import keras
from keras import ops

from fer_tf.arguments import require
from fer_tf.losses.reduction import MaskedLoss, split_weights

# Guards the CCC of a constant batch, whose denominator is 0.
_CCC_EPSILON = 1e-8
_MAD_FLOOR = 1e-3
# Makes the median absolute deviation of a Gaussian its standard deviation.
_MAD_TO_SIGMA = 1.4826


def _mean_over_outputs(values):
    return values if len(values.shape) == 1 else ops.mean(values, axis=-1)


def _aligned(targets, predictions):
    """Both in float32 and of one rank."""
    # `(batch,)` against `(batch, 1)` would broadcast to every pair of rows.
    targets = ops.cast(targets, "float32")
    predictions = ops.cast(predictions, "float32")
    ranks = len(targets.shape), len(predictions.shape)
    if ranks == (1, 2) and predictions.shape[-1] == 1:
        targets = ops.expand_dims(targets, -1)
    elif ranks == (2, 1) and targets.shape[-1] == 1:
        targets = ops.squeeze(targets, -1)
    elif ranks[0] != ranks[1]:
        raise ValueError(
            "`targets` and `predictions` must have one shape. "
            f"Received: {tuple(targets.shape)} and {tuple(predictions.shape)}."
        )
    return targets, predictions


def _like(weights, values):
    """Weights `(batch,)`, `(batch, d)` or None, as float32 shaped as values."""
    if weights is None:
        return ops.ones_like(values)
    weights = ops.cast(weights, "float32")
    if len(values.shape) == 1:
        weights = ops.reshape(weights, (-1,))
    elif len(weights.shape) == 1:
        weights = ops.expand_dims(weights, -1)
    return weights * ops.ones_like(values)


def squared_error(targets, predictions):
    """Squared error (Wang Eq. 5), averaged over outputs if there are several.

    Args:
        targets: `(batch,)` or `(batch, outputs)`.
        predictions: As `targets`.

    Returns:
        float32 `(batch,)`.

    Example:
        >>> squared_error(np.array([[0.5, 0.0]]), np.array([[0.0, 0.5]])).numpy()
        array([0.25], dtype=float32)
    """
    targets, predictions = _aligned(targets, predictions)
    residuals = predictions - targets
    return _mean_over_outputs(ops.square(residuals))


def _median(values, valid):
    """Median over the batch of the valid rows, per column; 0 if none."""
    count = ops.sum(ops.cast(valid, "int32"), axis=0, keepdims=True)
    largest = ops.sort(ops.where(valid, values, float("inf")), axis=0)
    lower = ops.take_along_axis(largest, ops.maximum(count - 1, 0) // 2, axis=0)
    upper = ops.take_along_axis(
        largest, ops.minimum(count // 2, ops.maximum(count - 1, 0)), axis=0
    )
    return ops.where(count > 0, (lower + upper) / 2.0, 0.0)


def _mad(residuals, weights):
    """Robust spread of each column's valid residuals, a constant to gradients."""
    residuals = ops.stop_gradient(residuals)
    valid = weights > 0
    deviations = ops.abs(residuals - _median(residuals, valid))
    mad = _MAD_TO_SIGMA * _median(deviations, valid)
    return ops.stop_gradient(ops.maximum(mad, _MAD_FLOOR))


def tukey_biweight(targets, predictions, weights=None, *, c=4.685, scale=1.0):
    """Tukey's biweight (Wang Eq. 6), averaged over outputs if there are several.

    `rho(r) = c^2/6 (1 - (1 - (r/c)^2)^3)` up to `|r| = c`, constant beyond.
    The paper, read literally, does not scale the residuals: on targets in
    [-1, 1] it is then nearly half the squared error. `scale="mad"` divides
    them by 1.4826 times their median absolute deviation over the batch, per
    output, as is usual (Belagiannis et al., ICCV 2015); outliers then have no
    gradient at all.

    Args:
        targets: `(batch,)` or `(batch, outputs)`.
        predictions: As `targets`.
        weights: `(batch,)` or `(batch, outputs)` validity. It selects the
            rows of the median only; what is returned is not weighted.
        c: Cut-off, in units of `scale`.
        scale: A positive number, or "mad".

    Returns:
        float32 `(batch,)`.

    Raises:
        ValueError: If `c` or `scale` is not positive, or not "mad".

    Example:
        >>> values = tukey_biweight(np.array([0.0, 0.0]), np.array([0.5, 9.0]))
        >>> print(values.numpy().round(2))
        [0.12 3.66]
    """
    require(c > 0, "be positive", c=c)
    if scale != "mad":
        positive = not isinstance(scale, str) and scale > 0
        require(positive, 'be positive, or "mad"', scale=scale)
    targets, predictions = _aligned(targets, predictions)
    residuals = predictions - targets
    if scale == "mad":
        columns = ops.reshape(residuals, (ops.shape(residuals)[0], -1))
        weights = _like(weights, residuals)
        scale = _mad(columns, ops.reshape(weights, ops.shape(columns)))
        residuals = ops.reshape(columns / scale, ops.shape(residuals))
    else:
        residuals = residuals / scale
    # Smooth at |r| = c, so neither `where` nor its NaN gradients are needed.
    inside = ops.maximum(1.0 - ops.square(residuals / c), 0.0)
    return _mean_over_outputs(c * c / 6.0 * (1.0 - inside * inside * inside))


def ccc_loss(targets, predictions, weights=None):
    """One minus the concordance correlation (Zhang Eq. 3-4), over the batch.

    `rho = 2 s_xy / (s_x^2 + s_y^2 + (mean_x - mean_y)^2)` with population
    moments of the valid rows; for two outputs `1 - (rho_v + rho_a) / 2`. It is
    a statistic of the batch: use 64 rows or more, from mixed videos. It is of
    the rows that it is given: under a strategy the loop gives it the whole
    batch's, `model.fit` each replica's own.

    Args:
        targets: `(batch,)` or `(batch, outputs)`.
        predictions: As `targets`.
        weights: `(batch,)` or `(batch, outputs)` validity; None for all.

    Returns:
        float32 scalar; an output with fewer than two valid rows adds 0.

    Example:
        >>> truth = np.array([[-0.5, 0.1], [0.0, 0.3], [0.5, 0.8]])
        >>> print(f"{ccc_loss(truth, truth):.2f} {ccc_loss(truth, truth + 0.5):.2f}")
        0.00 0.51
    """
    targets, predictions = _aligned(targets, predictions)
    weights = _like(weights, targets)
    valid = weights > 0
    # Replaced, not multiplied away: whatever a masked row predicts, its
    # gradient is exactly 0.
    targets = ops.where(valid, targets, 0.0)
    predictions = ops.where(valid, predictions, 0.0)
    weights = ops.divide_no_nan(weights, ops.sum(weights, axis=0, keepdims=True))
    mean_t = ops.sum(weights * targets, axis=0)
    mean_p = ops.sum(weights * predictions, axis=0)
    from_t = targets - mean_t
    from_p = predictions - mean_p
    covariance = ops.sum(weights * from_t * from_p, axis=0)
    spread = ops.sum(weights * (ops.square(from_t) + ops.square(from_p)), axis=0)
    rho = 2.0 * covariance / (spread + ops.square(mean_t - mean_p) + _CCC_EPSILON)
    enough = ops.sum(ops.cast(valid, "float32"), axis=0) > 1.5
    return ops.mean(ops.where(enough, 1.0 - rho, 0.0))


def region_mask_loss(targets, masks, *, caffe_half=False):
    """Squared error of attention masks, **summed** over them (Gan Eq. 2-3).

    A mean over the 8 x 14 x 14 elements would make the learning rate 1568
    times smaller.

    Args:
        targets: `(batch, 14, 14, 8)`, or any other shape.
        masks: As `targets`.
        caffe_half: Halve it, as Caffe's EuclideanLoss does and Eq. 3 does not.

    Returns:
        float32 `(batch,)`.

    Example:
        >>> true, predicted = np.zeros((1, 14, 14, 8)), np.full((1, 14, 14, 8), 0.5)
        >>> print(region_mask_loss(true, predicted).numpy())
        [392.]
    """
    error = ops.square(ops.cast(masks, "float32") - ops.cast(targets, "float32"))
    total = ops.sum(error, axis=tuple(range(1, len(error.shape))))
    return total * 0.5 if caffe_half else total


@keras.saving.register_keras_serializable(package="fer_tf")
class TukeyBiweight(MaskedLoss):
    """`tukey_biweight` for `model.compile`; masked rows leave its median too.

    Example:
        >>> loss = TukeyBiweight(scale="mad")
        >>> true, predicted = np.zeros(5), np.array([-0.2, -0.1, 0.0, 0.1, 9.0])
        >>> print(f"{loss(true, predicted):.2f}")  # A row costs 3.66 at most.
        0.99
    """

    def __init__(self, *, c=4.685, scale=1.0, name="tukey_biweight", **kwargs):
        super().__init__(name=name, **kwargs)
        self.c = c
        self.scale = scale

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is None:
            return super().__call__(y_true, y_pred)
        return super().__call__((y_true, sample_weight), y_pred, sample_weight)

    def call(self, y_true, y_pred):
        targets, weights = split_weights(y_true)
        return tukey_biweight(targets, y_pred, weights, c=self.c, scale=self.scale)

    def get_config(self):
        return {**super().get_config(), "c": self.c, "scale": self.scale}


@keras.saving.register_keras_serializable(package="fer_tf")
class CCCLoss(MaskedLoss):
    """`ccc_loss` for `model.compile`.

    It is not a mean of per-example losses, so `sample_weight` enters the
    moments instead of weighting the result.

    Example:
        >>> loss = CCCLoss()
        >>> truth = np.array([[-0.5, 0.1], [0.0, 0.3], [0.5, 0.8]])
        >>> print(f"{loss(truth, -truth):.2f}")
        1.61
    """

    def __init__(self, *, name="ccc_loss", **kwargs):
        super().__init__(name=name, **kwargs)

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            y_true = (y_true, sample_weight)
        return super().__call__(y_true, y_pred)

    def call(self, y_true, y_pred):
        targets, weights = split_weights(y_true)
        # A vector of one, not a scalar, which Keras would leave unscaled under
        # a distribution strategy.
        return ops.reshape(ccc_loss(targets, y_pred, weights), (1,))
