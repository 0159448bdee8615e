"""Readings of videos over time, and around events.

Every point is a mean over people, as in `trainers.summary.statistics`.
"""

from collections.abc import Iterator

import numpy as np

from trainers.summary.readings import Readings
from trainers.summary.statistics import differences, means
from trainers.summary.study_tables import is_end_of


def courses(readings: Readings, seconds: float) -> dict[str, list[dict]]:
    """Means over people in each span of time; pictures, which have none, are left out.

    Args:
        readings: Of videos.
        seconds: Length of a span.

    Returns:
        Group -> spans in order, each `{"time", "people", "values"}`: the time of its
        middle, and the values as of `describe`.
    """
    found = {}
    for time, here in _spans(readings, seconds):
        for group, span in means(here).items():
            del span["faces"]
            found.setdefault(group, []).append({"time": time, **span})
    return {group: found[group] for group in readings.ordered() if group in found}


def course_differences(readings: Readings, seconds: float) -> dict[str, list[dict]]:
    """Paired differences of each two groups in each span of time.

    In a span, those people count who are seen in both groups.

    Args:
        readings: Of videos.
        seconds: Length of a span.

    Returns:
        "to minus from" -> spans, as of `courses`.
    """
    found = {}
    for time, here in _spans(readings, seconds):
        for pair in differences(here):
            span = {name: pair[name] for name in ("people", "values")}
            title = f"{pair['to']} minus {pair['from']}"
            found.setdefault(title, []).append({"time": time, **span})
    return found


def _spans(readings, seconds):
    """The middle of each span of time, and the readings in it."""
    timed = readings.chosen(np.isfinite(readings.times))
    # A frame at 0.3 s lies in the fourth span of 0.1 s, whatever 0.3 / 0.1 is.
    spans = np.floor(timed.times / seconds + 1e-9).astype(int)
    order = np.argsort(spans, kind="stable")
    numbers, starts = np.unique(spans[order], return_index=True)
    for number, rows in zip(numbers.tolist(), np.split(order, starts[1:])):
        yield round((number + 0.5) * seconds, 6), timed.chosen(rows)


def around(
    readings: Readings,
    events: list[dict],
    window: tuple,
    baseline: tuple | None = None,
) -> dict[str, Readings]:
    """The readings around events, their times counted from the event.

    Args:
        readings: Of videos.
        events: Each `{"time", "event", "source"}`; without a source, of every video.
        window: Seconds `[from, to)` around the event.
        baseline: Seconds `[from, to)` around the event. The mean over them of each
            person of a video is subtracted; without a face in them, a person is left
            out. None subtracts nothing.

    Returns:
        Readings of each event near which there is a face, in the order in which the
        events first appear. A face near two events of one name is in it twice.
    """
    parts = {event["event"]: [] for event in events}
    for event in events:
        away = np.round(readings.times - event["time"], 6)
        here = np.ones(len(away), bool)
        if event["source"]:
            names, codes = np.unique(readings.sources, return_inverse=True)
            here = np.array([is_end_of(event["source"], n) for n in names])[codes]
        near = here & (away >= window[0]) & (away < window[1])
        changes = readings.values
        if baseline:
            within = here & (away >= baseline[0]) & (away < baseline[1])
            changes, known = _changes(readings, within)
            near &= known
        rows = np.flatnonzero(near)
        parts[event["event"]].append((rows, changes[rows], away[rows]))
    found = {}
    for name, each in parts.items():
        rows, values, times = map(np.concatenate, zip(*each))
        if len(rows):
            found[name] = readings.chosen(rows, values=values, times=times)
    return found


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
