import numpy as np
import pytest

from fer_tf.video.people import People, looks

POINTS = np.array([[20, 25], [40, 25], [30, 37], [22, 46], [38, 46]], float)
IMAGE = np.zeros((120, 400, 3), np.uint8)


class Told:
    """An embedder that is told who is on the picture: its grey, as a place far off."""

    def embed(self, crops):
        return np.array([[float(crop.max()) / 10, 0.0] for crop in crops])


def shown(spans, *, scores=(), seconds=12.0, count=None, embedder=Told):
    """Persons of the tracks in `spans`: `(grey, from, to)`, two frames a second.

    Each track's faces have the score of its place in `scores`, by default 0.99.
    """
    people = People(embedder() if embedder else None)
    for time in np.arange(0, seconds, 0.5):
        image, faces = IMAGE.copy(), []
        for track, (grey, start, end) in enumerate(spans, 1):
            if start <= time < end:
                x = 60 * (track - 1)
                image[:70, x : x + 60] = grey
                points = (POINTS + [x, 0]).tolist()
                box = [x + 8, 8, 44, 50]
                face = {"track": track, "box": box, "landmarks": points}
                score = scores[track - 1] if scores else 0.99
                faces.append(face | {"confidence": score})
        people.add(image, time, faces)
    return people.persons(count)


def test_one_person_before_and_after_a_cut_is_one_and_numbers_go_by_appearance():
    spans = [(200, 0, 4), (100, 0, 4), (100, 4, 8), (200, 6, 8)]
    assert shown(spans) == {1: 1, 2: 2, 3: 2, 4: 1}


def test_tracks_that_overlap_in_time_are_two_people_however_alike():
    # The third is the second after a cut; it cannot be both, whatever its face.
    assert shown([(100, 0, 4), (100, 3, 6)]) == {1: 1, 2: 2}
    assert shown([(100, 0, 4), (100, 0, 4), (100, 5, 6)], count=1)[2] is None


def test_as_many_people_as_are_told():
    # 10, 10.4, 13 and 14 tenths: by distance alone there would be three people.
    spans = [(100, 0, 2), (104, 2, 4), (130, 4, 6), (140, 6, 8)]
    assert len({*shown(spans).values()}) == 3
    assert shown(spans, count=2) == {1: 1, 2: 1, 3: 2, 4: 2}
    assert shown(spans, count=1) == {1: 1, 2: 1, 3: 1, 4: 1}
    assert shown(spans, count=9) == {1: 1, 2: 2, 3: 3, 4: 4}


def test_a_short_track_beside_all_the_people_is_nobodys():
    spans = [(100, 0, 8), (200, 0, 8), (150, 3, 4)]
    assert shown(spans, count=2) == {1: 1, 2: 2, 3: None}


def test_a_short_track_of_low_score_makes_no_person():
    # One frame each. The first looks like nobody, the second like the person.
    spans = [(200, 3, 3.5), (100, 0, 2), (101, 4, 4.5)]
    assert shown(spans, scores=[0.97, 0.95, 0.97]) == {1: None, 2: 1, 3: 1}
    # A high score in one frame, or half a second, makes it a person.
    assert shown(spans, scores=[0.98, 0.95, 0.97]) == {1: 2, 2: 1, 3: 1}
    spans[0] = (200, 3, 4)
    assert shown(spans, scores=[0.97, 0.95, 0.97]) == {1: 2, 2: 1, 3: 1}
    # It shows while the person does, and is not them, however alike.
    assert shown([(100, 0, 2), (100, 1, 1.5)], scores=[0.95] * 2) == {1: 1, 2: None}
    # Seen again and again, it is nobody still.
    spans = [(200, t, t + 0.5) for t in range(0, 12, 2)]
    assert {*shown(spans, scores=[0.97] * 6).values()} == {None}


def test_a_false_face_does_not_merge_the_people_that_are_told():
    # By distance alone the false face would be one of two, and both people the other.
    spans = [(100, 0, 3), (140, 4, 7), (250, 8, 8.5)]
    persons = shown(spans, scores=[0.99, 0.99, 0.95], count=2)
    assert persons == {1: 1, 2: 2, 3: None}


def test_many_tracks_of_two_people_who_are_always_there():
    """A mean over many pairs must not outweigh that some of them are impossible."""
    spans = [(grey, t / 2, t / 2 + 0.5) for t in range(23) for grey in (100, 101)]
    people = People(Told())
    for time in range(23):
        faces = []
        for place in (0, 1):
            points = (POINTS + [60 * place, 0]).tolist()
            box = [60 * place + 8, 8, 44, 50]
            track = 2 * time + place + 1
            face = {"track": track, "box": box, "landmarks": points}
            faces.append(face | {"confidence": 0.99})
        people.add(IMAGE + 100, float(time), faces)
    persons = people.persons(2)
    assert len(spans) == len(persons) and {*persons.values()} == {1, 2}
    assert all(persons[2 * t + 1] != persons[2 * t + 2] for t in range(23))


def test_a_portrait_is_the_largest_face_of_each_person():
    people = People(Told())
    for track, grey, side in ((1, 50, 30), (2, 51, 60), (3, 200, 40)):
        image = np.full((120, 120, 3), grey, np.uint8)
        box = [20, 20, side, side]
        face = {"track": track, "box": box, "landmarks": POINTS.tolist()}
        people.add(image, float(track), [face | {"confidence": 0.99}])
    portraits = people.portraits(people.persons())
    assert {p: int(face.max()) for p, face in portraits.items()} == {1: 51, 2: 200}
    assert portraits[1].shape == (64, 64, 3)


def test_without_an_embedder_colours_of_hair_and_clothes_tell_people_apart():
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 256, (150, 150, 3), dtype=np.uint8)

    def picture(clothes):
        image = np.full((200, 200, 3), (90, 60, 30), np.uint8)
        image[105:] = clothes
        noise = rng.integers(0, 3, image.shape, dtype=np.uint8)
        return looks(image + noise, crop, [60, 40, 50, 60])

    red, again, green = map(picture, [(200, 30, 30), (200, 30, 30), (30, 200, 30)])
    away = lambda a, b: np.linalg.norm(a - b)
    assert away(red, again) < 0.1 < 0.4 < away(red, green)
    # The same face in half the light, and another.
    dark, other = crop // 2, crop[::-1, ::-1]
    seen = [looks(IMAGE, face, [9, 9, 40, 40]) for face in (crop, dark, other)]
    assert away(seen[0], seen[1]) < 0.4 and away(seen[0], seen[2]) > 1.2


def test_nothing_is_held_for_each_frame():
    people = People()
    face = {"track": 1, "box": [9, 9, 40, 40], "landmarks": POINTS.tolist()}
    face["confidence"] = 0.99
    sizes = []
    for frame in range(200):
        people.add(IMAGE, frame / 25, [face])
        (track,) = people._tracks.values()
        sizes.append(np.size(track.total) + track.portrait.size)
    assert len({*sizes}) == 1 and track.frames == 200 and track.count == 16


def test_no_face_no_person_and_a_wrong_count_is_refused():
    assert People().persons() == {} and People().portraits({}) == {}
    with pytest.raises(ValueError, match="count=0"):
        People().persons(0)
