import keras
import numpy as np
import pytest
import tensorflow as tf

from trainers.evaluation import scoring
from trainers.evaluation.evaluator import Evaluator


def test_a_class_the_model_does_not_have_is_not_scored():
    image = keras.Input((1,), name="image")
    model = keras.Model(image, {"expression": keras.layers.Dense(7)(image)})
    # Contempt (7) twice, one row without a label, one that only fills the batch.
    batch = {
        "image": tf.ones((6, 1)),
        "mask": tf.constant([1.0, 1, 1, 1, 1, 0]),
        "expression": tf.constant([0, 7, 3, 7, 2, 1], tf.int64),
        "expression_weight": tf.constant([1.0, 1, 1, 1, 0, 1]),
        "sample_id": tf.constant(list("abcdef")),
    }
    predictions = Evaluator(model, ()).predictions([batch])
    weights = predictions.weights["expression"]
    np.testing.assert_array_equal(weights, [1, 0, 1, 0, 0])
    found = scoring.score(predictions)
    assert found["confusion"].sum() == 2


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_no_first_class(broken):
    image = keras.Input((1,), name="image")
    model = keras.Model(image, {"expression": keras.layers.Dense(7)(image)})
    batch = {
        "image": tf.constant([[1.0], [broken], [broken]]),
        "mask": tf.constant([1.0, 1, 0]),  # The last row only fills the batch.
        "expression": tf.constant([0, 0, 0], tf.int64),
        "expression_weight": tf.ones(3),
        "sample_id": tf.constant(["good", "bad", "none"]),
    }
    evaluator = Evaluator(model, ())
    with pytest.raises(FloatingPointError, match="expression is NaN .* for 'bad'"):
        evaluator.predictions([batch])
    batch["mask"] = tf.constant([1.0, 0, 0])
    assert len(evaluator.predictions([batch])) == 1
