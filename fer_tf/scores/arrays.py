"""Scores of whole arrays in NumPy float64, as evaluation reports them.

Every score here depends on a set of faces only through sums over its rows (a
confusion matrix, second moments, hits). `SumScores` keeps what each row adds,
so that a thousand resamples of a set are one matrix product; see
`fer_tf.scores.bootstrap`.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from fer_tf.labels import action_unit_names

NUM_BINS = 15
"""Bins of confidence, `(i/n, (i+1)/n]`, of the calibration error."""


@dataclasses.dataclass(frozen=True)
class SumScores:
    """Scores that are a function of sums over rows.

    Attributes:
        rows: float64 `(n, s)`, what each row adds to the sums.
        finish: From sums `(..., s)` to `{name: (...)}`, for many sets at once.
    """

    rows: np.ndarray
    finish: Callable[[np.ndarray], dict[str, np.ndarray]]

    def values(self) -> dict:
        """The scores of all rows: floats, and arrays where a score is one."""
        found = self.finish(self.rows.sum(axis=0))
        return {k: float(v) if np.ndim(v) == 0 else v for k, v in found.items()}

    def renamed(self, form: str) -> "SumScores":
        """The same scores under other names: `"{}_valence"` for `"ccc_valence"`."""
        finish = lambda sums: {form.format(k): v for k, v in self.finish(sums).items()}
        return SumScores(self.rows, finish)


def _valid_rows(weights, *arrays):
    """The arrays, and weights, of the rows whose weight is positive."""
    arrays = [np.asarray(array) for array in arrays]
    weights = np.ones(len(arrays[0])) if weights is None else np.asarray(weights)
    if any(len(array) != len(weights) for array in arrays):
        raise ValueError(
            "All arrays must have as many rows. "
            f"Received: {[len(array) for array in (*arrays, weights)]}."
        )
    kept = weights > 0
    if not kept.any():
        raise ValueError(
            f"At least one row must be valid. Received: {len(weights)} rows, none."
        )
    return *(array[kept] for array in arrays), weights[kept].astype(np.float64)


def _ratio(numerator, denominator):
    """Elementwise quotient, 0 where the denominator is."""
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    )
    return np.divide(
        numerator, denominator, out=np.zeros(numerator.shape), where=denominator != 0
    )


def _one_hot(index, size):
    return (np.asarray(index)[:, None] == np.arange(size)).astype(np.float64)


def confusion_matrix(labels, predictions, num_classes, weights=None):
    """Weighted counts `(num_classes, num_classes)`, rows true.

    Args:
        labels: int `(n,)` in `[0, num_classes)`.
        predictions: As `labels`.
        num_classes: Number of classes.
        weights: `(n,)`; None for ones.
    """
    cells = np.asarray(labels) * num_classes + np.asarray(predictions)
    counts = np.bincount(cells, weights, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def log_softmax(logits) -> np.ndarray:
    """Log-probabilities `(n, classes)`, float64."""
    logits = np.asarray(logits, np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def confidence_bins(confidence) -> np.ndarray:
    """Which of the `NUM_BINS` bins each confidence `(n,)` in [0, 1] falls into."""
    place = np.ceil(np.asarray(confidence) * NUM_BINS).astype(int) - 1
    return np.clip(place, 0, NUM_BINS - 1)


def classification(labels, logits, num_classes, weights=None) -> SumScores:
    """The scores of `classification_scores`, which see, as sums over valid rows."""
    labels, logits, weights = _valid_rows(weights, labels, logits)
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
    return SumScores(weights[:, None] * rows, _finish_classification(num_classes))


def _finish_classification(num_classes):
    cells = num_classes**2

    def finish(sums):
        confusion = sums[..., :cells]
        total = confusion.sum(-1)
        confusion = confusion.reshape(*sums.shape[:-1], num_classes, num_classes)
        hits = np.diagonal(confusion, axis1=-2, axis2=-1)
        true, predicted = confusion.sum(-1), confusion.sum(-2)
        accuracy = _ratio(hits.sum(-1), total)
        macro_f1 = _ratio(2 * hits, true + predicted).mean(-1)
        return {
            "accuracy": accuracy,
            "mean_class_accuracy": _ratio(
                _ratio(hits, true).sum(-1), (true > 0).sum(-1)
            ),
            "macro_f1": macro_f1,
            "expression_score": 0.67 * macro_f1 + 0.33 * accuracy,
            "ece": _ratio(np.abs(sums[..., cells:-1]).sum(-1), total),
            "nll": _ratio(sums[..., -1], total),
            "confusion": confusion,
        }

    return finish


def classification_scores(labels, logits, num_classes, weights=None):
    """Scores of a set of classified faces.

    A class that does not occur leaves the mean class accuracy (as in
    scikit-learn) but counts as 0 in the macro F1 (ABAW's reading, with every
    class listed). `expression_score` is ABAW-2020's 0.67 macro F1 + 0.33
    accuracy, the unit of the baseline row of Zhang's table.

    Args:
        labels: int `(n,)`.
        logits: `(n, num_classes)`; log-probabilities do as well.
        num_classes: Number of classes.
        weights: `(n,)`; rows of weight 0 are left out.

    Returns:
        `{"accuracy", "mean_class_accuracy", "macro_f1", "expression_score",
        "ece", "nll"}` of floats, and "confusion", the `(num_classes,
        num_classes)` counts with rows true.

    Raises:
        ValueError: If no row is valid, or a valid label is no class.
    """
    return classification(labels, logits, num_classes, weights).values()


def concordance(targets, predictions, weights=None):
    """Concordance correlation (Wang Eq. 8) of two `(n,)` arrays; 0 for 0/0."""
    return one_dimension(targets, predictions, weights).values()["ccc"]


def one_dimension(targets, predictions, weights=None) -> SumScores:
    """CCC, PCC, RMSE and sign agreement of `(n,)` arrays, as sums over rows."""
    targets, predictions, weights = _valid_rows(weights, targets, predictions)
    targets = targets.astype(np.float64)
    predictions = predictions.astype(np.float64)
    # About one point, so that the sums of squares keep their digits.
    centre = np.average(targets, weights=weights)
    t, p = targets - centre, predictions - centre
    rows = np.stack(
        [np.ones_like(t), t, p, t * t, p * p, t * p, (t - p) ** 2,
         np.sign(targets) == np.sign(predictions)],
        axis=1,
    )  # fmt: skip
    return SumScores(weights[:, None] * rows, _finish_dimension)


def _finish_dimension(sums):
    count = sums[..., :1]
    mean_t, mean_p, square_t, square_p, product, error, agreed = np.moveaxis(
        _ratio(sums[..., 1:], count), -1, 0
    )
    # What rounding leaves of a constant's variance is none.
    spread = lambda square, mean: np.where(
        square - mean**2 > 1e-12 * square, square - mean**2, 0.0
    )
    var_t, var_p = spread(square_t, mean_t), spread(square_p, mean_p)
    covariance = np.where((var_t > 0) & (var_p > 0), product - mean_t * mean_p, 0.0)
    return {
        "ccc": _ratio(2 * covariance, var_t + var_p + (mean_t - mean_p) ** 2),
        "pcc": _ratio(covariance, np.sqrt(var_t) * np.sqrt(var_p)),
        "rmse": np.sqrt(error),
        "sagr": agreed,
    }


def dimensional(targets, predictions, weights=None) -> SumScores:
    """The scores of `dimensional_scores`, which see, as sums over valid rows."""
    targets, predictions, weights = _valid_rows(weights, targets, predictions)
    both = [
        one_dimension(targets[:, i], predictions[:, i], weights).rows for i in (0, 1)
    ]
    width = both[0].shape[1]

    def finish(sums):
        valence = _finish_dimension(sums[..., :width])
        arousal = _finish_dimension(sums[..., width:])
        found = {}
        for name in valence:
            found[f"{name}_valence"] = valence[name]
            found[f"{name}_arousal"] = arousal[name]
            found[f"{name}_mean"] = (valence[name] + arousal[name]) / 2
        return found

    return SumScores(np.concatenate(both, axis=1), finish)


def dimensional_scores(targets, predictions, weights=None):
    """CCC, PCC, RMSE and sign agreement of valence and arousal.

    Over the whole set at once: neither a mean of batches nor of videos.

    Args:
        targets: `(n, 2)`, valence then arousal.
        predictions: As `targets`.
        weights: `(n,)`; rows of weight 0 are left out.

    Returns:
        Floats "ccc_valence", "ccc_arousal", "ccc_mean" (ABAW-2020's score), and
        the same of "pcc", "rmse" and "sagr".

    Raises:
        ValueError: If no row is valid.
    """
    return dimensional(targets, predictions, weights).values()


def action_units(labels, logits, weights=None, names=None) -> SumScores:
    """The scores of `action_unit_scores`, which see, as sums over all rows."""
    labels, detected = np.asarray(labels) > 0.5, np.asarray(logits) > 0
    names = action_unit_names(labels.shape[1]) if names is None else names
    if labels.shape[1] != len(names):
        raise ValueError(
            f"`names` must name {labels.shape[1]} units. Received: names={names}."
        )
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights)
    if weights.ndim == 1:
        weights = weights[:, None]
    weights = np.broadcast_to(weights, labels.shape).astype(np.float64)
    if not weights.any():
        raise ValueError(
            f"At least one unit must be valid. Received: {len(labels)} rows, none."
        )
    hits, wrong = weights * (labels & detected), weights * (labels != detected)
    # Nothing is known of a unit that nobody annotated, not even that it never occurs.
    annotated = np.flatnonzero(weights.any(axis=0))

    def finish(sums):
        parts = sums.reshape(*sums.shape[:-1], 3, len(names))
        hits, wrong, total = np.moveaxis(parts[..., annotated], -2, 0)
        f1 = _ratio(2 * hits, 2 * hits + wrong)
        accuracy = 1 - _ratio(wrong.sum(-1), total.sum(-1))
        return {
            "au_f1": f1.mean(-1),
            "au_accuracy": accuracy,
            "au_score": 0.5 * f1.mean(-1) + 0.5 * accuracy,
            **{f"au_f1_{names[unit]}": f1[..., i] for i, unit in enumerate(annotated)},
        }

    return SumScores(np.concatenate([hits, wrong, weights], axis=1), finish)


def action_unit_scores(labels, logits, weights=None, names=None):
    """Binary F1 of each action unit, detected where its logit is positive.

    Args:
        labels: `(n, units)` of 0 and 1.
        logits: `(n, units)`.
        weights: Validity, `(n,)` or `(n, units)`.
        names: The units' names, in order; by default Aff-Wild2's, of their number.

    Returns:
        Floats "au_f1" (the mean over annotated units; one that never occurs counts
        0), "au_accuracy" (over all valid decisions), "au_score" (ABAW-2020's half
        of each), and "au_f1_<name>" of each annotated unit.

    Raises:
        ValueError: If nothing is valid, or the names are not as many as units.
    """
    return action_units(labels, logits, weights, names).values()
