"""`METRICS`: every metric, how it is computed and what must be known of it.

To add one, write its formula here and its entry in `METRICS`. `trainers.evaluate`,
`select` of a config, the reports and the model cards then have it. A paper's table
shows the metrics that `trainers/tables/papers.py` lists for it.

A formula takes the sums of a set (`ClassSums`, `Moments` or `UnitSums`) and an array
namespace: NumPy's for the scores of whole arrays, `keras.ops` for the streaming
metrics. The axes `...` of the sums are any number of sets at once.
"""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from fer_tf.scores.sums import NUMPY

FACE = "face_"
"""Prefix of the metrics of face against no face."""
POOLED = "_pooled"
"""Suffix of a metric over the faces of all folds together, not the mean over folds."""


class ClassSums(NamedTuple):
    """Sums of classified faces.

    Attributes:
        count: `(...)`, faces.
        confusion: `(..., classes, classes)`, faces by true (row) and said class.
        gaps: `(..., bins)`, confidence minus hits of the faces in a bin of confidence.
        nll: `(...)`, negative log-probabilities of the true class.
    """

    count: Any
    confusion: Any = None
    gaps: Any = None
    nll: Any = None


def accuracy(sums: ClassSums, ops=NUMPY):
    """Share of the faces that are read right."""
    hits = ops.diagonal(sums.confusion, axis1=-2, axis2=-1)
    return ops.divide_no_nan(ops.sum(hits, axis=-1), sums.count)


def mean_class_accuracy(sums: ClassSums, ops=NUMPY):
    """Mean recall of the classes that occur."""
    hits = ops.diagonal(sums.confusion, axis1=-2, axis2=-1)
    sizes = ops.sum(sums.confusion, axis=-1)
    recall = ops.divide_no_nan(hits, sizes)
    return ops.divide_no_nan(ops.sum(recall, axis=-1), ops.sum(sizes > 0, axis=-1))


def macro_f1(sums: ClassSums, ops=NUMPY):
    """Mean F1 of all classes; 0 for one that never occurs (ABAW's reading)."""
    hits = ops.diagonal(sums.confusion, axis1=-2, axis2=-1)
    sizes = ops.sum(sums.confusion, axis=-1) + ops.sum(sums.confusion, axis=-2)
    return ops.mean(ops.divide_no_nan(2.0 * hits, sizes), axis=-1)


def expression_score(sums: ClassSums, ops=NUMPY):
    """ABAW-2020's score, the unit of the baseline row of Zhang's table."""
    return 0.67 * macro_f1(sums, ops) + 0.33 * accuracy(sums, ops)


def calibration_error(sums: ClassSums, ops=NUMPY):
    """Mean gap between confidence and accuracy (Guo et al., 2017)."""
    return ops.divide_no_nan(ops.sum(ops.abs(sums.gaps), axis=-1), sums.count)


def negative_log_likelihood(sums: ClassSums, ops=NUMPY):
    """Mean cross-entropy in nats."""
    return ops.divide_no_nan(sums.nll, sums.count)


class Moments(NamedTuple):
    """Moments of one dimension's labels and predictions, `(...)` each.

    Attributes:
        target_variance: Of the labels.
        prediction_variance: Of the predictions.
        covariance: Of both.
        difference: Mean label minus mean prediction.
        squared_error: Mean squared difference.
        agreement: Share of the predictions with the sign of their label.
    """

    target_variance: Any = None
    prediction_variance: Any = None
    covariance: Any = None
    difference: Any = None
    squared_error: Any = None
    agreement: Any = None


def concordance(moments: Moments, ops=NUMPY):
    """Concordance correlation (Wang et al. 2018, Eq. 8); 0 for 0/0."""
    spread = moments.target_variance + moments.prediction_variance
    return ops.divide_no_nan(
        2.0 * moments.covariance, spread + moments.difference * moments.difference
    )


def correlation(moments: Moments, ops=NUMPY):
    """Pearson's correlation; 0 where either is constant."""
    # Two roots: the product of the squares could leave float32's range.
    spread = ops.sqrt(moments.target_variance) * ops.sqrt(moments.prediction_variance)
    return ops.divide_no_nan(moments.covariance, spread)


