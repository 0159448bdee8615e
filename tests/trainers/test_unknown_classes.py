import keras
import numpy as np
import tensorflow as tf

from trainers import evaluation


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
    columns = evaluation.Evaluator(model, ()).outputs([batch])
    np.testing.assert_array_equal(columns["expression_weight"], [1, 0, 1, 0, 0])
    found = evaluation.score(columns)
    assert found["confusion"].sum() == 2
