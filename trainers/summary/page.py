"""A summary as a page in Markdown."""

from collections.abc import Iterator

from fer_tf.scores.text import MISSING, reading
from fer_tf.utils.markdown import head, line
from fer_tf.utils.names import one_line
from trainers.common.terminal import counted

NOTE = (
    "Each person's faces are averaged first, and then the people. Brackets: 95 % "
    "intervals over people, by Student's t, by Welch's for unpaired differences, and "
    "by Clopper and Pearson's of the share in whom a reading is larger; of one person "
    "alone there is none."
)
_DERIVED = (
    "`circumplex_valence` and `circumplex_arousal` are derived from the probabilities "
    "by published norms of emotion words; nobody rated the faces."
)
_UNKNOWN = (
    "By `--person=auto`, nobody in one file is anybody in another. If somebody is in "
    "both, say by `--person` or `--participants` how to tell, and the difference is "
    "paired."
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
    if unseen := summary["participants_unseen"]:
        yield f"Participants without a face: {', '.join(map(one_line, unseen))}."
    yield from ("", f"## By {summary['by']}", "")
    names = summary["readings"]
    means = _people if summary["by"] == "person" else _means
    yield from means(summary["groups"], names)
    unknown = summary["person"] == "auto" and not summary["participants"]
    yield from _differences(summary, "##", unknown=unknown)
    if around := summary.get("around"):
        yield from ("", "## Around events", "", _around(around))
        for event, after in summary["after_events"].items():
            end = f"{around['window'][1]:g} s"
            yield from (
                "",
                f"### {one_line(event)}: from the event to {end} after it",
                "",
            )
            yield from means(after["groups"], names)
            yield from _differences(after, "####")
    for name in pictures:
        yield from ("", f"![{name.removesuffix('.png')}]({name})")


def _columns(groups):
    return [(_titled(name, group), group) for name, group in groups.items()]


def _people(groups, names) -> Iterator[str]:
    """A line for each person, of whom there may be hundreds."""
    yield from head(["person", *names])
    for title, group in _columns(groups):
        yield line([title, *(_cell(group["values"][name]) for name in names)])


def _means(groups, names) -> Iterator[str]:
    """A column for each group."""
    yield from head(["reading", *(title for title, _ in _columns(groups))])
    for name in names:
        yield line([name, *(_cell(group["values"][name]) for group in groups.values())])


def _differences(compared, mark, *, unknown=False) -> Iterator[str]:
    """Tables of the paired and the unpaired differences, each below a heading."""
    for pair in compared["differences"]:
        to, start = one_line(pair["to"]), one_line(pair["from"])
        yield from ("", f"{mark} {to} minus {start}, paired", "")
        if pair["people"] == 1:
            yield "One person alone is in both: too few people to compare."
        else:
            yield f"The same {pair['people']:,} people are in both."
        yield ""
        yield from head(PAIRED)
        for name, value in pair["values"].items():
            yield line([name, *paired_cells(value, pair["people"])])
    for pair in compared["unpaired_differences"]:
        to, start = one_line(pair["to"]), one_line(pair["from"])
        yield from ("", f"{mark} {to} minus {start}, unpaired", "")
        yield (
            f"Different people: {pair['to_people']:,} in {to}, {pair['from_people']:,} "
            f"in {start}."
        )
        if unknown:
            yield _UNKNOWN
        yield ""
        yield from head(["reading", "difference of means", "interval holds 0"])
        for name, value in pair["values"].items():
            yield line([name, _cell(value), holds_zero(value)])


PAIRED = ("reading", "difference", "interval holds 0", "larger in", "as a share")
"""The columns of a paired difference."""


def paired_cells(value: dict, people: int) -> list[str]:
    """A paired difference, and in how many people the reading is larger.

    >>> value = {"mean": 0.5, "interval": (0.25, 0.75)}
    >>> value |= {"larger": 3, "smaller": 1, "larger_interval": (0.194, 0.994)}
    >>> paired_cells(value, 4)
    ['0.500 [0.250, 0.750]', 'no', '3 of 4', '0.750 [0.194, 0.994]']
    >>> paired_cells({**value, "smaller": 0}, 4)[2]
    '3 of 4 (equal in 1)'
    """
    larger = value["larger"]
    equal = people - larger - value["smaller"]
    count = f"{larger:,} of {people:,}" + (f" (equal in {equal:,})" if equal else "")
    share = reading(larger / people, value["larger_interval"], digits=3)
    return [_cell(value), holds_zero(value), count, share]


def _around(around):
    span = lambda ends: f"from {ends[0]:g} s to {ends[1]:g} s"
    events = counted(around["num_events"], "event", "events")
    text = f"{events}, {span(around['window'])} around each."
    if around["baseline"]:
        text += (
            " Each person's mean over the baseline, "
            f"{span(around['baseline'])}, is subtracted."
        )
    text += " n counts people, each averaged over the events first."
    if unknown := around["unknown_sources"]:
        text += f" No video with a face is called {', '.join(map(one_line, unknown))}."
    return text


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
    if model.get("min_face_score") is not None:
        text += f", those of a score of {model['min_face_score']:g} or more"
    if model.get("smallest_face") is not None:
        text += f" and at least {model['smallest_face']:g} pixels wide"
    if model.get("unsure_below") is not None:
        text += f"; unsure below {model['unsure_below']:.3f}"
    return f"{text}.{_of_videos(model)}"


def _of_videos(model):
    """How videos were read; empty for pictures."""
    if model.get("every") is None:
        return ""
    every = "every frame" if model["every"] == 1 else f"1 frame of {model['every']}"
    text = f" Of videos {every}"
    if model.get("search_every") is not None:
        text += f", of which 1 in {model['search_every']} was searched for faces"
    if model.get("smoothing"):
        text += f", readings averaged over {model['smoothing']:g} s"
    weights = model.get("face_weights")
    known = f"the face weights `{weights[:12]}`" if weights else "looks"
    text += f"; people known again by {known}"
    if model.get("people") is not None:
        text += f", {counted(model['people'], 'person', 'people')} in each"
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
