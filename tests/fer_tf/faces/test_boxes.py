import numpy as np
import pytest

from fer_tf.faces import boxes
from fer_tf.faces.pyramid import Level


def random_boxes(count, seed=0):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 90, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(1, 60, (count, 2))], axis=1)


def overlap(a, b, over_smaller):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    shared = width * height
    return shared / (min(areas) if over_smaller else sum(areas) - shared)


@pytest.mark.parametrize("over_smaller", [False, True])
def test_suppress_against_loops_over_several_blocks(over_smaller, monkeypatch):
    monkeypatch.setattr(boxes, "_BLOCK", 16)
    candidates = random_boxes(75)
    expected = [
        i
        for i in range(75)
        if not any(
            overlap(candidates[i], candidates[j], over_smaller) > 0.5 for j in range(i)
        )
    ]
    kept = boxes.suppress(candidates, 0.5, over_smaller=over_smaller)
    assert kept.tolist() == expected


def test_a_suppressed_box_still_suppresses():
    chain = np.array([[0, 0, 10, 10], [3, 0, 13, 10], [6, 0, 16, 10]], float)
    assert boxes.suppress(chain, 0.5).tolist() == [0]  # 10 and 6 share 4 of 16.
    assert boxes.suppress(np.zeros((0, 4)), 0.5).tolist() == []
    assert boxes.suppress(np.zeros((2, 4)), 0.5).tolist() == [0, 1]


def test_squares_keep_the_centre():
    square = boxes.squared(np.array([[10.0, 20, 20, 50]]))
    assert square.tolist() == [[0, 20, 30, 50]]


def test_offsets_are_in_units_of_the_size_and_one():
    box = np.array([[10.0, 20, 19, 39]])
    moved = boxes.refined(box, np.array([[0.1, -0.1, 0, 0.5]]))
    assert moved.tolist() == [[11, 18, 19, 49]]
    fractions = np.array([[0, 0.5, 1, 0.2, 0.3, 0, 0.5, 1, 0.1, 0.2]])
    points = boxes.landmark_points(box, fractions)
    assert points.shape == (1, 5, 2)
    np.testing.assert_allclose(points[0, 1], [10 + 5 - 1, 20 + 10 - 1])
    np.testing.assert_allclose(points[0, 3], [10 + 2 - 1, 20 + 2 - 1])


def test_proposals_are_read_off_their_level():
    level = Level(scale=0.5, height=20, width=30, top=8, left=40)
    places = [
        (4, 20),  # The level's first window.
        (4 + 4, 20 + 9),  # Its last: 20 and 30 pixels hold 5 and 10.
        (4 + 5, 20), (4, 20 + 10), (3, 20), (4, 19),  # Outside.
    ]  # fmt: skip
    outputs = np.zeros((6, 5), np.float32)
    outputs[:, 4] = 3, 5, 9, 9, 9, 9
    outputs[1, 0] = 1
    found, confidences = boxes.proposed(np.array(places), outputs, level)
    assert confidences.dtype == np.float32
    np.testing.assert_allclose(confidences, 1 / (1 + np.exp([-5, -3])), atol=1e-6)
    np.testing.assert_allclose(found[1], np.array([1, 1, 12, 12]) / 0.5)
    np.testing.assert_allclose(found[0], np.array([19 + 11, 9, 30, 20]) / 0.5)


def test_confidences_tie_where_the_packages_do():
    """At logits 20 and 30 float32 knows no difference: the later place is first."""
    outputs = np.zeros((2, 5), np.float32)
    outputs[:, 4] = 30, 20
    level = Level(scale=1.0, height=40, width=40, top=0, left=0)
    found, confidences = boxes.proposed(np.array([(0, 0), (0, 3)]), outputs, level)
    assert confidences.tolist() == [1, 1]
    assert found.shape == (2, 4) and found[0, 0] > found[1, 0]
