"""Scores of whole arrays: expressions, valence and arousal, action units."""

from fer_tf.scores.action_units import action_unit_scores, action_unit_sums
from fer_tf.scores.dimensional import (
    dimension_sums,
    dimensional_scores,
    dimensional_sums,
)
from fer_tf.scores.expression import (
    NUM_BINS,
    classification_scores,
    classification_sums,
    confidence_bins,
    confusion_matrix,
    log_softmax,
)
from fer_tf.scores.sums import SumScores
from fer_tf.scores.table import METRICS, Metric, leading, metric_of

__all__ = [
    "METRICS",
    "Metric",
    "NUM_BINS",
    "SumScores",
    "action_unit_scores",
    "action_unit_sums",
    "classification_scores",
    "classification_sums",
    "confidence_bins",
    "confusion_matrix",
    "dimension_sums",
    "dimensional_scores",
    "dimensional_sums",
    "leading",
    "log_softmax",
    "metric_of",
]
