"""What holds for every metric, against the scores of whole arrays.

Those are tested against scikit-learn.
"""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf import metrics
from tests.fer_tf.metrics.metric_cases import (
    ACTION_UNIT,
    DIMENSIONAL,
    EXPRESSION,
    LABELS,
    LOGITS,
    MASK,
    NUM,
    UNIT_LOGITS,
    UNITS,
    VA,
    VA_GUESS,
)

DATA = {
    EXPRESSION: (LABELS, LOGITS),
    DIMENSIONAL: (VA, VA_GUESS),
    ACTION_UNIT: (UNITS, UNIT_LOGITS),
}
# name: (metric, the scores over weights, the score's name)
CASES = {
    "accuracy": (lambda: metrics.Accuracy(7), EXPRESSION, "accuracy"),
    "mean_class": (
        lambda: metrics.MeanClassAccuracy(7),
        EXPRESSION,
        "mean_class_accuracy",
    ),
    "macro_f1": (lambda: metrics.MacroF1(7), EXPRESSION, "macro_f1"),
    "expression": (lambda: metrics.ExpressionScore(7), EXPRESSION, "expression_score"),
    "confusion": (lambda: metrics.ConfusionMatrix(7), EXPRESSION, "confusion"),
    "ece": (lambda: metrics.ExpectedCalibrationError(), EXPRESSION, "ece"),
    "ccc_v": (lambda: metrics.CCC(0), DIMENSIONAL, "ccc_valence"),
    "ccc_a": (lambda: metrics.CCC(1), DIMENSIONAL, "ccc_arousal"),
    "ccc_mean": (lambda: metrics.MeanCCC(), DIMENSIONAL, "ccc_mean"),
    "pcc": (lambda: metrics.PCC(1), DIMENSIONAL, "pcc_arousal"),
    "rmse": (lambda: metrics.RMSE(0), DIMENSIONAL, "rmse_valence"),
    "sagr": (lambda: metrics.SignAgreement(1), DIMENSIONAL, "sagr_arousal"),
    "au_f1": (lambda: metrics.ActionUnitF1(8), ACTION_UNIT, "au_f1"),
    "au4_f1": (lambda: metrics.ActionUnitF1(8, index=2), ACTION_UNIT, "au_f1_AU4"),
    "au_accuracy": (lambda: metrics.ActionUnitAccuracy(8), ACTION_UNIT, "au_accuracy"),
    "au_score": (lambda: metrics.ActionUnitScore(8), ACTION_UNIT, "au_score"),
}
WAYS = [(None, False), (MASK, False), (MASK, True)]
WAY_NAMES = ["all", "masked", "masked, compiled"]


@pytest.mark.parametrize("weights, jit_compile", WAYS, ids=WAY_NAMES)
@pytest.mark.parametrize("case", CASES)
def test_batches_merge_to_the_whole_set(case, weights, jit_compile):
    make, reference, key = CASES[case]
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


@pytest.mark.parametrize("case", CASES)
def test_nothing_valid_is_zero_and_changes_nothing(case):
    make, reference, _ = CASES[case]
    labels, predictions = (x.copy() for x in DATA[reference])
    metric = make()
    metric.update_state(labels, predictions, sample_weight=np.zeros(NUM))
    assert not np.any(metric.result())
    metric.update_state(labels, predictions)
    before = metric.result()
    metric.update_state(labels, predictions, sample_weight=np.zeros(NUM))
    np.testing.assert_array_equal(metric.result(), before)


@pytest.mark.parametrize("case", CASES)
def test_config_round_trip(case):
    make, reference, _ = CASES[case]
    metric = make()
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == metric.get_config()
    for one in (metric, again):
        one.update_state(*DATA[reference])
    np.testing.assert_array_equal(again.result(), metric.result())
