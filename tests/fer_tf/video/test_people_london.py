"""Known people at one place before one wall, cut against each other."""

import pytest

from fer_tf.video.people import People
from tests.fer_tf.video import london_clips


@pytest.mark.slow
@pytest.mark.real_data
def test_three_people_who_take_turns_at_one_place_are_three():
    people, cast = People(), next(london_clips.casts(1, 1))
    shots = london_clips.CLIPS["same place"]
    found, there = london_clips.follow(shots, cast, {"looks": people})
    assert len(found) > 0.95 * there
    # Each of the six shots is a track.
    assert len({track for _, _, track in found}) == 6
    right, switches, number = london_clips.score(found, people.persons(3))
    assert right > 0.95 and switches == 0 and number == 3


def test_a_score_by_hand():
    """Seven of eight faces are under the number that stands for their person."""
    tracks = ["a1", "a1", "b2", "b2", "b2", "a3", "b4", "b4"]
    found = [(n, t[0], int(t[1])) for n, t in enumerate(tracks)]
    persons = {1: 1, 2: 2, 3: 2, 4: 2}
    right, switches, number = london_clips.score(found, persons)
    assert (right, switches, number) == (7 / 8, 1, 2)
    # Nobody's face is wrong, and no person more.
    assert london_clips.score(found, persons | {3: None}) == (7 / 8, 1, 2)
