import numpy as np

from fer_tf import labels
from trainers.training import tensorboard


def batch(count):
    return {
        "image": np.random.default_rng(0).uniform(0, 255, (count, 44, 44, 1)),
        "expression": np.array([1, 0, 6, 0, 0][:count]),
        "expression_weight": np.array([1.0, 0, 1, 0, 0][:count]),
        "valence_arousal": np.array([[0.5, -0.25]] * count),
        "valence_arousal_weight": np.array([1.0, 1, 0, 0, 0][:count]),
        "action_units": np.tile([1.0, 0, 1, 0, 0, 0, 0, 1], (count, 1)),
        "action_units_weight": np.array(
            [[1] * 8, [0] * 8, [0, 1] * 4, [0] * 8, [0] * 8][:count]
        ),
        "is_face": np.array([1, 1, 1, 0, 0][:count]),
        "is_face_weight": np.array([1.0, 1, 1, 1, 0][:count]),
    }


def test_what_is_annotated_is_said_and_nothing_else():
    columns = batch(5)
    assert [
        tensorboard.caption(columns, row, labels.EXPRESSIONS) for row in range(5)
    ] == [
        "happiness\nv +0.50  a -0.25\nAU 1 4 25",
        "v +0.50  a -0.25",
        "anger\nAU 25",  # The last alone is both annotated and there.
        "no face",
        "no label",
    ]
    assert tensorboard.caption({"image": columns["image"]}, 0, ()) == "no label"


def test_crops_are_pictures():
    few, many = (
        tensorboard.crops(batch(n), labels.EXPRESSIONS, title="s") for n in (2, 5)
    )
    assert few.dtype == many.dtype == np.uint8 and few.shape[-1] == 3
    assert few.shape[0] == many.shape[0] and few.shape[1] < many.shape[1]
    assert few.std() > 20
