"""Streaming metrics; `fer_tf.scores` computes the same over whole arrays."""

from fer_tf.metrics.action_units import (
    ActionUnitAccuracy,
    ActionUnitF1,
    ActionUnitScore,
)
from fer_tf.metrics.classification import (
    Accuracy,
    ConfusionMatrix,
    ExpectedCalibrationError,
    ExpressionScore,
    MacroF1,
    MeanClassAccuracy,
)
from fer_tf.metrics.dimensional import CCC, PCC, RMSE, MeanCCC, SignAgreement

__all__ = [
    "Accuracy",
    "ActionUnitAccuracy",
    "ActionUnitF1",
    "ActionUnitScore",
    "CCC",
    "ConfusionMatrix",
    "ExpectedCalibrationError",
    "ExpressionScore",
    "MacroF1",
    "MeanCCC",
    "MeanClassAccuracy",
    "PCC",
    "RMSE",
    "SignAgreement",
]
