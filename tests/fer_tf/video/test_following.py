import numpy as np
import pytest

from fer_tf.faces import MTCNNDetector
from fer_tf.video.following import Follower

FRAME = np.zeros((90, 160, 3), np.uint8)


class Faces:
    """A detector that is told, for each frame, the places of the faces on it.

    A face is followed to a place at most 10 pixels away.
    """

    def __init__(self, places):
        self.places, self.calls, self.frame = places, [], -1

    def detect(self, images):
        self._forward("search")
        return [[self._face(x) for x in self.places[self.frame]] for _ in images]

    def follow(self, image, boxes):
        self._forward("follow")
        near = [x for x in self.places[self.frame]
                for box in boxes if abs(x - box[0]) <= 10]  # fmt: skip
        return [self._face(x) for x in near]

    def _forward(self, what):
        # A search after a face was lost is of the same frame.
        again = what == "search" and self.calls and self.calls[-1] == "lost"
        self.frame += not again
        lost = what == "follow" and len(self.places[self.frame]) < self._known()
        self.calls.append("lost" if lost else what)

    def _known(self):
        return len(self.places[self.frame - 1])

    def _face(self, x):
        return {"box": [x, 20, 30, 30], "confidence": 1.0}


def places(found):
    return [[face["box"][0] for face in faces] for faces in found]


def test_faces_are_followed_between_searches():
    detector = Faces([[10], [12], [14], [16], [18]])
    found = Follower(detector, 3).detect([FRAME] * 5, [True] + [False] * 4)
    assert places(found) == [[10], [12], [14], [16], [18]]
    assert detector.calls == ["search", "follow", "follow", "search", "follow"]


def test_a_new_face_is_seen_at_the_next_search_and_a_lost_one_at_once():
    detector = Faces([[10], [10, 90], [10, 90], [10, 90], [90], [90]])
    follower = Follower(detector, 3)
    found = follower.detect([FRAME] * 4, [False] * 4)
    found += follower.detect([FRAME] * 2, [False] * 2)  # The next group goes on.
    assert places(found) == [[10], [10], [10], [10, 90], [90], [90]]
    assert detector.calls == [
        "search", "follow", "follow", "search", "lost", "search", "follow"
    ]  # fmt: skip


def test_the_first_frame_of_a_shot_is_searched():
    detector = Faces([[10], [10], [90], [90]])
    shots = [True, False, True, False]
    assert places(Follower(detector, 9).detect([FRAME] * 4, shots))[2] == [90]
    assert detector.calls == ["search", "follow", "search", "follow"]


def test_every_frame_is_searched_together_by_default():
    class Together:
        def detect(self, images):
            return [["a face"]] * len(images)

    found = Follower(Together()).detect([FRAME] * 3, [False] * 3)
    assert found == [["a face"]] * 3


def test_what_cannot_be_done_is_refused():
    with pytest.raises(ValueError, match="`search_every` must be at least 1"):
        Follower(Faces([]), 0)
    with pytest.raises(ValueError, match="be 1 with a detector that cannot follow"):
        Follower(object(), 2)


def test_a_face_is_found_where_it_was_and_after_a_small_move():
    data = pytest.importorskip("skimage.data")
    image = data.astronaut()
    detector = MTCNNDetector()
    (face,) = detector.detect(image)
    (again,) = detector.follow(image, [face["box"]])
    assert np.abs(np.subtract(again["box"], face["box"])).max() <= 6
    assert np.abs(again["landmarks"] - face["landmarks"]).max() < 3
    moved = np.roll(image, (12, -20), axis=(0, 1))
    (there,) = detector.follow(moved, [face["box"]])
    shift = (there["landmarks"] - face["landmarks"]).mean(axis=0)
    assert shift == pytest.approx([-20, 12], abs=2)
    assert detector.follow(np.zeros_like(image), [face["box"]]) == []
    assert detector.follow(image, []) == []


def test_a_face_in_a_picture_that_is_shrunk_is_followed_at_its_own_place():
    image = pytest.importorskip("skimage.data").astronaut()
    detector = MTCNNDetector(max_side=256)
    (face,) = detector.detect(image)
    (again,) = detector.follow(image, [face["box"]])
    assert np.abs(again["landmarks"] - face["landmarks"]).max() < 6
