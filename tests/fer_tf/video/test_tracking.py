import math

import cv2
import numpy as np
import pytest

from fer_tf.video.tracking import Cuts, Tracker


def face(x, y=0, side=50, **reading):
    return {"box": [x, y, side, side], **reading}


def ids(faces):
    return [f["track"] for f in faces]


def test_people_keep_their_numbers_whatever_the_order_of_the_faces():
    tracker = Tracker(smoothing=0)
    assert ids(tracker.update([face(0), face(200)], 0.0)) == [1, 2]
    assert ids(tracker.update([face(203), face(4)], 0.1)) == [2, 1]
    assert ids(tracker.update([face(8), face(400), face(206)], 0.2)) == [1, 3, 2]


def test_frames_far_apart_do_not_make_a_new_person_of_each():
    """As with `--every=30`: who was in the frame before is not unseen."""
    tracker = Tracker(max_gap=1.0, smoothing=0)
    for frame in range(5):
        assert ids(tracker.update([face(2 * frame)], 1.2 * frame)) == [1]
    tracker.update([], 6.0)
    assert ids(tracker.update([face(10)], 7.2)) == [2]


def test_two_people_who_pass_each_other_keep_their_numbers():
    """One runs right, one left: at the meeting only their speeds tell."""
    tracker = Tracker(smoothing=0)
    for step in range(21):
        right, left = 10 * step, 205 - 10 * step
        found = tracker.update([face(right, 0), face(left, 30)], step / 25)
        assert ids(found) == [1, 2], step


def test_a_fast_head_is_followed_though_its_boxes_do_not_overlap():
    tracker = Tracker(smoothing=0)
    assert ids(tracker.update([face(0)], 0.0)) == [1]
    assert ids(tracker.update([face(45)], 0.2)) == [1]
    # From here on it moves more than its own width a frame.
    assert ids(tracker.update([face(100)], 0.4)) == [1]
    assert ids(tracker.update([face(160)], 0.6)) == [1]


def test_a_short_absence_keeps_the_number_and_a_long_one_does_not():
    tracker = Tracker(max_gap=1.0, smoothing=0)
    assert ids(tracker.update([face(0)], 0.0)) == [1]
    assert tracker.update([], 0.5) == []
    assert ids(tracker.update([face(2)], 0.9)) == [1]
    assert tracker.update([], 1.4) == []
    assert ids(tracker.update([face(2)], 2.0)) == [2]


def test_a_face_of_another_size_is_another_person():
    tracker = Tracker(smoothing=0)
    tracker.update([face(0, side=50)], 0.0)
    assert ids(tracker.update([face(0, side=120)], 0.04)) == [2]


def test_smoothing_is_an_exponential_mean_over_time_not_over_frames():
    tracker = Tracker(smoothing=0.5)
    reading = lambda p, v: dict(
        probabilities={"neutral": 1 - p, "happiness": p}, valence=v,
        expression="happiness" if p > 0.5 else "neutral",
    )  # fmt: skip
    (first,) = tracker.update([face(0, **reading(0.0, -1.0))], 0.0)
    assert first["valence"] == -1.0
    (second,) = tracker.update([face(0, **reading(1.0, 1.0))], 0.2)
    share = 1 - math.exp(-0.2 / 0.5)
    assert second["valence"] == pytest.approx(-1 + 2 * share)
    assert second["probabilities"]["happiness"] == pytest.approx(share)
    assert sum(second["probabilities"].values()) == pytest.approx(1)
    assert second["expression"] == "neutral"
    assert second["unsmoothed"]["valence"] == 1.0
    # Twice as long without change: what is left of the old shrinks by exp(-0.4 / 0.5).
    (third,) = tracker.update([face(0, **reading(1.0, 1.0))], 0.6)
    assert 1 - third["valence"] == pytest.approx(
        (1 - second["valence"]) * math.exp(-0.8)
    )
    assert third["expression"] == "happiness"


def test_what_was_given_is_not_changed():
    given = face(0, valence=0.5)
    Tracker().update([given], 0.0)
    assert given == face(0, valence=0.5)


@pytest.mark.parametrize("argument", ["max_gap", "smoothing"])
def test_negative_times_are_refused(argument):
    with pytest.raises(ValueError, match=f"{argument}=-1"):
        Tracker(**{argument: -1})


def test_a_cut_ends_smoothing_and_begins_a_new_person():
    """Somebody else in the same place must not begin with the old one's reading."""
    tracker = Tracker(smoothing=0.3)
    (old,) = tracker.update([face(0, valence=-1.0)], 0.0)
    (new,) = tracker.update([face(0, valence=1.0)], 0.04, cut=True)
    assert (old["track"], new["track"]) == (1, 2)
    assert new["valence"] == 1.0
    (same,) = tracker.update([face(0, valence=1.0)], 0.08)
    assert same["track"] == 2


def scene(seed, grey=None):
    """Smooth colours; with `grey` before a wall of it, as a portrait is."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (5, 8, 3), dtype=np.uint8)
    image = cv2.resize(small, (320, 180), interpolation=cv2.INTER_CUBIC)
    if grey is not None:
        wall = np.full_like(image, grey)
        wall[30:150, 100:220] = image[30:150, 100:220]
        image = wall
    return image


def cuts(frames):
    detector = Cuts()
    return [n for n, frame in enumerate(frames) if detector.at(frame)]


@pytest.mark.parametrize("wall", [None, 230])
def test_a_hard_cut_is_seen_where_it_is(wall):
    rng = np.random.default_rng(0)
    noisy = lambda image: np.clip(image + rng.normal(0, 4, image.shape), 0, 255)
    frames = [scene(shot, wall) for shot in (1, 1, 1, 2, 2, 2, 2, 1, 3, 3)]
    frames = [noisy(frame).astype(np.uint8) for frame in frames]
    # One frame alone, between two cuts, has no usual step: scenes must differ then.
    found = cuts(frames)
    assert found[:2] == [3, 7]
    assert wall or found == [3, 7, 8]


def test_another_head_at_the_same_place_before_the_same_wall_is_a_cut():
    """A step below 8 of 255, among steps of noise."""
    rng = np.random.default_rng(0)

    def portrait(grey):
        image = np.full((180, 320, 3), 190, np.uint8)
        image[:, 40:100] = 90
        cv2.ellipse(image, (200, 110), (22, 36), 0, 0, 360, (grey,) * 3, cv2.FILLED)
        return np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)

    shots = [portrait(grey) for grey in (60, 130, 60, 120) for _ in range(12)]
    assert cuts(shots) == [12, 24, 36]


def test_what_moves_fades_or_brightens_is_no_cut():
    image = scene(1)
    pan = [np.roll(image, 8 * n, axis=1) for n in range(30)]
    lamp = [image] * 3 + [np.clip(image.astype(int) + 40, 0, 255).astype(np.uint8)] * 3
    share = np.linspace(0, 1, 25)[:, None, None, None]
    fade = (image * (1 - share) + scene(2) * share).astype(np.uint8)
    turned = [
        cv2.warpAffine(
            image, cv2.getRotationMatrix2D((160, 90), 3 * n, 1), (320, 180),
            borderMode=cv2.BORDER_REPLICATE,
        )
        for n in range(12)
    ]  # fmt: skip
    for frames in (pan, lamp, fade, turned, [np.zeros_like(image)] * 3):
        assert cuts(frames) == []
