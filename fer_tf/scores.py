"""Scores of whole arrays in NumPy float64, as evaluation reports them."""

import numpy as np

from fer_tf.labels import ACTION_UNITS


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


def _calibration_error(confidence, hits, weights, num_bins=15):
    place = np.clip(np.ceil(confidence * num_bins).astype(int) - 1, 0, num_bins - 1)
    gaps = np.bincount(place, weights * (confidence - hits), minlength=num_bins)
    return float(np.abs(gaps).sum() / weights.sum())


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
    labels, logits, weights = _valid_rows(weights, labels, logits)
    labels = labels.astype(np.int64)
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"`labels` must be in [0, {num_classes}) where valid. "
            f"Received: {labels.min()} to {labels.max()}."
        )
    logits = logits.astype(np.float64)
    log_p = logits - logits.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    predictions = logits.argmax(axis=1)
    confusion = confusion_matrix(labels, predictions, num_classes, weights)
    hits, true, predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    accuracy = float(hits.sum() / confusion.sum())
    macro_f1 = float(_ratio(2 * hits, true + predicted).mean())
    own = np.take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    return {
        "accuracy": accuracy,
        "mean_class_accuracy": float(_ratio(hits, true)[true > 0].mean()),
        "macro_f1": macro_f1,
        "expression_score": 0.67 * macro_f1 + 0.33 * accuracy,
        "ece": _calibration_error(
            np.exp(log_p.max(axis=1)), predictions == labels, weights
        ),
        "nll": float(-np.average(own, weights=weights)),
        "confusion": confusion,
    }


def concordance(targets, predictions, weights=None):
    """Concordance correlation (Wang Eq. 8) of two `(n,)` arrays; 0 for 0/0."""
    return _column_scores(*_valid_rows(weights, targets, predictions))["ccc"]


def _column_scores(targets, predictions, weights):
    """CCC, PCC, RMSE and sign agreement of one output."""
    targets = targets.astype(np.float64)
    predictions = predictions.astype(np.float64)
    share = weights / weights.sum()
    mean_t, mean_p = share @ targets, share @ predictions
    from_t, from_p = targets - mean_t, predictions - mean_p
    covariance = share @ (from_t * from_p)
    var_t, var_p = share @ from_t**2, share @ from_p**2
    spread = var_t + var_p + (mean_t - mean_p) ** 2
    return {
        "ccc": float(_ratio(2 * covariance, spread)),
        "pcc": float(_ratio(covariance, np.sqrt(var_t) * np.sqrt(var_p))),
        "rmse": float(np.sqrt(share @ (targets - predictions) ** 2)),
        "sagr": float(share @ (np.sign(targets) == np.sign(predictions))),
    }


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
    targets, predictions, weights = _valid_rows(weights, targets, predictions)
    valence, arousal = (
        _column_scores(targets[:, i], predictions[:, i], weights) for i in (0, 1)
    )
    scores = {}
    for name in valence:
        scores[f"{name}_valence"] = valence[name]
        scores[f"{name}_arousal"] = arousal[name]
        scores[f"{name}_mean"] = (valence[name] + arousal[name]) / 2
    return scores


def action_unit_scores(labels, logits, weights=None, names=ACTION_UNITS):
    """Binary F1 of each action unit, detected where its logit is positive.

    Args:
        labels: `(n, units)` of 0 and 1.
        logits: `(n, units)`.
        weights: Validity, `(n,)` or `(n, units)`.
        names: The units' names, in order.

    Returns:
        Floats "au_f1" (the mean; a unit that never occurs counts 0),
        "au_accuracy" (over all valid decisions), "au_score" (ABAW-2020's half
        of each), and "au_f1_<name>" of each unit.

    Raises:
        ValueError: If nothing is valid, or the names are not as many as units.
    """
    labels, detected = np.asarray(labels) > 0.5, np.asarray(logits) > 0
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
    hits = (weights * (labels & detected)).sum(0)
    wrong = (weights * (labels != detected)).sum(0)
    f1 = _ratio(2 * hits, 2 * hits + wrong)
    accuracy = float(1 - wrong.sum() / weights.sum())
    return {
        "au_f1": float(f1.mean()),
        "au_accuracy": accuracy,
        "au_score": float(0.5 * f1.mean() + 0.5 * accuracy),
        **{f"au_f1_{name}": float(value) for name, value in zip(names, f1)},
    }


def bootstrap_interval(
    fn, *arrays, num_resamples=1000, seed=0, level=0.95, groups=None
):
    """Percentile interval of a score, over resampled rows.

    Args:
        fn: `fn(*arrays)` gives a float, or a dict of which the floats count.
        *arrays: Arrays of equal length.
        num_resamples: How often to resample.
        seed: Of the resampling.
        level: Coverage, in (0, 1).
        groups: `(n,)` labels such as videos or subjects, resampled whole: the
            frames of one video are not independent.

    Returns:
        `(low, high)`, or `{name: (low, high)}` for a dict. A resample on which
        `fn` is NaN is left out.

    Raises:
        ValueError: If `level` is out of range or there are no rows.
    """
    arrays = [np.asarray(array) for array in arrays]
    if not 0 < level < 1 or not len(arrays[0]):
        raise ValueError(
            "`level` must be in (0, 1) and the arrays not empty. "
            f"Received: level={level}, {len(arrays[0])} rows."
        )
    rng = np.random.default_rng(seed)
    values = [
        fn(*(array[rows] for array in arrays))
        for rows in _resamples(rng, len(arrays[0]), num_resamples, groups)
    ]
    tails = [50 * (1 - level), 50 * (1 + level)]
    if not isinstance(values[0], dict):
        return tuple(float(v) for v in np.nanpercentile(values, tails))
    names = [name for name, value in values[0].items() if np.ndim(value) == 0]
    return {
        name: tuple(
            float(v) for v in np.nanpercentile([v[name] for v in values], tails)
        )
        for name in names
    }


def _resamples(rng, num_rows, num_resamples, groups):
    """Yields row indices drawn with replacement, by groups if there are any."""
    if groups is None:
        for _ in range(num_resamples):
            yield rng.integers(0, num_rows, num_rows)
        return
    _, codes = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    for _ in range(num_resamples):
        drawn = rng.integers(0, len(members), len(members))
        yield np.concatenate([members[i] for i in drawn])
