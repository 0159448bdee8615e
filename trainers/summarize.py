r"""Summarises what trainers.predict wrote: means, differences, courses of time.

python -m trainers.predict   --input=london/ --output=out
python -m trainers.summarize --input=out --output=summary --person=stem
python -m trainers.summarize --input=clips_out --output=summary --order=before,after \
    --events=events.csv --window=-1,3 --baseline=-1,0
python -m trainers.summarize --input=clips_out --output=summary \
    --participants=participants.csv --by=condition,gender

Writes summary.md, summary.json, figures and people.csv, which has a row for each person
in each condition, for tests and models of your own.

The condition of a picture, or of a clip in a folder, is the first folder below the
--input of trainers.predict; that of another video is the first folder below --input
here in which its predictions lie. Differences are paired over the people in both of two
conditions, and unpaired between those in only one. Intervals are Student's t over
people, and Welch's where unpaired.

--person says how a person is known: `auto` (a person of a video; in pictures each face
is somebody else), `stem` (the file's name without its ending: neutral/001.jpg and
smiling/001.jpg show the same person), `folder` (the last folder), or a regular
expression whose first group in the path is the person. But for auto, each file shows
one person: the largest face of a picture, the person seen longest in a video.

--participants is a CSV file with a column `participant`, and facts about them in other
columns, by which --by can compare: --by=condition,gender. With the columns `source`
(the end of a file's path) and `person` (a number in it) it says who is who, in clips of
several people too.

--events is a CSV file with a column `time` in seconds, and `event` (its name) and
`source` (the end of the video's path) if there are several.
"""

import itertools
import os
import re

from absl import flags

from trainers.common import cli

_INPUT = flags.DEFINE_string("input", None, "Folder with predictions in it or below.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder; by default that of --input.")
_BY = flags.DEFINE_list(
    "by", ["condition"],
    "What to compare: condition, person, or columns of --participants: one or several.",
)  # fmt: skip
_PARTICIPANTS = flags.DEFINE_string(
    "participants", None, "CSV file of the people: who they are, and facts about them."
)
_PERSON = flags.DEFINE_string(
    "person", "auto", "auto, stem, folder, or a regular expression with a group."
)
_SPAN = flags.DEFINE_float(
    "span", 0.5, "Seconds of videos that are averaged.", lower_bound=0.01
)
_EVENTS = flags.DEFINE_string("events", None, "CSV file of events in videos.")
_WINDOW = flags.DEFINE_list("window", ["-1", "3"], "Seconds around an event.")
_BASELINE = flags.DEFINE_list(
    "baseline", None, "Seconds around an event whose mean is subtracted: -1,0."
)
_ORDER = flags.DEFINE_list("order", [], "Conditions to compare, in this order.")

_FIGURES = (
    "means", "differences", "unpaired_differences", "courses", "events",
    "event_differences",
)  # fmt: skip


def main() -> None:
    """Entry point of the command line."""
    import numpy as np

    from trainers.summary import study_tables
    from trainers.summary.groups import grouped
    from trainers.summary.readings import models, read

    _check_flags()
    window = _seconds(_WINDOW)
    baseline = _seconds(_BASELINE) if _BASELINE.value else None
    table = _PARTICIPANTS.value and study_tables.participants(_PARTICIPANTS.value)
    _check_table(table)
    events = study_tables.events(_EVENTS.value) if _EVENTS.value else []
    readings = read(_INPUT.value, _PERSON.value, table)
    if _EVENTS.value and not np.isfinite(readings.times).any():
        cli.fail("--events is for videos: photographs have no time", code=2)
    # A table by person leaves the comparisons to the conditions.
    by = tuple(_BY.value) if _BY.value != ["person"] else ("condition",)
    readings = grouped(readings, by, tuple(_ORDER.value))
    summary = {"models": models(_INPUT.value), **_summary(readings)}
    if _EVENTS.value:
        summary |= _around(events, readings, window, baseline)
    _write(summary, readings, by)


