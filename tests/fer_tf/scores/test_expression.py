import numpy as np
import pytest
from sklearn import metrics as sk

from fer_tf import scores

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


@pytest.mark.parametrize(
    "call",
    [
        lambda: scores.classification_scores(LABELS, LOGITS, 7, 0 * WEIGHTS),
        lambda: scores.classification_scores(LABELS, LOGITS, 5),
        lambda: scores.classification_scores(LABELS[1:], LOGITS, 7),
    ],
)
def test_errors(call):
    with pytest.raises(ValueError, match="Received"):
        call()
