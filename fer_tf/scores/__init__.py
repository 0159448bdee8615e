"""Scores of whole arrays: expressions, valence and arousal, action units."""

from fer_tf.scores.arrays import (
    NUM_BINS,
    SumScores,
    action_unit_scores,
    action_units,
    classification,
    classification_scores,
    concordance,
    confidence_bins,
    confusion_matrix,
    dimensional,
    dimensional_scores,
    log_softmax,
    one_dimension,
)

__all__ = [
    "NUM_BINS",
    "SumScores",
    "action_unit_scores",
    "action_units",
    "classification",
    "classification_scores",
    "concordance",
    "confidence_bins",
    "confusion_matrix",
    "dimensional",
    "dimensional_scores",
    "log_softmax",
    "one_dimension",
]
