"""Readings by what is to be compared: conditions, facts about people, or several."""

import numpy as np

from trainers.common import cli
from trainers.summary.readings import Readings


def grouped(
    readings: Readings, by: tuple[str, ...], order: tuple[str, ...] = ()
) -> Readings:
    """Readings whose groups are by some of their conditions and facts.

    Args:
        readings: By condition.
        by: "condition", and columns of the table of participants.
        order: Names of conditions, or of values of a fact, in their order. Where any of
            a kind is named, the others of that kind are left out.

    Returns:
        Readings whose groups are called by their parts. Faces of whom a fact is not
        known are left out and counted.

    Raises:
        UsageError: If `order` names what is in no group.
    """
    columns = {
        name: readings.groups if name == "condition" else readings.facts[name]
        for name in by
    }
    seen = {value for column in columns.values() for value in column.tolist()}
    if missing := [name for name in order if name not in seen]:
        given, names = ",".join(order), ", ".join(missing)
        raise cli.UsageError(f"--order={given}: no faces in {names}")
    kept, left_out = np.ones(len(readings.groups), bool), dict(readings.left_out)
    for name, column in columns.items():
        chosen = {*order} & {*column.tolist()}
        for reason, there in (
            (f"faces without {name}", column != ""),
            ("faces of what --order does not name",
             np.isin(column, [*chosen]) if chosen else kept),
        ):  # fmt: skip
            if counts := _counts(readings.groups[kept & ~there]):
                left_out[reason] = counts
            kept = kept & there
    if not kept.any():
        raise cli.UsageError(f"--by={','.join(by)}: no face is in any group")
    rows = [*zip(*(column[kept].tolist() for column in columns.values()))]
    names = [", ".join(row) for row in rows]
    parts = dict(zip(names, rows))
    place = {name: number for number, name in enumerate(order)}
    rank = lambda group: [(place.get(p, len(place)), p) for p in parts[group]]
    return readings.chosen(
        kept, groups=np.array(names), left_out=left_out, parts=parts,
        order=tuple(sorted(parts, key=rank)),
    )  # fmt: skip


def _counts(groups):
    names, counts = np.unique(groups, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist()))
