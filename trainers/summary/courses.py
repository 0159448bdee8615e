"""Readings of videos over time, and around events.

Every point is a mean over people, as in `trainers.summary.statistics`.
"""

from collections.abc import Iterator

import numpy as np

from trainers.summary.readings import Readings
from trainers.summary.statistics import means


def courses(readings: Readings, seconds: float) -> dict[str, list[dict]]:
    """Means over people in each span of time; pictures, which have none, are left out.

    Args:
        readings: Of videos.
        seconds: Length of a span.

    Returns:
        Group -> spans in order, each `{"time", "people", "values"}`: the time of its
        middle, and the values as of `describe`.
    """
    timed = readings.chosen(np.isfinite(readings.times))
    # A frame at 0.3 s lies in the fourth span of 0.1 s, whatever 0.3 / 0.1 is.
    spans = np.floor(timed.times / seconds + 1e-9).astype(int)
    found = {}
    for group in timed.ordered():
        for span in np.unique(spans[timed.groups == group]).tolist():
            here = timed.chosen((timed.groups == group) & (spans == span))
            (found_here,) = means(here).values()
            found_here.pop("faces")
            found_here["time"] = round((span + 0.5) * seconds, 6)
            found.setdefault(group, []).append(found_here)
    return found


def locked(
    readings: Readings,
    events: list[dict],
    window: tuple,
    baseline: tuple | None = None,
) -> Readings:
    """The readings around events, their times counted from the event.

    Args:
        readings: Of videos.
        events: Each `{"time", "event", "source"}`; without a source, of every video.
        window: Seconds `[from, to)` around the event.
        baseline: Seconds `[from, to)` around the event. The mean over them of each
            person of a video is subtracted; without a face in them, a person is left
            out. None subtracts nothing.

    Returns:
        Readings by event, and by condition if there are several. Events are in the
        order in which they first appear in `events`, and each event's conditions in
        theirs. A face near two events is in both.
    """
    conditions = readings.ordered()
    several = len(conditions) > 1
    name_of = lambda event, group: f"{event}, {group}" if several else event
    parts, values, times, groups = [], [], [], []
    for event in events:
        away = np.round(readings.times - event["time"], 6)
        here = np.ones(len(away), bool)
        if event["source"]:
            here = np.char.endswith(readings.sources, event["source"])
        near = here & (away >= window[0]) & (away < window[1])
        changes = readings.values
        if baseline:
            within = here & (away >= baseline[0]) & (away < baseline[1])
            changes, known = _changes(readings, within)
            near &= known
        rows = np.flatnonzero(near)
        parts.append(rows)
        values.append(changes[rows])
        times.append(away[rows])
        groups += [name_of(event["event"], group) for group in readings.groups[rows]]
    names = dict.fromkeys(event["event"] for event in events)
    return readings.chosen(
        np.concatenate([*parts, np.zeros(0, int)]),
        values=np.concatenate([*values, readings.values[:0]]),
        times=np.concatenate([*times, []]),
        groups=np.array(groups, str),
        order=tuple(name_of(name, group) for name in names for group in conditions),
    )


def _changes(readings, within):
    """Readings minus their mean in some rows, by person of a video; who is in them."""
    keys = np.char.add(np.char.add(readings.sources, "\n"), readings.people)
    _, codes = np.unique(keys, return_inverse=True)
    counts = np.bincount(codes[within], minlength=codes.max() + 1)
    sums = np.zeros((len(counts), len(readings.names)))
    np.add.at(sums, codes[within], readings.values[within])
    means = sums / np.maximum(counts, 1)[:, None]
    return readings.values - means[codes], counts[codes] > 0


def course_rows(kinds: dict[str, dict[str, list[dict]]]) -> Iterator[list]:
    """A table of courses; the first row names its columns.

    Args:
        kinds: Kind -> courses, as of `courses`.

    Yields:
        A row for each reading of each span; where there is no interval, its ends are
        None.
    """
    yield ["kind", "group", "time", "people", "reading", "mean", "low", "high"]
    for kind, found in kinds.items():
        for group, spans in found.items():
            for span in spans:
                for name, value in span["values"].items():
                    ends = value.get("interval", (None, None))
                    row = [kind, group, span["time"], span["people"], name]
                    yield [*row, value["mean"], *ends]
