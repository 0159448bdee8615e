"""Metrics of valence and arousal, over the whole set and never per batch."""

import keras
from keras import ops

from fer_tf.scores import table


def _columns(y_true, y_pred, sample_weight, index):
    """The three as float32 `(batch, outputs)`: one column, or all of them for None."""
    y_true = ops.cast(y_true, "float32")
    y_pred = ops.cast(y_pred, "float32")
    if sample_weight is None:
        sample_weight = ops.ones_like(y_true)
    weights = ops.cast(sample_weight, "float32")
    if len(y_true.shape) == 1:
        y_true = ops.expand_dims(y_true, -1)
    if len(y_pred.shape) == 1:
        y_pred = ops.expand_dims(y_pred, -1)
    if len(weights.shape) == 1:
        weights = ops.expand_dims(weights, -1)
    weights = weights * ops.ones_like(y_true)
    if index is not None:
        y_true, y_pred, weights = (
            x[:, index : index + 1] for x in (y_true, y_pred, weights)
        )
    # A masked row may hold anything.
    valid = weights > 0
    return ops.where(valid, y_true, 0.0), ops.where(valid, y_pred, 0.0), weights


class _DimensionalMetric(keras.metrics.Metric):
    """A metric of one output, or of all.

    `update_state` takes targets and predictions `(batch,)` or `(batch,
    outputs)` and, as `sample_weight`, the validity of rows or of elements. The
    running moments are merged, not summed, and so need one replica.

    Args:
        index: The column measured (0 valence, 1 arousal); None for a single
            output.
        name: Metric name.
    """

    # Of a subclass: from the sums, and what it is called.
    formula = default_name = None

    def __init__(self, index=None, *, name=None, **kwargs):
        super().__init__(name=name or self.default_name, **kwargs)
        self.index = index

    def _add_state(self, *names, outputs=1):
        for name in names:
            variable = self.add_variable(
                (outputs,), "zeros", dtype="float32", name=name
            )
            setattr(self, name, variable)

    def result(self):
        return ops.mean(type(self).formula(self._moments(), ops))

    def get_config(self):
        return {**super().get_config(), "index": self.index}


class _MomentMetric(_DimensionalMetric):
    """Keeps count, means and centred second moments of both, and covariance.

    Batches are merged by Chan's formula: sums of squares in float32 would lose
    the variance of millions of frames.
    """

    def __init__(self, index=None, *, outputs=1, name=None, **kwargs):
        super().__init__(index, name=name, **kwargs)
        self._add_state(
            "count",
            "mean_true",
            "mean_pred",
            "square_true",
            "square_pred",
            "product",
            outputs=outputs,
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        true, pred, weights = _columns(y_true, y_pred, sample_weight, self.index)
        added = ops.sum(weights, axis=0)
        share = ops.divide_no_nan(weights, added)
        mean_true = ops.sum(share * true, axis=0)
        mean_pred = ops.sum(share * pred, axis=0)
        true, pred = true - mean_true, pred - mean_pred
        total = self.count + added
        grown = ops.divide_no_nan(added, total)
        between = self.count * grown
        off_true = mean_true - self.mean_true
        off_pred = mean_pred - self.mean_pred

        def merged(products, offsets):
            return ops.sum(weights * products, axis=0) + offsets * between

        self.square_true.assign_add(merged(true * true, off_true * off_true))
        self.square_pred.assign_add(merged(pred * pred, off_pred * off_pred))
        self.product.assign_add(merged(true * pred, off_true * off_pred))
        self.mean_true.assign_add(off_true * grown)
        self.mean_pred.assign_add(off_pred * grown)
        self.count.assign(total)

    def _moments(self):
        share = lambda total: ops.divide_no_nan(total, self.count)
        return table.Moments(
            target_variance=share(self.square_true),
            prediction_variance=share(self.square_pred),
            covariance=share(self.product),
            difference=self.mean_true - self.mean_pred,
        )


@keras.saving.register_keras_serializable(package="fer_tf")
class CCC(_MomentMetric):
    """Concordance correlation (Wang Eq. 8); 0 where both are constant.

    >>> metric = CCC()
    >>> metric.update_state([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    >>> round(float(metric.result()), 3)
    0.571
    """

    formula = staticmethod(table.concordance)
    default_name = "ccc"


@keras.saving.register_keras_serializable(package="fer_tf")
class MeanCCC(_MomentMetric):
    """Mean CCC over outputs: ABAW-2020's valence-arousal score.

    Args:
        outputs: Number of outputs.
        name: Metric name.
    """

    formula = staticmethod(table.concordance)

    def __init__(self, outputs=2, *, name="ccc_mean", **kwargs):
        super().__init__(None, outputs=outputs, name=name, **kwargs)
        self.outputs = outputs

    def get_config(self):
        config = {**super().get_config(), "outputs": self.outputs}
        del config["index"]
        return config


@keras.saving.register_keras_serializable(package="fer_tf")
class PCC(_MomentMetric):
    """Pearson's correlation; 0 where either is constant."""

    formula = staticmethod(table.correlation)
    default_name = "pcc"


@keras.saving.register_keras_serializable(package="fer_tf")
class RMSE(_DimensionalMetric):
    """Root mean squared error (Wang Eq. 7)."""

    formula = staticmethod(table.root_mean_squared_error)

    def __init__(self, index=None, *, name="rmse", **kwargs):
        super().__init__(index, name=name, **kwargs)
        self._add_state("count", "mean_square")

    def update_state(self, y_true, y_pred, sample_weight=None):
        true, pred, weights = _columns(y_true, y_pred, sample_weight, self.index)
        added = ops.sum(weights, axis=0)
        share = ops.divide_no_nan(weights, added)
        mean_square = ops.sum(share * ops.square(true - pred), axis=0)
        self.count.assign_add(added)
        grown = ops.divide_no_nan(added, self.count)
        self.mean_square.assign_add((mean_square - self.mean_square) * grown)

    def _moments(self):
        return table.Moments(squared_error=self.mean_square)


@keras.saving.register_keras_serializable(package="fer_tf")
class SignAgreement(_DimensionalMetric):
    """Share of predictions on the target's side of 0 (AffectNet's SAGR)."""

    formula = staticmethod(table.sign_agreement)

    def __init__(self, index=None, *, name="sagr", **kwargs):
        super().__init__(index, name=name, **kwargs)
        self._add_state("count", "agreed")

    def update_state(self, y_true, y_pred, sample_weight=None):
        true, pred, weights = _columns(y_true, y_pred, sample_weight, self.index)
        same = ops.cast(ops.equal(ops.sign(true), ops.sign(pred)), "float32")
        self.count.assign_add(ops.sum(weights, axis=0))
        self.agreed.assign_add(ops.sum(weights * same, axis=0))

    def _moments(self):
        return table.Moments(agreement=ops.divide_no_nan(self.agreed, self.count))
