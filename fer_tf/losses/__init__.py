"""The papers' losses, as functions; for `model.compile`, a class for each head.

A function takes `(labels, predictions, ...)` and returns float32 `(batch,)`,
not reduced; `ccc_loss`, a statistic of the batch, returns a scalar. Where a
paper sums over outputs, so does the function, and says so.
"""

from fer_tf.losses.classification import (
    ActionUnitCrossEntropy,
    CrossEntropy,
    action_unit_cross_entropy,
    cross_entropy,
    soft_cross_entropy,
)
from fer_tf.losses.reduction import masked_mean
from fer_tf.losses.regression import (
    CCCLoss,
    TukeyBiweight,
    ccc_loss,
    region_mask_loss,
    squared_error,
    tukey_biweight,
)

__all__ = [
    "ActionUnitCrossEntropy",
    "CCCLoss",
    "CrossEntropy",
    "TukeyBiweight",
    "action_unit_cross_entropy",
    "ccc_loss",
    "cross_entropy",
    "masked_mean",
    "region_mask_loss",
    "soft_cross_entropy",
    "squared_error",
    "tukey_biweight",
]
