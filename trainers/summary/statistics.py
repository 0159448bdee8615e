"""Means over people, with Student's t intervals over people.

A person with many faces counts once: faces are averaged within the person first. Of few
people, bootstrap percentiles are far too narrow: of two, they miss the truth in half of
all samples.
"""

import collections
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


def person_rows(readings: Readings, by: tuple[str, ...]) -> Iterator[list]:
    """A table of the means of each person in each group; the first row names them.

    Args:
        readings: Of groups.
        by: What they are by, which names the columns of the group's parts.

    Yields:
        Group, person, number of faces, what the table of participants says where it is
        the same of all of them, and the means of the readings.
    """
    facts = {name: said for name, said in readings.facts.items() if name not in by}
    yield [*by, "person", "faces", *facts, *readings.names]
    keys = [*zip(readings.groups.tolist(), readings.people.tolist())]
    counts = collections.Counter(keys)
    said = {key: [set() for _ in facts] for key in counts}
    for key, *values in zip(keys, *facts.values()):
        for one, value in zip(said[key], values):
            one.add(str(value))
    for group, people in person_means(readings).items():
        for person, values in people.items():
            key = str(group), str(person)
            same = [value.pop() if len(value) == 1 else "" for value in said[key]]
            parts = readings.parts.get(key[0], key[:1])
            yield [*parts, key[1], counts[key], *same, *values.tolist()]


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


def share_interval(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share of people, by Clopper and Pearson.

    Its ends are the shares at which so many people, or more, and so many, or fewer,
    come in 2.5 % of all samples.

    Example:
        >>> [round(end, 3) for end in share_interval(9, 10)]
        [0.555, 0.997]
    """
    tail, rest = (1 - LEVEL) / 2, total - count
    low = special.betaincinv(count, rest + 1, tail) if count else 0.0
    high = special.betaincinv(count + 1, rest, 1 - tail) if rest else 1.0
    return float(low), float(high)


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
        values as of `describe`, of `to` minus `from`, and `larger` and `smaller`, the
        numbers of people in whom `to` is larger and smaller, and `larger_interval`, as
        of `share_interval`.
    """
    found, means_of = [], person_means(readings)
    for one, other in readings.pairs():
        first, second = means_of[one], means_of[other]
        both = sorted(first.keys() & second.keys())
        if both:
            gaps = np.stack([second[person] - first[person] for person in both])
            values = describe(readings.names, gaps)
            for name, larger, smaller in zip(
                readings.names, (gaps > 0).sum(0).tolist(), (gaps < 0).sum(0).tolist()
            ):
                ends = share_interval(larger, len(both))
                values[name] |= {"larger": larger, "larger_interval": ends}
                values[name]["smaller"] = smaller
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
    found, means_of = [], person_means(readings)
    for one, other in readings.pairs():
        first, second = means_of[one], means_of[other]
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
