"""Two networks on the same faces: what is the difference, and is it decided?"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from fer_tf import scores
from fer_tf.scores import SumScores, bootstrap, table
from fer_tf.scores.sums import ratio
from trainers.evaluation import scoring
from trainers.evaluation.predictions import Predictions
from trainers.tables import differences


def compare(
    first: Sequence[Predictions],
    second: Sequence[Predictions],
    expressions: Sequence[str] = (),
) -> dict:
    """Everything that is measured of a pair, ready for JSON.

    Args:
        first: Predictions of a network, one for each seed.
        second: Of the other, on the same faces.
        expressions: Names, in the order of the outputs.

    Returns:
        A dict of these keys:

        - `num_examples`, `resampling` as `trainers.evaluate` has them, `seeds`: the
          number of runs of each.
        - `metrics`: `{name: {"first", "second", "difference", "faces", "seeds",
          "interval", "better"}}`. The difference is the first's less the second's;
          `faces` is its interval over other faces, `seeds` half of that over other
          seeds, `interval` both together, None for a run each. `better` is `first`,
          `second`, or None where zero lies in the interval: in `faces`, of a run each.
        - `recall`: of each expression that occurs, the same without `seeds`.
        - `mcnemar`, for a run each: faces that only the `first` or the `second` reads
          right, and `p`, McNemar's exact test, which takes faces as independent.

    Raises:
        ValueError: If the two did not see the same faces, or share no metric.
    """
    found = differences.between([[p] for p in first], [[p] for p in second])
    if not found:
        raise ValueError(_apart([*first, *second]))
    values = [
        [scoring.scalars(scoring.score(seed)) for seed in seeds]
        for seeds in (first, second)
    ]
    units, unit = first[0].independent_units()
    result = {
        "num_examples": len(first[0]),
        "resampling": {
            "unit": unit,
            "num_units": len(np.unique(units)),
            "num_resamples": bootstrap.NUM_RESAMPLES,
            "level": bootstrap.LEVEL,
        },
        "seeds": [len(first), len(second)],
        "metrics": {
            name: _metric(name, *([v[name] for v in seeds] for seeds in values), one)
            for name, one in found.items()
            if scores.metric_of(name).interval != table.NONE
        },
    }
    if all("expression" in seeds[0].outputs for seeds in (first, second)):
        result |= _of_expressions(first, second, expressions, units)
    return result


def _apart(runs):
    for number, run in enumerate(runs[1:], start=2):
        if not np.array_equal(runs[0].sample_id, run.sample_id):
            return (
                f"not the same faces, or in another order: {len(runs[0]):,} of run 1 "
                f"and {len(run):,} of run {number}; --data=DIR has all read one set"
            )
    return "the two predict nothing in common that has labels"


def _metric(name, first, second, found):
    smaller_is_better = scores.metric_of(name).smaller_is_better
    return {
        "first": float(np.mean(first)),
        "second": float(np.mean(second)),
        "difference": found["ours"],
        **{key: found[key] for key in ("faces", "seeds", "interval")},
        "better": _better(found["interval"] or found["faces"], smaller_is_better),
    }


def _better(ends, smaller_is_better=False):
    if ends is None or ends[0] <= 0 <= ends[1]:
        return None
    return "second" if (ends[0] > 0) == smaller_is_better else "first"


def _of_expressions(first, second, expressions, units):
    """Recall by expression, and McNemar's test."""
    rows = first[0].labelled("expression")
    true = first[0].labels["expression"][rows]
    right = [
        np.mean([s.outputs["expression"][rows].argmax(1) == true for s in seeds], 0)
        for seeds in (first, second)
    ]
    recall = {
        name: _recall(*(r[true == k] for r in right), units[rows][true == k])
        for k, name in enumerate(expressions)
        if (true == k).any()
    }
    result = {"recall": recall}
    if len(first) == len(second) == 1:
        only = [int((one > other).sum()) for one, other in (right, right[::-1])]
        p = stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
        result["mcnemar"] = {"first": only[0], "second": only[1], "p": float(p)}
    return result


def _recall(first, second, units):
    sums = SumScores(
        np.stack([first - second, np.ones(len(first))], axis=1),
        lambda total: {"gap": ratio(total[..., 0], total[..., 1])},
    )
    ends = bootstrap.intervals(sums, units).get("gap")
    return {
        "first": float(first.mean()),
        "second": float(second.mean()),
        "difference": float((first - second).mean()),
        "faces": None if ends is None else list(ends),
        "num_examples": len(first),
        "better": _better(ends),
    }
