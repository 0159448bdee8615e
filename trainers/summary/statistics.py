"""Means over people, with Student's t intervals over people.

A person with many faces counts once: faces are averaged within the person first. Of few
people, bootstrap percentiles are far too narrow: of two, they miss the truth in half of
all samples.
"""

import collections
import itertools
from collections.abc import Iterator

import numpy as np
from scipy import special

from trainers.summary.readings import Readings

LEVEL = 0.95


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
        >>> [round(end, 2) for end in found["fear"]["interval"]]
        [-2.68, 3.68]
    """
    means = values.mean(axis=0)
    if len(values) < 2:
        return {name: {"mean": mean} for name, mean in zip(names, means.tolist())}
    spread = values.std(axis=0, ddof=1)
    errors = spread / np.sqrt(len(values))
    found = _with_ends(names, means, errors, len(values) - 1)
    for name, sd in zip(names, spread.tolist()):
        found[name]["sd"] = sd
    return found


def _with_ends(names, means, errors, freedom):
    """Means and their t intervals, of standard errors and degrees of freedom."""
    half = special.stdtrit(freedom, (1 + LEVEL) / 2) * errors
    ends = zip((means - half).tolist(), (means + half).tolist())
    return {
        name: {"mean": mean, "interval": pair}
        for name, mean, pair in zip(names, means.tolist(), ends)
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

    By Welch's t. The people in both are in `differences`.

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
            np.stack([means[person] for person in sorted(people)])
            for means, people in zip((first, second), alone)
        )
        people = {"from_people": len(start), "to_people": len(to)}
        values = _welch(readings.names, start, to)
        found.append({"from": one, "to": other, **people, "values": values})
    return found


def _welch(names, start, to):
    """The difference of two means `(people, k)`, whose spreads may differ."""
    one, other = (values.var(axis=0, ddof=1) / len(values) for values in (start, to))
    total = one + other
    parts = one**2 / (len(start) - 1) + other**2 / (len(to) - 1)
    # Without any spread, the interval is the difference, whatever the freedom.
    freedom = np.divide(total**2, parts, out=np.ones_like(total), where=parts > 0)
    return _with_ends(names, to.mean(0) - start.mean(0), np.sqrt(total), freedom)
