import pytest

from tests.trainers.summary.written import PICTURES, write
from trainers.summary import courses
from trainers.summary.readings import read


def clip(tmp_path):
    """Two people for one second at 10 frames; the second comes at 0.5 s."""
    frames = [("/v/a.mp4", i / 10, [i / 10] + [1.0] * (i >= 5)) for i in range(10)]
    write(tmp_path / "one", frames)
    return read(str(tmp_path), "auto")


def test_a_course_is_the_mean_over_the_people_of_each_span(tmp_path):
    course = courses.courses(clip(tmp_path), 0.5)["one"]
    assert [span["time"] for span in course] == [0.25, 0.75]
    assert [span["people"] for span in course] == [1, 2]
    means = [span["values"]["happiness"]["mean"] for span in course]
    assert means == pytest.approx([0.2, (0.7 + 1.0) / 2])


def test_pictures_have_no_course(tmp_path):
    write(tmp_path, PICTURES)
    assert courses.courses(read(str(tmp_path), "stem"), 0.5) == {}


def test_events_are_the_middle_of_their_courses(tmp_path):
    """Around 0.3 s and 0.4 s of the first person: -0.1 s is 0.2 and 0.3."""
    events = [
        {"time": 0.3, "event": "cue", "source": "a.mp4"},
        {"time": 0.4, "event": "cue", "source": ""},
        {"time": 0.3, "event": "other", "source": "b.mp4"},
    ]
    near = courses.locked(clip(tmp_path), events, (-0.1, 0.05))
    course = courses.courses(near, 0.1)
    assert list(course) == ["cue"]
    assert [span["time"] for span in course["cue"]] == [-0.05, 0.05]
    means = [span["values"]["happiness"]["mean"] for span in course["cue"]]
    assert means == pytest.approx([0.25, 0.35])
    assert courses.courses(courses.locked(near, [], (-1, 1)), 0.1) == {}


@pytest.mark.parametrize("conditions", [["one"], ["one", "two"]])
def test_events_come_in_the_order_of_their_first(conditions, tmp_path):
    for folder in conditions:
        frames = [(f"/v/{folder}.mp4", i / 10, [0.5]) for i in range(10)]
        write(tmp_path / folder, frames)
    times = ((0.2, "start"), (0.4, "end"), (0.6, "start"))
    events = [{"time": time, "event": event, "source": ""} for time, event in times]
    near = courses.locked(read(str(tmp_path), "auto"), events, (-0.1, 0.1))
    found = [name.split(", ")[0] for name in courses.courses(near, 0.2)]
    assert list(dict.fromkeys(found)) == ["start", "end"]


def test_events_are_kept_apart_by_condition_and_their_end_is_left_out(tmp_path):
    for folder, share in (("before", 0.2), ("after", 0.6)):
        frames = [(f"/v/{folder}.mp4", i / 10, [share]) for i in range(10)]
        write(tmp_path / folder, frames)
    events = [{"time": 0.5, "event": "cue", "source": ""}]
    found = read(str(tmp_path), "auto").chosen(slice(None), order=("before",))
    near = courses.locked(found, events, (-0.2, 0.2))
    found = courses.courses(near, 0.2)
    assert list(found) == ["cue, before", "cue, after"]
    assert [span["time"] for span in found["cue, before"]] == [-0.1, 0.1]


def test_a_baseline_is_subtracted_person_by_person(tmp_path):
    """The first rises by 0.1 a frame; the second comes with the event at 0.5 s."""
    events = [{"time": 0.5, "event": "cue", "source": ""}]
    near = courses.locked(clip(tmp_path), events, (-0.2, 0.2), (-0.2, 0))
    assert set(near.people) == {"/v/a.mp4#1"}
    # 0.3 to 0.6 minus the mean of 0.3 and 0.4.
    assert near.values[:, 0] == pytest.approx([-0.05, 0.05, 0.15, 0.25])