def root_mean_squared_error(moments: Moments, ops=NUMPY):
    """Root mean squared error (Wang et al. 2018, Eq. 7)."""
    return ops.sqrt(moments.squared_error)


def sign_agreement(moments: Moments, ops=NUMPY):
    """Share of predictions on the label's side of 0 (AffectNet's SAGR)."""
    return moments.agreement


class UnitSums(NamedTuple):
    """Sums of the valid annotations of action units, `(..., units)` each.

    Attributes:
        hits: Present and detected.
        wrong: Present and not detected, or detected and not present.
        total: All.
    """

    hits: Any
    wrong: Any
    total: Any


def unit_f1(sums: UnitSums, ops=NUMPY):
    """F1 of each unit, `(..., units)`."""
    return ops.divide_no_nan(2.0 * sums.hits, 2.0 * sums.hits + sums.wrong)


def mean_unit_f1(sums: UnitSums, ops=NUMPY):
    """Mean F1 of the annotated units, Zhang's number; 0 for one that never occurs."""
    annotated = ops.sum(sums.total > 0, axis=-1)
    return ops.divide_no_nan(ops.sum(unit_f1(sums, ops), axis=-1), annotated)


def unit_accuracy(sums: UnitSums, ops=NUMPY):
    """Share of all valid decisions, a unit and a face each, that are right."""
    total = ops.sum(sums.total, axis=-1)
    return ops.divide_no_nan(total - ops.sum(sums.wrong, axis=-1), total)


def unit_score(sums: UnitSums, ops=NUMPY):
    """ABAW-2020's score, not Zhang's plain F1."""
    return 0.5 * mean_unit_f1(sums, ops) + 0.5 * unit_accuracy(sums, ops)


# What a metric is computed from.
CLASSES, DIMENSION, UNITS, UNIT = "classes", "dimension", "units", "unit"

# Its interval: bootstrap percentiles; the same but Clopper and Pearson's of a share of
# exactly 0 or 1, which every resample repeats; or none.
BOOTSTRAP, SHARE, NONE = "bootstrap", "share", "none"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric:
    """What must be known of a metric.

    Attributes:
        kind: What it is computed from: `CLASSES`, `DIMENSION`, `UNITS`, or `UNIT` for
            a value of each action unit.
        formula: `(sums, ops) -> (...)`, with the sums of its kind.
        meaning: A phrase that explains it.
        smaller_is_better: Whether 0 is best.
        interval: `BOOTSTRAP`, `SHARE` or `NONE`.
        headline: Whether a report shows it.
        by_group: Whether it is measured of each group of people.
        needs_all: Whether a class or unit without an example counts as 0: where one is
            missing, it measures the data.
    """

    kind: str
    formula: Callable
    meaning: str
    smaller_is_better: bool = False
    interval: str = BOOTSTRAP
    headline: bool = False
    by_group: bool = False
    needs_all: bool = False


