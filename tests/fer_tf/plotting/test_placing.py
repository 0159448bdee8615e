import itertools

import numpy as np

from fer_tf.plotting.placing import place_label


def overlaps(a, b, apart=0.0):
    return (a[0] < b[0] + b[2] + apart and b[0] < a[0] + a[2] + apart
            and a[1] < b[1] + b[3] + apart and b[1] < a[1] + a[3] + apart)  # fmt: skip


def test_labels_of_a_crowd_touch_neither_each_other_nor_the_edge():
    random = np.random.default_rng(0)
    boxes = [(*random.uniform(0, 350, 2), 40.0, 50.0) for _ in range(25)]
    taken = []
    for box in boxes:
        taken.append(place_label((90.0, 14.0), box, taken, boxes, (400.0, 400.0)))
    # A quarter of the height of 14 is kept free.
    assert not any(overlaps(a, b, 3.4) for a, b in itertools.combinations(taken, 2))
    for x, y, w, h in taken:
        assert 0 <= x and 0 <= y and x + w <= 400 and y + h <= 400


def test_a_face_at_the_upper_edge_has_its_label_beside_it_and_not_on_it():
    face = (100.0, 0.0, 50.0, 60.0)
    place = place_label((80.0, 14.0), face, [], [face], (400.0, 400.0))
    assert not overlaps(place, face)


def test_no_room_is_none():
    face = (0.0, 0.0, 9.0, 9.0)
    assert place_label((50.0, 14.0), face, [], [face], (40.0, 40.0)) is None
    whole = [(0.0, 0.0, 100.0, 100.0)]
    assert place_label((50.0, 14.0), face, whole, [face], (100.0, 100.0)) is None
