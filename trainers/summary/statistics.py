"""Means over people, with bootstrap intervals over people.

A person with many faces counts once: faces are averaged within the person first.
"""

import collections
import itertools
from collections.abc import Iterator

import numpy as np

from fer_tf.scores import bootstrap
from fer_tf.scores.sums import SumScores
from trainers.summary.readings import Readings


def person_means(readings: Readings) -> dict[str, dict[str, np.ndarray]]:
    """Group -> person -> `(k,)` means of the readings over the person's faces."""
    sums = {}
    keys = zip(readings.groups, readings.people)
    for key, values in zip(keys, readings.values):
        total, count = sums.get(key, (0.0, 0))
        sums[key] = total + values, count + 1
    means = {}
    place = {group: number for number, group in enumerate(readings.ordered())}
    for group, person in sorted(sums, key=lambda key: (place[key[0]], key[1])):
        total, count = sums[group, person]
        means.setdefault(group, {})[person] = total / count
    return means


def person_rows(readings: Readings) -> Iterator[list]:
    """A table of the means of each person in each group; the first row names them.

    Yields:
        Group, person, number of faces, and the means of the readings.
    """
    yield ["condition", "person", "faces", *readings.names]
    counts = collections.Counter(
        zip(readings.groups.tolist(), readings.people.tolist())
    )
    for group, people in person_means(readings).items():
        for person, values in people.items():
            key = str(group), str(person)
            yield [*key, counts[key], *values.tolist()]


def describe(names: list[str], values: np.ndarray) -> dict[str, dict]:
    """Mean and 95 % interval of each reading over people.

    Args:
        names: Of the k readings.
        values: `(people, k)`.

    Returns:
        `{name: {"mean", "interval", "sd"}}`, the last over people, with n - 1; of one
        person alone there is the mean only.

    Example:
        >>> import numpy as np
        >>> found = describe(["fear"], np.array([[0.25], [0.75]]))
        >>> found["fear"]["mean"], found["fear"]["interval"]
        (0.5, (0.25, 0.75))
    """
    scores = _scores(names, values)
    found = _with_ends(scores.values(), bootstrap.intervals(scores))
    if len(values) > 1:
        for name, sd in zip(names, values.std(axis=0, ddof=1).tolist()):
            found[name]["sd"] = sd
    return found


def _scores(names, values):
    """The means of the readings as scores of the people."""
    rows = np.column_stack([np.ones(len(values)), values])

    def finish(sums):
        return {n: sums[..., i] / sums[..., 0] for i, n in enumerate(names, 1)}

    return SumScores(rows, finish)


def _with_ends(means, ends):
    return {
        name: {"mean": mean, **({"interval": ends[name]} if ends else {})}
        for name, mean in means.items()
    }


def means(readings: Readings) -> dict[str, dict]:
    """Group -> `{"people", "faces", "values"}`, the values as of `describe`."""
    return {
        group: {
            "people": len(people),
            "faces": int((readings.groups == group).sum()),
            "values": describe(readings.names, np.stack(list(people.values()))),
        }
        for group, people in person_means(readings).items()
    }


def differences(readings: Readings) -> list[dict]:
    """Paired differences of the people that are in both of two groups.

    Returns:
        For each two groups with common people `{"from", "to", "people", "values"}`: the
        values as of `describe`, of `to` minus `from`, and `larger`, the number of
        people in whom `to` is larger.
    """
    found = []
    for (one, first), (other, second) in itertools.combinations(
        person_means(readings).items(), 2
    ):
        both = sorted(first.keys() & second.keys())
        if both:
            gaps = np.stack([second[person] - first[person] for person in both])
            values = describe(readings.names, gaps)
            for name, larger in zip(readings.names, (gaps > 0).sum(0).tolist()):
                values[name]["larger"] = larger
            found.append(
                {"from": one, "to": other, "people": len(both), "values": values}
            )
    return found


def unpaired(readings: Readings) -> list[dict]:
    """Differences between the people that are in only one of two groups.

    Each group is resampled by itself. The people in both are in `differences`.

    Returns:
        For each two groups that have two such people or more `{"from", "to",
        "from_people", "to_people", "values"}`: the values as of `describe`, of the mean
        of `to` minus that of `from`.
    """
    found = []
    for (one, first), (other, second) in itertools.combinations(
        person_means(readings).items(), 2
    ):
        alone = [first.keys() - second.keys(), second.keys() - first.keys()]
        if min(map(len, alone)) < 2:
            continue
        start, to = (
            _scores(readings.names, np.stack([means[p] for p in sorted(people)]))
            for means, people in zip((first, second), alone)
        )
        gaps = _minus(to.values(), start.values())
        # The two samples are independent, so their seeds differ.
        drawn = _minus(
            *(bootstrap.resampled(s, seed=i) for i, s in enumerate((to, start)))
        )
        values = _with_ends(gaps, bootstrap.percentiles(drawn))
        people = {"from_people": len(start.rows), "to_people": len(to.rows)}
        found.append({"from": one, "to": other, **people, "values": values})
    return found


def _minus(these, those):
    return {name: these[name] - those[name] for name in these}
