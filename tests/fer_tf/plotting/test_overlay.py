import itertools

import numpy as np
import pytest

from fer_tf.plotting import overlay, pixels
from fer_tf.plotting.colors import COLORS, rgb


def face(box, p=0.9):
    return {
        "box": box,
        "expression": "happiness",
        "probabilities": {"happiness": p, "neutral": 1 - p},
        "track": 3,
    }


def test_a_copy_is_drawn_on_the_box():
    image = np.full((200, 200, 3), 90, np.uint8)
    drawn = overlay.draw_faces(image, [face([50, 60, 80, 90])])
    assert (image == 90).all()
    assert (drawn[100, 50] != 90).any() and (drawn[100, 130] != 90).any()
    assert (drawn[100, 90] == 90).all()


@pytest.fixture
def written(monkeypatch):
    """Every line of words that is written."""
    words, write = [], pixels.write
    note = lambda picture, text, *rest: (
        words.append(text),
        write(picture, text, *rest),
    )
    monkeypatch.setattr(pixels, "write", note)
    return words


def test_the_bars_are_named_and_as_long_as_the_probabilities(written):
    image = np.full((300, 400, 3), 40, np.uint8)
    drawn = overlay.draw_faces(image, [face([50, 100, 100, 100], p=0.75)])
    assert written == ["happiness", "neutral", "3 happiness 75%"]
    bar = lambda picture: (picture == rgb(COLORS["happiness"])).all(-1)
    long = bar(drawn)[:, 190:].any(0).sum()
    drawn_less = overlay.draw_faces(image, [face([50, 100, 100, 100], p=0.25)])
    short = bar(drawn_less)[:, 190:].any(0).sum()
    # Both ends of a bar are drawn.
    assert long > 18 and long - 1 == pytest.approx(3 * (short - 1), abs=2)
    # Neither on the neck below the box nor on the face.
    assert (drawn[204:, :155] == 40).all() and (drawn[105:195, 55:145] == 40).all()


def test_a_doubtful_face_has_a_dashed_white_box_and_says_why(written):
    image = np.full((300, 400, 3), 40, np.uint8)
    sure, unsure = ({**face([50, 100, 100, 100], p=0.6), "unsure": u} for u in (0, 1))
    drawn = overlay.draw_faces(image, [unsure])
    assert written[-1] == "3 happiness 60%? unsure"
    # Down the left line: white by turns. A sure one has its colour throughout.
    white = (drawn[105:195, 50] > 200).all(-1)
    assert 0.3 < white.mean() < 0.8 and np.count_nonzero(np.diff(white)) >= 10
    away = lambda picture: np.abs(picture - np.float32(rgb(COLORS["happiness"])))
    orange = lambda picture: (away(picture) < 40).all(-1)
    assert not orange(drawn).any()
    drawn = overlay.draw_faces(image, [sure])
    assert orange(drawn)[105:195, 50].all() and written[-1] == "3 happiness 60%"
    overlay.draw_faces(image, [{**sure, "sharpness": 0.1}])
    assert written[-1] == "3 happiness 60%? blurred"


def test_bars_cover_neither_faces_nor_other_bars():
    image = np.full((200, 700, 3), 40, np.uint8)
    boxes = [[20, 50, 90, 100], [180, 50, 90, 100], [500, 50, 90, 100]]
    drawn = overlay.draw_faces(image, [face(box) for box in boxes])
    for x, y, w, h in boxes:
        assert (drawn[y + 5 : y + h - 5, x + 5 : x + w - 5] == 40).all()
    # Between the first two is no room, and the edge is left of the first.
    assert (drawn[50:150, 120:170] == 40).all()
    assert (drawn[55:80, 285:330] != 40).any() and (drawn[55:80, 605:650] != 40).any()


def test_the_bars_of_a_face_that_fills_the_picture_lie_in_a_corner():
    taken = [(100, 0, 200, 300), (100, 4, 90, 20)]
    assert overlay._free_place((300, 400), *taken, 95, 40, taken) == (305, 0)
    assert overlay._free_place((300, 400), *taken, 120, 40, taken) is None


def test_a_label_covers_no_bars():
    """At the upper edge the label lies in the box, and is wider than it."""
    image = np.full((240, 480, 3), 40, np.uint8)
    box, label = (55, 22, 139, 186), (55.0, 26.0, 150.0, 18.0)
    # Right of the box, the first free level is 2 pixels below the label.
    place = overlay._free_place(image.shape, box, label, 110, 114, [box, label])
    assert place == (55 + 139 + 6, 26 + 18 + 2)


def test_labels_of_close_faces_do_not_cover_each_other(monkeypatch):
    boxes, draw = {}, pixels.draw_label

    def note(picture, text, box, *rest):
        boxes[text] = box
        draw(picture, text, box, *rest)

    monkeypatch.setattr(pixels, "draw_label", note)
    image = np.full((267, 400, 3), 40, np.uint8)
    heads = [
        [152, 88, 52, 72],
        [202, 106, 42, 62],
        [251, 109, 42, 53],
        [104, 72, 42, 50],
    ]
    faces = [{**face(box), "track": n} for n, box in enumerate(heads, 1)]
    overlay.draw_faces(image, faces)
    assert sorted(text[0] for text in boxes) == ["1", "2", "3", "4"]
    for (x, y, w, h), (u, v, m, n) in itertools.combinations(boxes.values(), 2):
        assert x >= u + m or u >= x + w or y >= v + n or v >= y + h


def test_letters_grow_with_the_face_and_no_further_than_the_picture():
    assert overlay._letters(60, 480) == 12  # The least that can be read.
    assert overlay._letters(180, 720) == 20
    assert overlay._letters(900, 1080) == 49  # A face of the whole height.


@pytest.mark.parametrize(
    "box", [[-40, -30, 90, 90], [150, 160, 300, 300], [3, 2, 4, 5]]
)
def test_a_face_partly_outside_or_tiny_is_drawn(box):
    image = np.zeros((200, 200, 3), np.uint8)
    assert overlay.draw_faces(image, [face(box)]).any()


def test_one_dimension_is_a_label_too():
    assert overlay._label({"track": 2, "valence": -0.25}, 1) == "2 v-0.2"
    assert overlay._label({"valence": 0.5, "arousal": -1.0}, 4) == "4 v+0.5 a-1.0"


def test_a_person_goes_before_their_track_and_nobody_has_no_number():
    assert overlay._label({"track": 2, "person": 1, "valence": 0.5}, 9) == "1 v+0.5"
    assert overlay._label({"track": 2, "person": None, "valence": 0.5}, 9) == "v+0.5"


def test_a_class_without_a_colour_has_a_bar_too():
    image = np.zeros((300, 300, 3), np.uint8)
    odd = {
        "box": [50, 50, 99, 99],
        "expression": "other",
        "probabilities": {"other": 1.0},
    }
    assert overlay.draw_faces(image, [odd])[50:, 155:].any()


def test_a_face_without_a_reading_is_boxed():
    image = np.zeros((99, 99, 3), np.uint8)
    assert overlay.draw_faces(image, [{"box": [10, 10, 40, 40]}]).any()
