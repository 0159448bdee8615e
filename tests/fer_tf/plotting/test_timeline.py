import numpy as np
import pytest

from fer_tf.plotting.timeline import Timeline


def person(number, valence):
    return {
        "person": number,
        "probabilities": {"neutral": 0.25, "happiness": 0.75},
        "valence": valence,
    }


def test_a_longer_video_takes_no_more_memory_and_loses_no_frame():
    timeline = Timeline()
    for frame in range(40_000):
        timeline.add(frame / 25, [person(1, np.sin(frame / 5000))])
    (spans,) = timeline._people.values()
    assert len(spans) <= 1024
    assert sum(count for count, _ in spans.values()) == 40_000
    total = sum(sums["valence"] for _, sums in spans.values())
    assert total == pytest.approx(np.sin(np.arange(40_000) / 5000).sum())


def test_an_absence_is_a_gap_and_the_time_between_two_frames_is_none():
    timeline = Timeline()
    for frame, present in enumerate([True, True, False, False, True]):
        timeline.add(frame * 0.5, [person(1, 0.3)] if present else [])
    column = timeline._means(
        timeline._people[1], "valence", max(timeline._with_frames) + 1
    )
    times = np.arange(len(column)) * 0.05
    assert np.isnan(column[(times > 0.99) & (times < 1.99)]).all()
    assert np.allclose(column[times < 0.95], 0.3)
    assert np.allclose(column[-1:], 0.3)


def test_a_row_for_each_of_the_people_seen_longest():
    timeline = Timeline()
    for frame in range(50):
        timeline.add(
            frame / 10, [person(n, 0.0) for n in range(1, 9) if n + frame > 20]
        )
    titles = [axes.get_title(loc="left") for axes in timeline.figure().axes]
    assert [title for title in titles if title] == [f"person {n}" for n in range(3, 9)]


def test_probabilities_have_an_axis_and_dimensions_a_panel_of_their_own():
    timeline = Timeline()
    for frame in range(20):
        timeline.add(frame / 10, [person(1, 0.5)])
    face = np.zeros((64, 64, 3), np.uint8)
    left, bands, _, lines = timeline.figure({1: face}).axes
    assert left.images and bands.get_ylabel() == "probability"
    assert bands.get_ylim() == (0, 1) and list(bands.get_yticks()) == [0, 0.5, 1]
    assert lines.get_ylabel() == "valence"
    (line,) = (line for line in lines.lines if line.get_label() == "valence")
    assert np.allclose(line.get_ydata(), 0.5)


def test_the_derived_place_on_the_circumplex_is_drawn_where_there_is_no_head():
    derived = {"circumplex_valence": 0.4, "circumplex_arousal": -0.2}
    alone, beside = Timeline(), Timeline()
    alone.add(0.0, [{"person": 1, **derived}])
    beside.add(0.0, [person(1, 0.5) | derived])
    (axes,) = (axes for axes in alone.figure().axes if axes.get_ylabel())
    assert axes.get_ylabel() == "circumplex valence\ncircumplex arousal"
    names = [text.get_text() for text in alone.figure().legends[0].get_texts()]
    assert names == ["derived valence", "derived arousal"]
    assert beside.figure().axes[-1].get_ylabel() == "valence"


def test_a_face_that_is_nobodys_is_passed_over():
    timeline = Timeline()
    timeline.add(0.0, [person(None, 0.5)])
    assert timeline.figure().axes == []


def test_a_class_without_a_colour_has_its_band():
    timeline = Timeline()
    for frame in range(5):
        reading = {"person": 1, "probabilities": {"other": 0.5, "neutral": 0.5}}
        timeline.add(frame / 10, [reading])
    (legend,) = timeline.figure().legends
    assert [text.get_text() for text in legend.get_texts()] == ["other", "neutral"]


def test_a_video_without_faces_has_a_picture_too():
    timeline = Timeline()
    timeline.add(0.0, [])
    assert timeline.figure().axes == []
