import keras
import numpy as np

from fer_tf import losses, metrics, scores
from tests.fer_tf.metrics.metric_cases import (
    LABELS,
    MASK,
    NUM,
    RNG,
    VA,
)


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
