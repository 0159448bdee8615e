import subprocess
import sys

import numpy as np
import pytest
from sklearn import metrics as sk

from fer_tf import metrics, scores

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 6, 500)  # Class 6 never occurs.
LOGITS = RNG.normal(size=(500, 7)) + 2 * np.eye(7)[LABELS]
GUESSES = LOGITS.argmax(1)
WEIGHTS = RNG.integers(0, 2, 500)


def test_classification_against_scikit_learn():
    ours = scores.classification_scores(LABELS, LOGITS, 7)
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    f1 = sk.f1_score(LABELS, GUESSES, average="macro", labels=range(7), zero_division=0)
    accuracy = sk.accuracy_score(LABELS, GUESSES)
    assert (GUESSES == 6).any()
    np.testing.assert_allclose(ours["accuracy"], accuracy)
    np.testing.assert_allclose(ours["macro_f1"], f1)
    np.testing.assert_allclose(ours["expression_score"], 0.67 * f1 + 0.33 * accuracy)
    np.testing.assert_allclose(
        ours["mean_class_accuracy"],
        sk.recall_score(LABELS, GUESSES, average="macro", labels=range(6)),
    )
    np.testing.assert_allclose(ours["nll"], sk.log_loss(LABELS, p, labels=range(7)))
    np.testing.assert_array_equal(
        ours["confusion"], sk.confusion_matrix(LABELS, GUESSES, labels=range(7))
    )


def test_calibration_error_by_hand():
    """Confidences .6 (right), .6 (wrong), .9 (right): (2 (.6-.5) + .1) / 3."""
    p = np.array([[0.6, 0.4], [0.6, 0.4], [0.1, 0.9]])
    ours = scores.classification_scores([0, 1, 1], np.log(p), 2)
    np.testing.assert_allclose(ours["ece"], 0.1)
    np.testing.assert_allclose(ours["nll"], -np.log([0.6, 0.4, 0.9]).mean())


def test_the_bins_of_the_calibration_error_are_fifteen():
    """.61 (right) and .66 (wrong) are of one, .6 to .667; .68 (right) of the next."""
    p = np.array([[0.61, 0.39], [0.66, 0.34], [0.68, 0.32]])
    ours = scores.classification_scores([0, 1, 0], np.log(p), 2)
    np.testing.assert_allclose(ours["ece"], (2 * (0.635 - 0.5) + 0.32) / 3)
    # A bin has its upper end: 9/15 is of the one below .6.
    assert scores.confidence_bins([0.0, 1 / 30, 0.6, 0.61, 1.0]).tolist() == [
        0, 0, 8, 9, 14
    ]  # fmt: skip


def test_zero_weight_is_absence_and_two_is_twice():
    labels = np.where(WEIGHTS > 0, LABELS, -1)
    masked = scores.classification_scores(labels, LOGITS, 7, WEIGHTS)
    kept = WEIGHTS > 0
    absent = scores.classification_scores(LABELS[kept], LOGITS[kept], 7)
    twice = scores.classification_scores(
        np.tile(LABELS[kept], 2), np.tile(LOGITS[kept], (2, 1)), 7
    )
    doubled = scores.classification_scores(LABELS, LOGITS, 7, 2 * WEIGHTS)
    for name in absent:
        np.testing.assert_allclose(masked[name], absent[name], err_msg=name)
        np.testing.assert_allclose(doubled[name], twice[name], err_msg=name)