def _summary(readings):
    """Means, differences and courses of the groups."""
    from trainers.summary import courses, statistics

    shown = _shown(readings)
    return {
        "by": ", ".join(_BY.value),
        "person": _PERSON.value,
        "participants": _PARTICIPANTS.value,
        "readings": readings.names,
        "left_out": {k: sum(v.values()) for k, v in readings.left_out.items()},
        "left_out_by_condition": readings.left_out,
        "participants_unseen": list(readings.unseen),
        "intervals": {
            "unit": "person",
            "method": "Student's t, and Welch's for unpaired differences; Clopper and "
            "Pearson's of the share of people in whom a reading is larger",
            "level": statistics.LEVEL,
        },
        "groups": statistics.means(shown),
        "differences": statistics.differences(readings),
        "unpaired_differences": statistics.unpaired(readings),
        "courses": courses.courses(shown, _SPAN.value),
    }


def _shown(readings):
    """The readings by what the means and courses are of: groups, or people."""
    if _BY.value == ["person"]:
        return readings.chosen(slice(None), groups=readings.people, order=())
    return readings


def _write(summary, readings, by):
    """Writes the page, the numbers, the tables and the figures, and prints the page."""
    from fer_tf.utils import atomic
    from trainers.prediction import csv_table
    from trainers.summary import courses, page, statistics

    output = _OUTPUT.value or _INPUT.value
    os.makedirs(output, exist_ok=True)
    pictures = _draw(summary, output)
    atomic.write_json(os.path.join(output, "summary.json"), summary)
    csv_table.write_file(
        os.path.join(output, "people.csv"), statistics.person_rows(readings, by)
    )
    if summary["courses"]:
        names = ("courses", "events", "event_differences")
        kinds = {kind: summary.get(kind, {}) for kind in names}
        csv_table.write_file(
            os.path.join(output, "time_courses.csv"), courses.course_rows(kinds)
        )
    _remove_stale(output, pictures, summary)
    text = page.page(summary, pictures)
    atomic.write_text(os.path.join(output, "summary.md"), text)
    print(text)
    print(f"written: {os.path.join(output, 'summary.md')}")


def _check_flags():
    person, order = _PERSON.value, _ORDER.value
    if person not in ("auto", "stem", "folder"):
        try:
            groups = re.compile(person).groups
        except re.error as error:
            cli.fail(f"--person={person}: no regular expression: {error}", code=2)
        if not groups:
            cli.fail(rf"--person={person}: has no group, such as in (s\d+)_", code=2)
    if len(set(order)) < len(order):
        cli.fail(f"--order={','.join(order)}: names a condition twice", code=2)


def _seconds(flag):
    try:
        start, end = map(float, flag.value)
    except ValueError:
        start = end = 0.0
    if not start < end:
        cli.fail(
            f"--{flag.name} must be two numbers, FROM,TO, the smaller first", code=2
        )
    return start, end


def _check_table(table):
    """What --person and --by must agree with."""
    given = _PERSON.value != "auto"
    if table is not None and table.named == given:
        need = "is not for a table with" if given else "must say who is who without"
        cli.fail(f"--participants: --person {need} a column `source`", code=2)
    known = ("condition", "person", *(table.facts if table else ()))
    for name in _BY.value:
        if name not in known:
            cli.fail(f"--by={name}: must be one of {', '.join(known)}", code=2)
    several = len(_BY.value) > 1 and "person" in _BY.value
    if several or len({*_BY.value}) < len(_BY.value) or not _BY.value:
        cli.fail(f"--by={','.join(_BY.value)}: person stands alone, each once", code=2)


def _around(events, readings, window, baseline):
    """Courses around the events, and what each person showed after them."""
    from trainers.summary import courses, statistics

    shown, differ, after = {}, {}, {}
    unknown = _unknown_sources(events, readings)
    several = len(_shown(readings).ordered()) > 1
    near = courses.around(readings, events, window, baseline)
    if not near:
        why = _no_event(events, unknown, readings.times)
        cli.fail(f"{_EVENTS.value}: no event near a face: {why}")
    for event, here in near.items():
        for group, spans in courses.courses(_shown(here), _SPAN.value).items():
            shown[f"{event}, {group}" if several else event] = spans
        for title, spans in courses.course_differences(here, _SPAN.value).items():
            differ[f"{event}, {title}"] = spans
        later = here.chosen(here.times >= 0)
        if len(later.times):
            after[event] = {
                "groups": statistics.means(_shown(later)),
                "differences": statistics.differences(later),
                "unpaired_differences": statistics.unpaired(later),
            }
    about = {
        "num_events": len(events),
        "window": window,
        "baseline": baseline,
        "unknown_sources": unknown,
    }
    return {
        "events": shown,
        "event_differences": differ,
        "after_events": after,
        "around": about,
    }


