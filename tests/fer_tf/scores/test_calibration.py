import numpy as np
import pytest

from fer_tf import scores
from fer_tf.scores import calibration

RNG = np.random.default_rng(0)


def test_temperature_of_two_classes_in_closed_form():
    """Margin m, right in a share s: softmax(m / T) = s where T = m / ln(s / (1-s))."""
    logits = np.tile([0.0, 3.0], (100, 1))
    labels = np.arange(100) < 80
    found = calibration.fit_temperature(labels.astype(int), logits)
    np.testing.assert_allclose(found, 3 / np.log(4), rtol=1e-6)


def test_temperature_undoes_a_factor_and_is_the_minimum():
    logits = RNG.normal(size=(4000, 7))
    p = np.exp(scores.log_softmax(logits))
    labels = (p.cumsum(1) > RNG.random((4000, 1))).argmax(1)  # Drawn from p.
    found = calibration.fit_temperature(labels, 2.5 * logits)
    assert abs(found / 2.5 - 1) < 0.1
    nll = lambda t: scores.classification_scores(labels, 2.5 * logits / t, 7)["nll"]
    assert nll(found) < min(nll(found * 1.02), nll(found / 1.02))
    shifted = 2.5 * logits + RNG.normal(size=(4000, 1))
    np.testing.assert_allclose(calibration.fit_temperature(labels, shifted), found)


def test_temperature_ends_where_none_is_best():
    logits = np.eye(3) * 2
    right = calibration.fit_temperature([0, 1, 2], logits)
    wrong = calibration.fit_temperature([1, 2, 0], logits)
    np.testing.assert_allclose([right, wrong], calibration.TEMPERATURES, rtol=1e-6)
    for bound in (right, wrong):
        assert "none is best" in calibration.temperature_text(bound)
    assert calibration.temperature_text(0.5) == "0.500"


def test_selective_accuracy_by_hand():
    sure = np.array([0.5, 0.9, 0.7, 0.7])
    hits = np.array([False, True, True, False])
    accuracy, level = calibration.selective_accuracy(hits, sure)
    # Of the two at 0.7 either may come first: 1/2 each.
    np.testing.assert_allclose(accuracy, [1, 1.5 / 2, 2 / 3, 2 / 4])
    np.testing.assert_allclose(level, [0.9, 0.7, 0.7, 0.5])


@pytest.mark.parametrize(
    "coverage, count, rows",
    [(1, 7, 7), (0.9, 10, 9), (0.7, 3, 3), (0.7, 10, 7), (0.1, 3, 1)],
)
def test_rows_that_a_coverage_keeps(coverage, count, rows):
    assert calibration.kept(coverage, count) == rows


def test_reliability_holds_the_calibration_error():
    logits = RNG.normal(size=(500, 7)) * 2
    labels = RNG.integers(0, 7, 500)
    sure = calibration.confidence(logits)
    found = calibration.reliability(logits.argmax(1) == labels, sure)
    filled = found["count"] > 0
    gaps = np.abs(found["confidence"] - found["accuracy"])[filled]
    error = (found["count"][filled] * gaps).sum() / 500
    ece = scores.classification_scores(labels, logits, 7)["ece"]
    np.testing.assert_allclose(error, ece)
    assert found["count"].sum() == 500 and np.isnan(found["accuracy"][~filled]).all()


def test_no_rows():
    with pytest.raises(ValueError, match="none"):
        calibration.fit_temperature([], np.zeros((0, 7)))
