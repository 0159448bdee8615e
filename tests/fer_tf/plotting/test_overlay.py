import numpy as np
import pytest

from fer_tf.plotting import overlay


def face(box, p=0.9):
    return {
        "box": box,
        "expression": "happiness",
        "probabilities": {"happiness": p, "neutral": 1 - p},
        "track_id": 3,
    }


def test_a_copy_is_drawn_on_the_box():
    image = np.full((200, 200, 3), 90, np.uint8)
    drawn = overlay.draw_faces(image, [face([50, 60, 80, 90])])
    assert (image == 90).all()
    assert (drawn[100, 50] != 90).any() and (drawn[100, 130] != 90).any()
    assert (drawn[100, 90] == 90).all()


def test_the_bars_are_as_long_as_the_probabilities():
    image = np.zeros((300, 300, 3), np.uint8)
    drawn = overlay.draw_faces(image, [face([50, 50, 100, 100], p=0.6)])
    below = (drawn[153:, :].astype(int).sum(-1) > 0).sum(axis=1)
    lengths = sorted(below[below > 0])
    assert lengths[-1] == pytest.approx(61, abs=1)
    assert lengths[0] == pytest.approx(41, abs=1)


@pytest.mark.parametrize(
    "box", [[-40, -30, 90, 90], [150, 160, 300, 300], [3, 2, 4, 5]]
)
def test_a_face_partly_outside_or_tiny_is_drawn(box):
    image = np.zeros((200, 200, 3), np.uint8)
    assert overlay.draw_faces(image, [face(box)]).any()


def test_one_dimension_is_a_label_too():
    assert overlay._label({"track_id": 2, "valence": -0.25}) == "2 v-0.2"
    assert overlay._label({"valence": 0.5, "arousal": -1.0}) == "v+0.5 a-1.0"


def test_a_class_without_a_colour_has_a_bar_too():
    image = np.zeros((300, 300, 3), np.uint8)
    odd = {
        "box": [50, 50, 99, 99],
        "expression": "other",
        "probabilities": {"other": 1.0},
    }
    assert overlay.draw_faces(image, [odd])[150:].any()


def test_a_face_without_a_reading_is_boxed():
    image = np.zeros((99, 99, 3), np.uint8)
    assert overlay.draw_faces(image, [{"box": [10, 10, 40, 40]}]).any()
