import keras
import numpy as np
import pytest

from fer_tf import losses, metrics, scores
from tests.fer_tf.metrics import metric_cases
from tests.fer_tf.metrics.metric_cases import (
    EXPRESSION,
    LABELS,
    MASK,
    NUM,
    RNG,
    VA,
    WAY_NAMES,
    WAYS,
)

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
}


@pytest.mark.parametrize("weights, jit_compile", WAYS, ids=WAY_NAMES)
@pytest.mark.parametrize("case", CASES)
def test_batches_merge_to_the_whole_set(case, weights, jit_compile):
    metric_cases.assert_batches_merge(CASES[case], weights, jit_compile)


@pytest.mark.parametrize("case", CASES)
def test_nothing_valid_is_zero_and_changes_nothing(case):
    metric_cases.assert_nothing_valid_changes_nothing(CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_config_round_trip(case):
    metric_cases.assert_config_round_trip(CASES[case])


def test_labels_without_a_class_are_not_counted():
    logits = np.array([[0.0, 9.0], [0.0, 9.0], [9.0, 0.0]])
    for metric in (metrics.MeanClassAccuracy(2), metrics.ExpectedCalibrationError()):
        metric.update_state(np.array([1, 7, -1]), logits)
        alone = type(metric).from_config(metric.get_config())
        alone.update_state(np.array([1]), logits[:1])
        np.testing.assert_allclose(metric.result(), alone.result(), rtol=1e-6)


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
