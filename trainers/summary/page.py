"""A summary as a page in Markdown."""

from collections.abc import Iterator

from fer_tf.scores.text import MISSING, reading
from fer_tf.utils.markdown import head, line
from fer_tf.utils.names import one_line
from trainers.common.terminal import counted

NOTE = (
    "Each person's faces are averaged first, and then the people. Brackets: 95 % "
    "intervals over people, by Student's t, and by Welch's for unpaired differences; "
    "of one person alone there is none."
)
_DERIVED = (
    "`circumplex_valence` and `circumplex_arousal` are derived from the probabilities "
    "by published norms of emotion words; nobody rated the faces."
)
_UNKNOWN = (
    "By `--person=auto`, nobody in one file is anybody in another. If somebody is in "
    "both, say by `--person` how to tell, and the difference is paired."
)

# A bar inside a cell.
BAR = "\\|"


def page(summary: dict, pictures: list[str]) -> str:
    """The page.

    Args:
        summary: As in summary.json.
        pictures: Names of the figures beside it.
    """
    return "\n".join(_lines(summary, pictures)) + "\n"


def _lines(summary, pictures) -> Iterator[str]:
    yield from ("# Summary", "", NOTE)
    yield from map(_origin, summary["models"])
    if "circumplex_valence" in summary["readings"]:
        yield _DERIVED
    for reason, counts in summary["left_out_by_condition"].items():
        parts = [f"{n:,} in {one_line(name)}" for name, n in counts.items()]
        where = "" if [*counts] == ["all"] else f" ({', '.join(parts)})"
        yield f"Left out: {summary['left_out'][reason]:,} {reason}{where}."
    yield from ("", f"## By {summary['by']}", "")
    groups = summary["groups"]
    columns = [_titled(name, group) for name, group in groups.items()]
    rows = [
        [_cell(group["values"][name]) for group in groups.values()]
        for name in summary["readings"]
    ]
    if summary["by"] == "person":  # There may be hundreds.
        yield from head(["person", *summary["readings"]])
        rows, names = zip(*rows), columns
    else:
        yield from head(["reading", *columns])
        names = summary["readings"]
    for name, cells in zip(names, rows):
        yield line([name, *cells])
    for pair in summary["differences"]:
        to, start = one_line(pair["to"]), one_line(pair["from"])
        yield from ("", f"## {to} minus {start}, paired", "")
        if pair["people"] == 1:
            yield "One person alone is in both: too few people to compare."
        else:
            yield f"The same {pair['people']:,} people are in both."
        yield ""
        yield from head(["reading", "difference", "interval holds 0", "larger in"])
        for name, value in pair["values"].items():
            larger = f"{value['larger']:,} of {pair['people']:,}"
            yield line([name, _cell(value), holds_zero(value), larger])
    for pair in summary["unpaired_differences"]:
        to, start = one_line(pair["to"]), one_line(pair["from"])
        yield from ("", f"## {to} minus {start}, unpaired", "")
        yield (
            f"Different people: {pair['to_people']:,} in {to}, {pair['from_people']:,} "
            f"in {start}."
        )
        if summary["person"] == "auto":
            yield _UNKNOWN
        yield ""
        yield from head(["reading", "difference of means", "interval holds 0"])
        for name, value in pair["values"].items():
            yield line([name, _cell(value), holds_zero(value)])
    if around := summary.get("around"):
        yield from ("", "## Around events", "", _around(around))
    for name in pictures:
        yield from ("", f"![{name.removesuffix('.png')}]({name})")


def _around(around):
    span = lambda ends: f"from {ends[0]:g} s to {ends[1]:g} s"
    events = counted(around["num_events"], "event", "events")
    text = f"{events}, {span(around['window'])} around each."
    if around["baseline"]:
        text += (
            " Each person's mean over the baseline, "
            f"{span(around['baseline'])}, is subtracted."
        )
    return text + " n counts people, each averaged over the events first."


def _origin(model):
    """Which model read the faces, as far as predict left it written."""
    text = f"Read by the weights `{model['weights'][:12]}`"
    if model.get("model_folder") is not None:
        text += f" of `{one_line(str(model['model_folder']))}` ({model.get('model')})"
    if model.get("fer_tf") is not None:
        text += f" in fer-tf {model['fer_tf']}"
    if model.get("calibrated") is not None:
        text += f", with {'' if model['calibrated'] else 'un'}calibrated probabilities"
    if model.get("detector") is not None:
        text += f"; faces found by {model['detector']}"
    if model.get("unsure_below") is not None:
        text += f"; unsure below {model['unsure_below']:.3f}"
    return f"{text}."


def _titled(name, group):
    people = counted(group["people"], "person", "people")
    faces = counted(group["faces"], "face", "faces")
    return f"{one_line(name).replace('|', BAR)} ({people}, {faces})"


def holds_zero(value: dict) -> str:
    """Whether an interval holds 0, in words: the digits of an end may not tell.

    >>> holds_zero({"interval": (-0.0001, 0.2)}), holds_zero({"mean": 0.1})
    ('yes', '—')
    """
    if "interval" not in value:
        return MISSING
    low, high = value["interval"]
    return "yes" if low <= 0 <= high else "no"


def _cell(value):
    return reading(value["mean"], value.get("interval"), digits=3)
