import numpy as np
import pytest

from fer_tf.plotting.timeline import Timeline


def person(number, valence):
    return {
        "track_id": number,
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
    labels = [axes.get_ylabel() for axes in timeline.figure().axes]
    shown = [label for label in labels if label.startswith("person")]
    assert shown == [f"person {n}" for n in range(3, 9)]


def test_a_class_without_a_colour_has_its_band():
    timeline = Timeline()
    for frame in range(5):
        reading = {"track_id": 1, "probabilities": {"other": 0.5, "neutral": 0.5}}
        timeline.add(frame / 10, [reading])
    (legend,) = timeline.figure().legends
    assert [text.get_text() for text in legend.get_texts()] == ["other", "neutral"]


def test_a_video_without_faces_has_a_picture_too():
    timeline = Timeline()
    timeline.add(0.0, [])
    assert timeline.figure().axes == []
