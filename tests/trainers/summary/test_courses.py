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


def event(time, name="cue", source=""):
    return {"time": time, "event": name, "source": source}


def test_events_are_the_middle_of_their_courses(tmp_path):
    """Around 0.3 s and 0.4 s of the first person: -0.1 s is 0.2 and 0.3."""
    events = [event(0.3, source="a.mp4"), event(0.4), event(0.3, "other", "b.mp4")]
    near = courses.around(clip(tmp_path), events, (-0.1, 0.05))
    assert list(near) == ["cue"]
    course = courses.courses(near["cue"], 0.1)["one"]
    assert [span["time"] for span in course] == [-0.05, 0.05]
    means = [span["values"]["happiness"]["mean"] for span in course]
    assert means == pytest.approx([0.25, 0.35])
    assert courses.around(clip(tmp_path), [], (-1, 1)) == {}


def test_the_source_of_an_event_is_the_end_of_a_path_in_whole_names(tmp_path):
    write(tmp_path, [(f"/v/{n}.mp4", 0.0, [0.5]) for n in ("1", "11")])
    near = courses.around(
        read(str(tmp_path), "auto"), [event(0, source="1.mp4")], (-1, 1)
    )
    assert near["cue"].sources.tolist() == ["/v/1.mp4"]


def test_events_come_in_the_order_of_their_first(tmp_path):
    frames = [("/v/a.mp4", i / 10, [0.5]) for i in range(10)]
    write(tmp_path / "one", frames)
    events = [event(0.2, "start"), event(0.4, "end"), event(0.6, "start")]
    near = courses.around(read(str(tmp_path), "auto"), events, (-0.1, 0.1))
    assert list(near) == ["start", "end"]


def test_events_are_kept_apart_by_condition_and_their_end_is_left_out(tmp_path):
    for folder, share in (("before", 0.2), ("after", 0.6)):
        frames = [(f"/v/{folder}.mp4", i / 10, [share]) for i in range(10)]
        write(tmp_path / folder, frames)
    found = read(str(tmp_path), "auto").chosen(slice(None), order=("before",))
    near = courses.around(found, [event(0.5)], (-0.2, 0.2))
    found = courses.courses(near["cue"], 0.2)
    assert list(found) == ["before", "after"]
    assert [span["time"] for span in found["before"]] == [-0.1, 0.1]


def test_a_baseline_is_subtracted_person_by_person(tmp_path):
    """The first rises by 0.1 a frame; the second comes with the event at 0.5 s."""
    near = courses.around(clip(tmp_path), [event(0.5)], (-0.2, 0.2), (-0.2, 0))["cue"]
    assert set(near.people) == {"/v/a.mp4#1"}
    # 0.3 to 0.6 minus the mean of 0.3 and 0.4.
    assert near.values[:, 0] == pytest.approx([-0.05, 0.05, 0.15, 0.25])


def test_courses_of_two_conditions_differ_person_by_person(tmp_path):
    """In the second half only ann and bea are in both; cem is in `after` alone."""
    shares = {
        "before/ann": [0.1, 0.2], "before/bea": [0.3, 0.3],
        "after/ann": [0.5, 0.7], "after/bea": [None, 0.6], "after/cem": [0.9, 0.9],
    }  # fmt: skip
    for name, halves in shares.items():
        frames = [(f"/v/{name}.mp4", t / 2, [s] if s is not None else [])
                  for t, s in enumerate(halves)]  # fmt: skip
        write(tmp_path / name, frames)
    readings = read(str(tmp_path), "stem").chosen(slice(None), order=("before",))
    found = courses.course_differences(readings, 0.5)
    spans = found["after minus before"]
    assert [(span["time"], span["people"]) for span in spans] == [(0.25, 1), (0.75, 2)]
    assert spans[0]["values"]["happiness"]["mean"] == pytest.approx(0.4)
    second = spans[1]["values"]["happiness"]
    assert second["mean"] == pytest.approx((0.5 + 0.3) / 2)
    # 0.5 and 0.3: a standard error of 0.1, and t of one degree of freedom 12.706.
    assert second["interval"] == pytest.approx((0.4 - 1.27062, 0.4 + 1.27062), abs=1e-4)
