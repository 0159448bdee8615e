"""Scores of valence and arousal, in NumPy float64.

They are of the whole set at once: neither a mean of batches nor of videos.
"""

import numpy as np

from fer_tf.scores import table
from fer_tf.scores.sums import SumScores, ratio, valid_rows

_NUM_SUMS = 8


def dimension_sums(targets, predictions, name: str, weights=None) -> SumScores:
    """CCC, PCC, RMSE and sign agreement of one dimension, as sums over rows.

    Args:
        targets: `(n,)`.
        predictions: `(n,)`.
        name: What the names of the scores end with, `valence` or `arousal`.
        weights: `(n,)`; rows of weight 0 are left out.

    Raises:
        ValueError: If no row is valid.

    >>> scores = dimension_sums([1, 2, 3], [2, 3, 4], "valence").values()
    >>> round(scores["ccc_valence"], 3)
    0.571
    """
    return SumScores(
        _rows(targets, predictions, weights),
        lambda sums: {k.format(name): v for k, v in _scores(sums).items()},
    )


def _rows(targets, predictions, weights):
    targets, predictions, weights = valid_rows(weights, targets, predictions)
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
    return weights[:, None] * rows


def _scores(sums):
    """The metrics of one dimension, by their names in `METRICS`."""
    mean_t, mean_p, square_t, square_p, product, error, agreed = np.moveaxis(
        ratio(sums[..., 1:], sums[..., :1]), -1, 0
    )
    # What rounding leaves of a constant's variance is none.
    spread = lambda square, mean: np.where(
        square - mean**2 > 1e-12 * square, square - mean**2, 0.0
    )
    var_t, var_p = spread(square_t, mean_t), spread(square_p, mean_p)
    moments = table.Moments(
        target_variance=var_t,
        prediction_variance=var_p,
        covariance=np.where((var_t > 0) & (var_p > 0), product - mean_t * mean_p, 0.0),
        difference=mean_t - mean_p,
        squared_error=error,
        agreement=agreed,
    )
    return table.values(table.DIMENSION, moments)


def dimensional_sums(targets, predictions, weights=None) -> SumScores:
    """`dimensional_scores`, as sums over the valid rows."""
    targets, predictions, weights = valid_rows(weights, targets, predictions)
    rows = [_rows(targets[:, i], predictions[:, i], weights) for i in (0, 1)]

    def finish(sums):
        both = _scores(sums[..., :_NUM_SUMS]), _scores(sums[..., _NUM_SUMS:])
        scores = {}
        for metric, valence in both[0].items():
            arousal = both[1][metric]
            scores[metric.format("valence")] = valence
            scores[metric.format("arousal")] = arousal
            scores[metric.format("mean")] = (valence + arousal) / 2
        return scores

    return SumScores(np.concatenate(rows, axis=1), finish)


def dimensional_scores(targets, predictions, weights=None) -> dict[str, float]:
    """Scores of valence and arousal.

    Args:
        targets: `(n, 2)`, valence then arousal.
        predictions: As `targets`.
        weights: `(n,)`; rows of weight 0 are left out.

    Returns:
        Floats "ccc_valence", "ccc_arousal", "ccc_mean" (ABAW-2020's score), and
        the same of "pcc", "rmse" and "sagr".

    Raises:
        ValueError: If no row is valid.

    >>> scores = dimensional_scores([[0.0, 0.5], [1.0, 0.5]], [[0.0, 0.5], [1.0, 0.5]])
    >>> scores["ccc_valence"], scores["rmse_mean"]
    (1.0, 0.0)
    """
    return dimensional_sums(targets, predictions, weights).values()
