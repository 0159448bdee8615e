import numpy as np
import pytest

from fer_tf.export import check


def test_differences_by_hand():
    expected = {"probabilities": np.array([[0.6, 0.4], [0.3, 0.7]])}
    found = {"probabilities": np.array([[0.4, 0.6], [0.3, 0.7]])}
    report = check.compare(found, expected, np.array([0, 1]))
    assert report["crops"] == 2
    assert report["largest_difference"] == {"probabilities": pytest.approx(0.2)}
    assert report["mean_difference"] == {"probabilities": pytest.approx(0.1)}
    assert (report["agreement"], report["accuracy"], report["keras_accuracy"]) == (
        0.5, 0.5, 1.0,
    )  # fmt: skip
    limit = check.Limit(largest=0.25, mean=0.15, agreement=0.5)
    check.require(report, limit, "x")
    for change in ({"largest": 0.15}, {"mean": 0.05}, {"agreement": 0.6}):
        tight = check.Limit(**{**vars(limit), **change})
        with pytest.raises(ValueError, match="^x: .*not written$"):
            check.require(report, tight, "x")


def test_beyond_one_the_limits_are_in_proportion():
    expected = {"valence_arousal": np.array([[200.0, 0.0]])}
    close = {"valence_arousal": np.array([[200.01, 0.0]])}
    limit = check.Limit(largest=1e-4, mean=1e-4, agreement=0.9)
    check.require(check.compare(close, expected), limit, "x")
    off = {"valence_arousal": np.array([[200.03, 0.0]])}
    with pytest.raises(ValueError, match="by 0.03 .*more than 0.02"):
        check.require(check.compare(off, expected), limit, "x")


def test_a_nan_is_as_different_as_can_be():
    expected = {"valence_arousal": np.zeros((1, 2))}
    found = {"valence_arousal": np.array([[0.0, np.nan]])}
    report = check.compare(found, expected)
    with pytest.raises(ValueError, match="differs from Keras by inf"):
        check.require(report, check.QUANTIZATION, "x")
    with pytest.raises(ValueError, match="but Keras gives"):
        check.compare({"valence": np.zeros((1, 1))}, expected)
