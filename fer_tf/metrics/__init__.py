"""Streaming metrics; `fer_tf.scores` computes the same over whole arrays."""

from fer_tf.metrics.classification import (
    Accuracy,
    ConfusionMatrix,
    ExpressionScore,
    MacroF1,
    MeanClassAccuracy,
)

__all__ = [
    "Accuracy",
    "ConfusionMatrix",
    "ExpressionScore",
    "MacroF1",
    "MeanClassAccuracy",
]
