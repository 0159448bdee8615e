"""Whether a model's confidence means what it says, and what abstaining buys.

References:
    - [Guo et al., 2017](https://arxiv.org/abs/1706.04599), Sec. 4.2: one
      temperature for all logits, fitted on validation data.
    - [Geifman and El-Yaniv, 2017](https://arxiv.org/abs/1705.08500): accuracy
      against coverage.
"""

import numpy as np

from fer_tf import scores

TEMPERATURES = (0.01, 100.0)
"""Where the temperature of a set without a best one ends: all of it right, or
logits that tell nothing."""


def fit_temperature(labels, logits) -> float:
    """The temperature T whose softmax(logits / T) has the least NLL.

    In 1 / T the NLL is convex, so its slope changes sign once: bisection.

    Args:
        labels: int `(n,)`.
        logits: `(n, classes)`.

    Returns:
        T within `TEMPERATURES`.

    Raises:
        ValueError: If there are no rows.

    >>> round(fit_temperature([0, 0, 0, 1], [[3.0, 0.0]] * 4), 2)  # 3 / ln(3)
    2.73
    """
    labels, logits = np.asarray(labels), np.asarray(logits, np.float64)
    if not len(labels):
        raise ValueError("At least one row is needed. Received: none.")
    own = np.take_along_axis(logits, labels[:, None], axis=1)
    below = own - logits  # Shifted alike for all classes: nothing changes.

    def slope(scale):
        """Derivative of the NLL: mean of the expected minus the own logit."""
        p = np.exp(scores.log_softmax(scale * logits))
        return -(p * below).sum(axis=1).mean()

    low, high = (np.log(1 / t) for t in reversed(TEMPERATURES))
    for _ in range(50):
        middle = (low + high) / 2
        if slope(np.exp(middle)) > 0:
            high = middle
        else:
            low = middle
    return float(np.exp(-(low + high) / 2))


def is_bound(temperature: float) -> bool:
    """Whether a temperature lies at an end of `TEMPERATURES`: none is best.

    >>> is_bound(100.0), is_bound(1.5)
    (True, False)
    """
    low, high = TEMPERATURES
    return temperature < 1.01 * low or temperature > 0.99 * high


def temperature_text(temperature: float) -> str:
    """A temperature in words, which say where it ended its range.

    >>> temperature_text(1.5)
    '1.500'
    """
    end = " (the end of its range: none is best)" if is_bound(temperature) else ""
    return f"{temperature:.3f}{end}"


def confidence(logits) -> np.ndarray:
    """The largest probability of each row of logits `(n, classes)`, `(n,)`.

    >>> confidence([[0.0, 0.0]]).round(3).tolist()
    [0.5]
    """
    return np.exp(scores.log_softmax(logits).max(axis=1))


def reliability(hits, sure) -> dict[str, np.ndarray]:
    """Accuracy by confidence, in the bins of the calibration error.

    Args:
        hits: bool `(n,)`.
        sure: Confidence `(n,)`.

    Returns:
        `"count"`, `"confidence"` and `"accuracy"` (means, NaN in empty bins), each
        `(scores.NUM_BINS,)`.

    >>> float(reliability([True, False], [0.99, 0.98])["accuracy"][-1])
    0.5
    """
    place = scores.confidence_bins(sure)
    total = lambda values: np.bincount(place, values, minlength=scores.NUM_BINS)
    count = np.bincount(place, minlength=scores.NUM_BINS)
    with np.errstate(invalid="ignore"):
        return {
            "count": count,
            "confidence": total(np.asarray(sure, np.float64)) / count,
            "accuracy": total(np.asarray(hits, np.float64)) / count,
        }


def selective_accuracy(hits, sure) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy over the k surest rows, for every k.

    Rows that are equally sure come in no order: each counts as their mean.

    Args:
        hits: bool `(n,)`.
        sure: Confidence `(n,)`.

    Returns:
        `(n,)` accuracies of the 1, 2, … n surest, and `(n,)` the confidence of
        the least sure among them.

    >>> accuracy, level = selective_accuracy([True, False], [0.6, 0.9])
    >>> accuracy.tolist(), level.tolist()
    ([0.0, 0.5], [0.9, 0.6])
    """
    order = np.argsort(-np.asarray(sure), kind="stable")
    level = np.asarray(sure)[order]
    values, block = np.unique(-level, return_inverse=True)
    share = np.bincount(block, np.asarray(hits, np.float64)[order])
    share /= np.bincount(block, minlength=len(values))
    return np.cumsum(share[block]) / np.arange(1, len(block) + 1), level


def kept(coverage: float, count: int) -> int:
    """How many of `count` rows a coverage in (0, 1] keeps: at least that share.

    >>> kept(0.7, 9)
    7
    """
    return int(np.ceil(coverage * count - 1e-9))
