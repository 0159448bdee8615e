import numpy as np
import pytest

from tests.trainers.evaluation.drawn import columns
from trainers.evaluation import scoring
from trainers.evaluation.predictions import Predictions


def intervals(given):
    return scoring.intervals(Predictions.from_columns(given))


def test_people_are_resampled_together():
    """One interval for a set, and for the set with every row ten times."""
    once = columns(200, subjects=200)
    rows = np.repeat(np.arange(200), 10)
    ten = {name: values[rows] for name, values in once.items()}
    # Rows that share a person are copies here: the subjects must be the rows.
    once["subject"] = np.array([b"p%d" % k for k in range(200)], object)
    ten["subject"] = once["subject"][rows]
    np.testing.assert_allclose(intervals(ten)["accuracy"], intervals(once)["accuracy"])
    ten["subject"] = np.full(2000, b"", object)
    narrow = np.ptp(intervals({**ten, "sample_id": np.arange(2000)})["nll"])
    wide = np.ptp(intervals(once)["nll"])
    np.testing.assert_allclose(wide / narrow, np.sqrt(10), rtol=0.2)


def test_the_order_of_the_rows_does_not_matter():
    given = columns(300, subjects=0)
    mixed = np.random.default_rng(1).permutation(300)
    other = {name: values[mixed] for name, values in given.items()}
    assert intervals(given)["accuracy"] == pytest.approx(intervals(other)["accuracy"])


def test_a_share_of_one_is_not_certain():
    """Clopper and Pearson: the p of which 20 of 20 come in 2.5 % of all cases."""
    given = columns(20, subjects=0)
    given["expression"] = 9.0 * np.eye(7)[given["true_expression"]]
    found = intervals(given)
    low, high = found["accuracy"]
    np.testing.assert_allclose(low**20, 0.025)
    assert high == 1.0 and found["mean_class_accuracy"] == [low, high]
    given["expression"] = -given["expression"]
    low, high = intervals(given)["accuracy"]
    np.testing.assert_allclose((1 - high) ** 20, 0.025)
