"""Whether a paper's differences between rows are ours too.

A row is set against its baseline. The difference has an interval of two parts:

- other faces: the test faces are resampled, the same ones for both rows and every seed,
  so that what is easy or hard for both counts in neither (a paired bootstrap);
- other seeds: Student's t of the runs of both rows, whose deviation is taken as equal.
  Runs of one seed share nothing but the order of the faces, so they are not paired.

The two are independent of each other: their half widths are added as squares. With one
seed the second part is not known, and nothing is decided.
"""

from collections.abc import Sequence

import numpy as np
from scipy import special

from fer_tf.model_io.protocol import Protocol
from fer_tf.scores import SumScores, bootstrap
from trainers.evaluation.predictions import Predictions
from trainers.evaluation.scoring import TaskScores
from trainers.tables import scores
from trainers.tables.cells import HOLDS, REVERSED, UNDECIDED
from trainers.tables.papers import Table
from trainers.tables.plan import PlannedRow


def of_table(
    planned: Sequence[PlannedRow], table: Table, protocol: Protocol = Protocol.CLEAN
) -> list[dict]:
    """The difference of every finished row to its baseline, in every metric.

    Args:
        planned: The table's rows.
        table: The table.
        protocol: How the weights are chosen.

    Returns:
        A list of dicts of these keys:

        - `row`, `baseline`, `metric`;
        - `paper`: the difference that the paper states, or None;
        - `ours`: the mean of the row's seeds less that of the baseline's;
        - `faces`: its 95 % interval over other faces;
        - `seeds`: half its 95 % interval over other seeds, None for a single run each;
        - `interval`: both together, None without `seeds`;
        - `verdict`: `holds`, `reversed` or `not decided`; where the paper states none,
          `higher` or `lower` for the first two.
    """
    by_name = {row.row.name: row for row in planned}
    found = []
    for row in planned:
        baseline = table.baseline(row.row)
        if baseline is None or baseline.name not in by_name:
            continue
        measured = _measure(row, by_name[baseline.name], protocol)
        for metric in table.metrics:
            if metric not in measured:
                continue
            stated = _stated(row.row.paper, baseline.paper, metric)
            one = {
                "row": row.row.name,
                "baseline": baseline.name,
                "metric": metric,
                "paper": stated,
                **measured[metric],
            }
            found.append({**one, "verdict": _verdict(stated, one["interval"])})
    return found


def _stated(row, baseline, metric):
    if metric not in row or metric not in baseline:
        return None
    return round(row[metric] - baseline[metric], 6)


def _verdict(stated, interval):
    if stated == 0 or interval is None or interval[0] <= 0 <= interval[1]:
        return UNDECIDED
    higher = interval[0] > 0
    if stated is None:
        return "higher" if higher else "lower"
    return HOLDS if higher == (stated > 0) else REVERSED


def _measure(row, baseline, protocol):
    """`{metric: {"ours", "faces", "seeds", "interval"}}` of two finished rows."""
    pair = [scores.finished_seeds(planned, protocol) for planned in (row, baseline)]
    if not all(pair):
        return {}
    return between(
        *([scores.seed_predictions(s, protocol) for s in seeds] for seeds in pair)
    )


def between(
    one: Sequence[Sequence[Predictions]], other: Sequence[Sequence[Predictions]]
) -> dict[str, dict]:
    """The difference of two networks in every metric, over the same faces.

    Args:
        one: Predictions of a network, a list of folds for each seed.
        other: Those of the network that it is set against.

    Returns:
        `{metric: {"ours", "faces", "seeds", "interval"}}` as in `of_table`; empty if
        the two did not see the same faces.
    """
    predicted = [one, other]
    first, *others = (Predictions.concatenate(s) for seeds in predicted for s in seeds)
    if not all(np.array_equal(first.sample_id, p.sample_id) for p in others):
        return {}
    scored = [[scores.seed_tasks(folds) for folds in seeds] for seeds in predicted]
    means = [list(map(scores.mean_scores, zip(*seeds))) for seeds in scored]
    units = first.independent_units()[0]
    faces = {}
    for task in means[0]:
        if less := _less(task, means[1]):
            faces |= bootstrap.intervals(less.sums, units[less.rows])
    values = [[scores.seed_values(tasks) for tasks in seeds] for seeds in scored]
    return {
        metric: _combined(*([v[metric] for v in seeds] for seeds in values), ends)
        for metric, ends in faces.items()
    }


def _less(task, others):
    """One row's scores of a task less the other's, as sums over the same faces."""
    names = lambda t: {k for k, v in t.sums.values().items() if np.ndim(v) == 0}
    other = max(others, key=lambda t: len(names(t) & names(task)), default=None)
    shared = other and sorted(names(task) & names(other))
    if not shared or not np.array_equal(task.rows, other.rows):
        return None
    width = task.sums.rows.shape[1]

    def finish(sums):
        one = task.sums.finish(sums[..., :width])
        two = other.sums.finish(sums[..., width:])
        return {name: one[name] - two[name] for name in shared}

    rows = np.concatenate([task.sums.rows, other.sums.rows], axis=1)
    return TaskScores(SumScores(rows, finish), task.rows)


def _combined(ours, baseline, faces):
    """The difference of two rows' values by seed, with its intervals."""
    gap = float(np.mean(ours) - np.mean(baseline))
    seeds, interval = student_half(ours, baseline), None
    if seeds is not None:
        interval = [
            gap - float(np.hypot(gap - faces[0], seeds)),
            gap + float(np.hypot(faces[1] - gap, seeds)),
        ]
    return {"ours": gap, "faces": list(faces), "seeds": seeds, "interval": interval}


def student_half(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Half of Student's 95 % interval of a difference of means, of equal deviations.

    None of a single value each, which has no deviation.

    >>> round(student_half([1.0, 3.0], [0.0, 2.0]), 3)  # 4.303 * sqrt(2) * 1
    6.085
    """
    freedom = len(one) + len(other) - 2
    if not freedom:
        return None
    squares = sum(np.square(np.subtract(v, np.mean(v))).sum() for v in (one, other))
    error = np.sqrt(squares / freedom * (1 / len(one) + 1 / len(other)))
    return float(special.stdtrit(freedom, 0.5 + bootstrap.LEVEL / 2) * error)
