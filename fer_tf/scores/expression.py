"""Scores of classified faces, in NumPy float64."""

import numpy as np

from fer_tf.scores import table
from fer_tf.scores.sums import SumScores, valid_rows

NUM_BINS = 15
"""Bins of confidence, `(i/n, (i+1)/n]`, of the calibration error."""


def confusion_matrix(labels, predictions, num_classes: int) -> np.ndarray:
    """Counts `(num_classes, num_classes)`, rows true.

    Args:
        labels: int `(n,)` in `[0, num_classes)`.
        predictions: As `labels`.
        num_classes: Number of classes.

    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.asarray(labels) * num_classes + np.asarray(predictions)
    counts = np.bincount(cells, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def log_softmax(logits) -> np.ndarray:
    """Log-probabilities `(n, classes)`, float64, of logits of that shape.

    >>> np.exp(log_softmax([[0.0, 0.0]])).round(3).tolist()
    [[0.5, 0.5]]
    """
    logits = np.asarray(logits, np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def confidence_bins(confidence) -> np.ndarray:
    """Which of the `NUM_BINS` bins each confidence `(n,)` in [0, 1] falls into.

    >>> confidence_bins([0.0, 0.6, 1.0]).tolist()
    [0, 8, 14]
    """
    place = np.ceil(np.asarray(confidence) * NUM_BINS).astype(int) - 1
    return np.clip(place, 0, NUM_BINS - 1)


def classification_sums(
    labels, logits, num_classes: int, weights=None, *, prefix: str = ""
) -> SumScores:
    """`classification_scores`, as sums over the valid rows.

    Args:
        labels: int `(n,)`.
        logits: `(n, num_classes)`.
        num_classes: Number of classes.
        weights: `(n,)`; rows of weight 0 are left out.
        prefix: What the names of the scores begin with.

    Raises:
        ValueError: If the arrays differ in length, no row is valid, or a valid label
            is out of range.
    """
    labels, logits, weights = valid_rows(weights, labels, logits)
    labels = labels.astype(np.int64)
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"`labels` must be in [0, {num_classes}) where valid. "
            f"Received: {labels.min()} to {labels.max()}."
        )
    log_p = log_softmax(logits)
    predictions = log_p.argmax(axis=1)
    confidence = np.exp(log_p.max(axis=1))
    own = np.take_along_axis(log_p, labels[:, None], axis=1)
    gaps = (confidence - (predictions == labels))[:, None]
    rows = np.concatenate(
        [
            _one_hot(labels * num_classes + predictions, num_classes**2),
            gaps * _one_hot(confidence_bins(confidence), NUM_BINS),
            -own,
        ],
        axis=1,
    )

    def finish(sums):
        cells = sums[..., : num_classes**2]
        confusion = cells.reshape(*sums.shape[:-1], num_classes, num_classes)
        classes = table.ClassSums(
            count=cells.sum(-1),
            confusion=confusion,
            gaps=sums[..., num_classes**2 : -1],
            nll=sums[..., -1],
        )
        scores = {**table.values(table.CLASSES, classes), "confusion": confusion}
        return {prefix + name: score for name, score in scores.items()}

    return SumScores(weights[:, None] * rows, finish)


def _one_hot(index, size):
    return (np.asarray(index)[:, None] == np.arange(size)).astype(np.float64)


def classification_scores(labels, logits, num_classes: int, weights=None) -> dict:
    """Scores of a set of classified faces.

    A class that does not occur leaves the mean class accuracy (as in
    scikit-learn) but counts as 0 in the macro F1 (ABAW's reading, with every
    class listed).

    Args:
        labels: int `(n,)`.
        logits: `(n, num_classes)`; log-probabilities do as well.
        num_classes: Number of classes.
        weights: `(n,)`; rows of weight 0 are left out.

    Returns:
        Floats by name, "accuracy", "macro_f1" and the others of
        `fer_tf.scores.METRICS`; and "confusion", the `(num_classes, num_classes)`
        counts with rows true.

    Raises:
        ValueError: If no row is valid, or a valid label is no class.

    >>> logits = [[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]]
    >>> round(classification_scores([0, 1, 1], logits, 2)["accuracy"], 4)
    0.6667
    """
    return classification_sums(labels, logits, num_classes, weights).values()
