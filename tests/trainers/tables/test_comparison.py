"""A comparison of two networks, from predictions written by hand."""

import numpy as np
import pytest
from scipy import stats

from tests.trainers.tables.test_scores import classified
from trainers.evaluation.predictions import Predictions
from trainers.tables import comparison

NAMES = ("neutral", "happiness", "sadness")


def said(true, guess, **more):
    ids = np.array([b"%d" % n for n in range(len(true))])
    columns = classified(np.array(true), np.array(guess), 3, sample_id=ids, **more)
    return Predictions.from_columns(columns)


def off(true, wrong):
    """The true classes, with the next class in some places."""
    guess = np.array(true)
    guess[list(wrong)] = (guess[list(wrong)] + 1) % 3
    return guess


def test_single_runs_have_mcnemars_exact_test():
    true = [0, 1] * 50
    # The first alone is right on 8 faces, the second alone on 2; both miss face 99.
    first, second = (
        said(true, off(true, wrong)) for wrong in ((0, 1, 99), (*range(2, 10), 99))
    )
    found = comparison.compare([first], [second], NAMES)
    # Twice the 56 of 1,024 ways in which two or fewer of ten coins show heads.
    assert found["mcnemar"] == {"first": 8, "second": 2, "p": pytest.approx(0.109375)}
    accuracy = found["metrics"]["accuracy"]
    assert accuracy["first"] == pytest.approx(0.97)
    assert accuracy["second"] == pytest.approx(0.91)
    assert accuracy["difference"] == pytest.approx(0.06)
    # The mean of 8 ones, 2 minus ones and 90 zeros: 1.96 of its standard errors.
    half = 1.96 * np.sqrt((0.10 - 0.06**2) / 100)
    assert accuracy["faces"] == pytest.approx([0.06 - half, 0.06 + half], abs=0.02)
    assert accuracy["seeds"] is None and accuracy["interval"] is None
    assert "sadness" not in found["recall"]
    happy = found["recall"]["happiness"]
    assert (happy["first"], happy["second"]) == (48 / 50, 45 / 50)
    assert happy["num_examples"] == 50
    # A calibration error's bootstrap is biased: it has no interval, here neither.
    assert "ece" not in found["metrics"]


def test_seeds_are_pooled_and_spread():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 400)
    good, bad = (
        [said(true, off(true, np.flatnonzero(rng.random(400) < share))) for share in s]
        for s in ((0.1, 0.12, 0.08), (0.4, 0.42))
    )
    found = comparison.compare(good, bad, NAMES)
    assert found["seeds"] == [3, 2] and "mcnemar" not in found
    one, other = (
        [np.mean(s.outputs["expression"].argmax(1) == true) for s in seeds]
        for seeds in (good, bad)
    )
    ends = stats.ttest_ind(one, other).confidence_interval(0.95)
    accuracy = found["metrics"]["accuracy"]
    assert accuracy["seeds"] == pytest.approx((ends.high - ends.low) / 2)
    assert accuracy["better"] == "first"
    # Of a cross-entropy, less is better.
    assert found["metrics"]["nll"]["difference"] < 0
    assert found["metrics"]["nll"]["better"] == "first"


def test_whole_people_are_resampled():
    true = [0, 1] * 50
    guess = off(true, range(10))
    person = np.repeat([b"%d" % n for n in range(10)], 10)
    alone, people = (
        comparison.compare([said(true, true, **m)], [said(true, guess, **m)], NAMES)
        for m in ({}, {"subject": person})
    )
    assert people["resampling"]["unit"] == "subject"
    assert people["resampling"]["num_units"] == 10
    width = lambda found: np.ptp(found["metrics"]["accuracy"]["faces"])
    # All the second's errors are one person's: ten faces tell no more than one.
    assert width(people) > 2 * width(alone)


def test_other_faces_cannot_be_compared():
    one, other = said([0, 1], [0, 1]), said([0, 1, 1], [0, 1, 1])
    with pytest.raises(
        ValueError, match="not the same faces.*: 2 of run 1 and 3 of run 2"
    ):
        comparison.compare([one], [other], NAMES)
    with pytest.raises(ValueError, match="3 of run 3"):
        comparison.compare([one, one], [other], NAMES)
