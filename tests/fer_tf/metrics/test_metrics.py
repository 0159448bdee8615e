"""Every metric against `fer_tf.scores`, itself tested against scikit-learn."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf import losses, metrics, scores

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
DATA = {
    EXPRESSION: (LABELS, LOGITS),
    DIMENSIONAL: (VA, VA_GUESS),
    ACTION_UNIT: (UNITS, UNIT_LOGITS),
}


@pytest.mark.parametrize(
    "weights, jit_compile",
    [(None, False), (MASK, False), (MASK, True)],
    ids=["all", "masked", "masked, compiled"],
)
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


@pytest.mark.parametrize("make, key", [(metrics.CCC, "ccc"), (metrics.PCC, "pcc")])
def test_moments_keep_their_digits_far_from_zero(make, key):
    """About 1000, float32 sums of squares would leave nothing of the variance."""
    rng = np.random.default_rng(2)
    true = (1000 + rng.normal(size=(60, 512))).astype("float32")
    pred = (true + rng.normal(size=true.shape)).astype("float32")
    metric = make()
    for t, p in zip(true, pred):
        metric.update_state(t, p)
    flat = np.stack([true.ravel()] * 2, 1), np.stack([pred.ravel()] * 2, 1)
    expected = scores.dimensional_scores(*flat)[f"{key}_mean"]
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-4)


def test_masked_rows_may_hold_anything():
    metric = metrics.CCC(0)
    rubbish = np.where(MASK[:, None] > 0, VA_GUESS, np.nan)
    metric.update_state(VA, rubbish, sample_weight=MASK)
    np.testing.assert_allclose(metric.result(), DIMENSIONAL(MASK)["ccc_valence"], 1e-5)


def test_labels_without_a_class_are_not_counted():
    logits = np.array([[0.0, 9.0], [0.0, 9.0], [9.0, 0.0]])
    for metric in (metrics.MeanClassAccuracy(2), metrics.ExpectedCalibrationError()):
        metric.update_state(np.array([1, 7, -1]), logits)
        alone = type(metric).from_config(metric.get_config())
        alone.update_state(np.array([1]), logits[:1])
        np.testing.assert_allclose(metric.result(), alone.result(), rtol=1e-6)


def test_element_weights_choose_among_outputs():
    weights = np.stack([MASK, 1 - MASK], 1)
    metric = metrics.RMSE(1)
    metric.update_state(VA, VA_GUESS, sample_weight=weights)
    expected = DIMENSIONAL(1 - MASK)["rmse_arousal"]
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-5)


def test_evaluate_reports_them_for_named_outputs():
    image = keras.Input((3,), name="image")
    outputs = {
        "expression": keras.layers.Dense(7, name="expression")(image),
        "valence_arousal": keras.layers.Dense(2, name="valence_arousal")(image),
    }
    model = keras.Model(image, outputs)
    model.compile(
        loss={"expression": losses.CrossEntropy(), "valence_arousal": losses.CCCLoss()},
        weighted_metrics={
            "expression": [metrics.MacroF1(7), metrics.ExpectedCalibrationError()],
            "valence_arousal": [metrics.CCC(0, name="ccc_valence")],
        },
    )
    x = RNG.normal(size=(NUM, 3)).astype("float32")
    logs = model.evaluate(
        x,
        {"expression": LABELS, "valence_arousal": VA},
        sample_weight={"expression": MASK, "valence_arousal": 1 - MASK},
        batch_size=50,
        verbose=0,
        return_dict=True,
    )
    guess = model.predict(x, verbose=0)
    faces = scores.classification_scores(LABELS, guess["expression"], 7, MASK)
    va = scores.dimensional_scores(VA, guess["valence_arousal"], 1 - MASK)
    np.testing.assert_allclose(logs["expression_macro_f1"], faces["macro_f1"], 1e-5)
    np.testing.assert_allclose(logs["expression_ece"], faces["ece"], 1e-5)
    np.testing.assert_allclose(
        logs["valence_arousal_ccc_valence"], va["ccc_valence"], 1e-4
    )