def test_dimensional_by_hand_and_against_numpy():
    t = RNG.uniform(-1, 1, (300, 2))
    p = 0.5 * t + 0.3 * RNG.normal(size=t.shape) + 0.2
    ours = scores.dimensional_scores(t, p)
    for i, name in enumerate(("valence", "arousal")):
        (var_t, cov), (_, var_p) = np.cov(t[:, i], p[:, i], ddof=0)
        off = (t[:, i].mean() - p[:, i].mean()) ** 2
        np.testing.assert_allclose(ours[f"ccc_{name}"], 2 * cov / (var_t + var_p + off))
        np.testing.assert_allclose(
            ours[f"pcc_{name}"], np.corrcoef(t[:, i], p[:, i])[0, 1]
        )
        np.testing.assert_allclose(
            ours[f"rmse_{name}"], sk.root_mean_squared_error(t[:, i], p[:, i])
        )
        np.testing.assert_allclose(ours[f"sagr_{name}"], (t[:, i] * p[:, i] > 0).mean())
    np.testing.assert_allclose(
        ours["ccc_mean"], (ours["ccc_valence"] + ours["ccc_arousal"]) / 2
    )
    # Means 2 and 3, variances 2/3, covariance 2/3: (4/3) / (4/3 + 1).
    np.testing.assert_allclose(scores.concordance([1, 2, 3], [2, 3, 4]), 4 / 7)


def test_constant_predictions_have_no_concordance():
    ours = scores.dimensional_scores([[0.0, 0.5], [1.0, 0.5]], [[0.5, 0.5]] * 2)
    assert ours["ccc_valence"] == ours["ccc_arousal"] == ours["pcc_arousal"] == 0.0


def test_action_units_against_scikit_learn():
    y = RNG.random((200, 8)) < 0.3
    y[:, 7] = False
    logits = RNG.normal(size=y.shape) + y
    logits[:, 7] = -1.0
    ours = scores.action_unit_scores(y.astype(int), logits)
    f1 = [sk.f1_score(y[:, i], logits[:, i] > 0, zero_division=0) for i in range(8)]
    accuracy = (y == (logits > 0)).mean()
    np.testing.assert_allclose(ours["au_f1"], np.mean(f1))
    np.testing.assert_allclose(ours["au_f1_AU4"], f1[2])
    assert ours["au_f1_AU25"] == 0.0
    np.testing.assert_allclose(ours["au_accuracy"], accuracy)
    np.testing.assert_allclose(ours["au_score"], 0.5 * np.mean(f1) + 0.5 * accuracy)
    weights = (RNG.random(y.shape) < 0.5).astype(int)
    masked = scores.action_unit_scores(y, logits, weights)
    kept = weights[:, 0] > 0
    np.testing.assert_allclose(
        masked["au_f1_AU1"], sk.f1_score(y[kept, 0], logits[kept, 0] > 0)
    )


def test_a_unit_that_nobody_annotated_is_not_measured():
    y, logits = np.eye(8)[:6], 2.0 * np.eye(8)[:6] - 1.0
    weights = np.zeros((6, 8))
    weights[:, 1] = 1.0
    weights[:, 7] = 1.0  # Never occurs: 0 by ABAW's rule.
    found = scores.action_unit_scores(y, logits, weights)
    assert found["au_f1"] == 0.5 and found["au_accuracy"] == 1.0
    assert {n for n in found if n.startswith("au_f1_")} == {"au_f1_AU2", "au_f1_AU25"}
    metric = metrics.ActionUnitF1(8)
    metric.update_state(y, logits, weights)
    assert float(metric.result()) == 0.5


@pytest.mark.parametrize(
    "call",
    [
        lambda: scores.classification_scores(LABELS, LOGITS, 7, 0 * WEIGHTS),
        lambda: scores.classification_scores(LABELS, LOGITS, 5),
        lambda: scores.classification_scores(LABELS[1:], LOGITS, 7),
        lambda: scores.action_unit_scores(*2 * [np.ones((3, 7))], names=["AU1"] * 8),
        lambda: scores.action_unit_scores(np.ones((3, 8)), np.ones((3, 8)), [0] * 3),
    ],
)
def test_errors(call):
    with pytest.raises(ValueError, match="Received"):
        call()


def test_a_constant_has_no_concordance_whatever_rounding_leaves():
    constant, other = np.full(7, 0.1), np.linspace(-1, 1, 7)
    for pair in ((constant, constant + 0.3), (constant, other), (other, constant)):
        found = scores.one_dimension(*pair).values()
        assert found["ccc"] == found["pcc"] == 0.0


def test_needs_no_keras():
    code = "import sys, fer_tf.scores.bootstrap; sys.exit('keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