def _unknown_sources(events, readings):
    """The sources of events that no video with a face is called by."""
    from trainers.summary.study_tables import is_end_of

    sources = {*readings.sources.tolist()}
    named = dict.fromkeys(event["source"] for event in events if event["source"])
    return [n for n in named if not any(is_end_of(n, source) for source in sources)]


def _no_event(events, unknown, times):
    """Why no event is near a face, in words."""
    import numpy as np

    if not events:
        return "it has no line"
    if unknown:
        return f"no video with a face is called {', '.join(unknown)}"
    first, last = np.nanmin(times), np.nanmax(times)
    return f"faces are seen from {first:g} s to {last:g} s"


def _draw(summary, output):
    """Draws what there is; returns the names of the pictures."""
    from fer_tf.plotting import summary_figures
    from fer_tf.plotting.style import save_figure

    figures, counted = {}, lambda name, n: f"{name} (n = {n:,})"
    if summary["by"] != "person":
        groups = summary["groups"].items()
        values = {counted(n, g["people"]): g["values"] for n, g in groups}
        label = _with_interval("mean over people", summary["groups"].values())
        figures["means.png"] = summary_figures.dots(values, label)
    if compared := [p for p in summary["differences"] if p["people"] > 1]:
        values = {
            counted(f"{p['to']} minus {p['from']}", p["people"]): p["values"]
            for p in compared
        }
        label = "paired difference over people, 95 % interval"
        figures["differences.png"] = summary_figures.dots(values, label, zero=True)
    if summary["unpaired_differences"]:
        values = {
            f"{p['to']} (n = {p['to_people']:,}) minus "
            f"{p['from']} (n = {p['from_people']:,})": p["values"]
            for p in summary["unpaired_differences"]
        }
        label = "unpaired difference of means over people, 95 % interval"
        figures["unpaired_differences.png"] = summary_figures.dots(
            values, label, zero=True
        )
    change = "change from the baseline, " if _BASELINE.value else ""
    for kind, label, shown in (
        ("courses", "seconds", "mean over people"),
        ("events", "seconds from the event", f"{change}mean over people"),
        ("event_differences", "seconds from the event", "paired difference"),
    ):
        if summary.get(kind):
            found = summary[kind]
            spans = {f"{name} ({_people(s)})": s for name, s in found.items()}
            shown = _with_interval(shown, itertools.chain(*found.values()))
            figures[f"{kind}.png"] = summary_figures.courses(
                spans, summary["readings"], label, shown, zero=kind != "courses"
            )
    for name, figure in figures.items():
        save_figure(figure, os.path.join(output, name), dpi=200)
    return list(figures)


def _remove_stale(output, pictures, summary):
    """Removes what an earlier run wrote and this one did not."""
    names = {f"{kind}.png" for kind in _FIGURES} - set(pictures)
    names |= set() if summary["courses"] else {"time_courses.csv"}
    for path in (os.path.join(output, name) for name in sorted(names)):
        if os.path.exists(path):
            os.remove(path)


def _with_interval(label, groups):
    """The label of an axis; where every group is one person, there is no interval."""
    several = any(group["people"] > 1 for group in groups)
    return f"{label}, 95 % interval" if several else label


def _people(spans):
    """How many people the spans of a course are means over."""
    least, *_, most = sorted([span["people"] for span in spans] * 2)
    return f"n = {least:,}" if least == most else f"n = {least:,} to {most:,}"


if __name__ == "__main__":
    cli.run(main, required=("input",))
