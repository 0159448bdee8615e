"""Data of a metric's kind, and what holds for every metric.

A case is a metric's maker, the scores of `fer_tf.scores` over weights, which are
themselves tested against scikit-learn, and the score's name.
"""

import json

import keras
import numpy as np
import tensorflow as tf

from fer_tf import scores

RNG = np.random.default_rng(1)
NUM = 203  # Seven batches of 29.
LABELS = RNG.integers(0, 6, NUM)  # Class 6 never occurs.
LOGITS = (RNG.normal(size=(NUM, 7)) + np.eye(7)[LABELS]).astype("float32")
VA = RNG.uniform(-1, 1, (NUM, 2)).astype("float32")
VA_GUESS = (0.5 * VA + 0.3 * RNG.normal(size=VA.shape) + 0.1).astype("float32")
UNITS = RNG.integers(0, 2, (NUM, 8))
UNIT_LOGITS = (RNG.normal(size=(NUM, 8)) + UNITS).astype("float32")
MASK = RNG.integers(0, 2, NUM)

EXPRESSION = lambda w: scores.classification_scores(LABELS, LOGITS, 7, w)
DIMENSIONAL = lambda w: scores.dimensional_scores(VA, VA_GUESS, w)
ACTION_UNIT = lambda w: scores.action_unit_scores(UNITS, UNIT_LOGITS, w)

DATA = {
    EXPRESSION: (LABELS, LOGITS),
    DIMENSIONAL: (VA, VA_GUESS),
    ACTION_UNIT: (UNITS, UNIT_LOGITS),
}
# `(weights, jit_compile)` of `assert_batches_merge`, and their names.
WAYS = [(None, False), (MASK, False), (MASK, True)]
WAY_NAMES = ["all", "masked", "masked, compiled"]


def assert_batches_merge(case, weights, jit_compile):
    make, reference, key = case
    metric = make()
    labels, predictions = DATA[reference]
    update = metric.update_state
    if jit_compile:
        update = tf.function(metric.update_state, jit_compile=True)
    for _ in range(2):  # Again after a reset.
        for i in range(0, NUM, 29):  # Batches with few or no valid rows too.
            rows = slice(i, i + 29)
            w = None if weights is None else weights[rows]
            if jit_compile:
                update(labels[rows], predictions[rows], w)
            else:
                update(labels[rows], predictions[rows], sample_weight=w)
        result = keras.ops.convert_to_numpy(metric.result())
        np.testing.assert_allclose(result, reference(weights)[key], rtol=1e-5)
        metric.reset_state()
        if jit_compile:
            break


def assert_nothing_valid_changes_nothing(case):
    make, reference, _ = case
    labels, predictions = (x.copy() for x in DATA[reference])
    metric = make()
    metric.update_state(labels, predictions, sample_weight=np.zeros(NUM))
    assert not np.any(metric.result())
    metric.update_state(labels, predictions)
    before = metric.result()
    metric.update_state(labels, predictions, sample_weight=np.zeros(NUM))
    np.testing.assert_array_equal(metric.result(), before)


def assert_config_round_trip(case):
    make, reference, _ = case
    metric = make()
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == metric.get_config()
    for one in (metric, again):
        one.update_state(*DATA[reference])
    np.testing.assert_array_equal(again.result(), metric.result())