METRICS: dict[str, Metric] = {
    "accuracy": Metric(
        kind=CLASSES, formula=accuracy, interval=SHARE, headline=True, by_group=True,
        meaning="the share of the faces that are read right",
    ),
    "mean_class_accuracy": Metric(
        kind=CLASSES, formula=mean_class_accuracy, interval=SHARE, headline=True,
        by_group=True, meaning="the mean of the classes' accuracies",
    ),
    "macro_f1": Metric(
        kind=CLASSES, formula=macro_f1, headline=True, by_group=True, needs_all=True,
        meaning="the mean of the classes' F1",
    ),
    "expression_score": Metric(
        kind=CLASSES, formula=expression_score, by_group=True, needs_all=True,
        meaning="0.67 macro_f1 + 0.33 accuracy, as in the ABAW challenge",
    ),
    # The calibration error of a resample is larger than that of the set, since noise
    # within a bin adds to it: its percentiles are no interval.
    "ece": Metric(
        kind=CLASSES, formula=calibration_error, smaller_is_better=True, interval=NONE,
        headline=True,
        meaning="how far confidence and accuracy are apart on average, 0 at best",
    ),
    "nll": Metric(
        kind=CLASSES, formula=negative_log_likelihood, smaller_is_better=True,
        meaning="cross-entropy in nats, 0 at best",
    ),
    "ccc_{}": Metric(
        kind=DIMENSION, formula=concordance, headline=True, by_group=True,
        meaning="agreement of numbers (concordance correlation), 1 at best",
    ),
    "pcc_{}": Metric(
        kind=DIMENSION, formula=correlation, meaning="Pearson's correlation, 1 at best",
    ),
    "rmse_{}": Metric(
        kind=DIMENSION, formula=root_mean_squared_error, smaller_is_better=True,
        headline=True, by_group=True, meaning="root mean squared error, 0 at best",
    ),
    "sagr_{}": Metric(
        kind=DIMENSION, formula=sign_agreement, interval=SHARE,
        meaning="the share of the readings with the sign of their label",
    ),
    "au_f1": Metric(
        kind=UNITS, formula=mean_unit_f1, headline=True, by_group=True, needs_all=True,
        meaning="the mean of the action units' F1",
    ),
    "au_accuracy": Metric(
        kind=UNITS, formula=unit_accuracy, interval=SHARE, headline=True, by_group=True,
        meaning="the share of all action units of all faces that are read right",
    ),
    "au_score": Metric(
        kind=UNITS, formula=unit_score, by_group=True, needs_all=True,
        meaning="0.5 au_f1 + 0.5 au_accuracy, as in the ABAW challenge",
    ),
    "au_f1_{}": Metric(kind=UNIT, formula=unit_f1, meaning="an action unit's F1"),
}  # fmt: skip
"""Every metric by name; of a kind, the one that a reader looks for comes first.

`{}` stands for `valence`, `arousal` or `mean`, the mean of the two; in the F1 of an
action unit it stands for the unit. Of face or no face, the metrics of classes begin
with `face_`.
"""


def entry_of(name: str) -> str:
    """The name in `METRICS` that a metric's full name belongs to.

    Raises:
        ValueError: If there is none.

    >>> entry_of("rmse_valence"), entry_of("face_accuracy"), entry_of("au_f1_AU4")
    ('rmse_{}', 'accuracy', 'au_f1_{}')
    """
    plain = name.removeprefix(FACE).removesuffix(POOLED)
    if plain in METRICS:
        return plain
    for entry in METRICS:
        if entry.endswith("{}") and plain.startswith(entry.removesuffix("{}")):
            return entry
    raise ValueError(f"`name` must be of {', '.join(METRICS)}. Received: {name!r}.")


def metric_of(name: str) -> Metric:
    """What must be known of the metric of a full name.

    >>> metric_of("rmse_valence").smaller_is_better
    True
    """
    return METRICS[entry_of(name)]


def values(kind: str, sums: NamedTuple) -> dict[str, Any]:
    """Every metric of a kind, by its name in `METRICS`."""
    return {
        name: metric.formula(sums)
        for name, metric in METRICS.items()
        if metric.kind == kind
    }


def leading(names: Iterable[str]) -> list[str]:
    """The metric to show first for each kind of label.

    It is the first of them in `METRICS`. Valence and arousal are shown by their mean,
    and both where it is missing.

    >>> leading(["nll", "accuracy", "ccc_valence", "ccc_arousal", "ccc_mean"])
    ['accuracy', 'ccc_mean']
    """
    names = [name for name in names if metric_of(name).kind != UNIT]
    order = list(METRICS)
    label = lambda name: (metric_of(name).kind, name.startswith(FACE))
    rank = lambda name: (
        order.index(entry_of(name)),
        name.endswith(POOLED),
        not name.endswith("_mean"),
    )
    best = {}
    for name in names:
        best[label(name)] = min(rank(name), best.get(label(name), rank(name)))
    return [name for name in names if rank(name) == best[label(name)]]
