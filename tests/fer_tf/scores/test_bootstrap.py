import time

import numpy as np
import pytest

from fer_tf import scores
from fer_tf.scores import bootstrap

RNG = np.random.default_rng(0)


def shares(hits):
    """The mean of hits, as sums."""
    rows = np.stack([hits, np.ones(len(hits))], axis=1).astype(float)
    return scores.SumScores(rows, lambda sums: {"share": sums[..., 0] / sums[..., 1]})


def test_interval_of_a_share_is_the_binomial_one():
    hits = np.arange(3589) < 2606  # 72.61 %, of which one standard error is .75 %.
    low, high = bootstrap.intervals(shares(hits))["share"]
    error = np.sqrt(0.7261 * 0.2739 / 3589)
    np.testing.assert_allclose([low, high], 0.7261 + 1.96 * error * np.array([-1, 1]),
                               atol=1.5e-3)  # fmt: skip
    assert (low, high) == bootstrap.intervals(shares(hits))["share"]
    assert (low, high) != bootstrap.intervals(shares(hits), seed=1)["share"]


def every_score(rows):
    """Of the rows that are named, each by the function that takes arrays."""
    found = scores.classification_scores(LABELS[rows], LOGITS[rows], 7)
    found |= scores.dimensional_scores(TARGETS[rows], GUESSES[rows])
    return found | scores.action_unit_scores(UNITS[rows], GUESSED_UNITS[rows])


LABELS = RNG.integers(0, 7, 300)
LOGITS = RNG.normal(size=(300, 7)) + 2 * np.eye(7)[LABELS]
TARGETS = RNG.uniform(-1, 1, (300, 2))
GUESSES = 0.6 * TARGETS + 0.3 * RNG.normal(size=TARGETS.shape)
UNITS = RNG.random((300, 8)) < 0.3
GUESSED_UNITS = RNG.normal(size=UNITS.shape) + UNITS
VIDEOS = RNG.integers(0, 20, 300)


@pytest.mark.parametrize("units", [np.arange(300), VIDEOS], ids=["rows", "videos"])
def test_intervals_are_those_of_resampled_arrays(units):
    """The same draws, every row gathered and every score computed anew."""
    names, count = np.unique(units), len(np.unique(units))
    drawn = np.random.default_rng(5).integers(0, count, (40, count))
    members = [np.flatnonzero(units == name) for name in names]
    redone = [every_score(np.concatenate([members[i] for i in d])) for d in drawn]
    found = {}
    for family in (
        scores.classification_sums(LABELS, LOGITS, 7),
        scores.dimensional_sums(TARGETS, GUESSES),
        scores.action_unit_sums(UNITS, GUESSED_UNITS),
    ):
        found |= bootstrap.intervals(family, units, num_resamples=40, seed=5)
    assert found.keys() == redone[0].keys()
    for name, ends in found.items():
        expected = np.percentile([r[name] for r in redone], [2.5, 97.5], axis=0)
        np.testing.assert_allclose(ends, expected, rtol=1e-9, atol=1e-9, err_msg=name)


def test_resampling_whole_videos_widens_the_interval():
    videos = np.repeat(np.arange(40), 50)
    hits = np.repeat(RNG.random(40) < 0.7, 50)
    alone = np.subtract(*bootstrap.intervals(shares(hits))["share"])
    together = np.subtract(*bootstrap.intervals(shares(hits), videos)["share"])
    np.testing.assert_allclose(together / alone, np.sqrt(50), rtol=0.2)


def test_one_unit_tells_nothing():
    assert bootstrap.intervals(shares(np.ones(9)), ["a"] * 9) == {}


def test_more_rows_than_are_drawn_one_by_one():
    hits = RNG.random(60_000) < 0.3
    low, high = bootstrap.intervals(shares(hits))["share"]
    np.testing.assert_allclose(
        (high - low) / 2, 1.96 * np.sqrt(0.3 * 0.7 / 60_000), rtol=0.1
    )
    np.testing.assert_allclose((low + high) / 2, hits.mean(), atol=5e-4)


def test_blocks_do_not_matter(monkeypatch):
    hits = RNG.random(100) < 0.5
    whole = bootstrap.intervals(shares(hits))
    monkeypatch.setattr(bootstrap, "_BLOCK", 700)
    assert bootstrap.intervals(shares(hits)) == whole


def test_a_thousand_resamples_of_a_test_set_take_a_moment():
    labels = RNG.integers(0, 7, 4000)
    logits = RNG.normal(size=(4000, 7))
    start = time.process_time()
    bootstrap.intervals(scores.classification_sums(labels, logits, 7))
    assert time.process_time() - start < 5.0


@pytest.mark.parametrize("options", [{"level": 1.0}, {"units": [0, 1]}])
def test_errors(options):
    with pytest.raises(ValueError, match="Received"):
        bootstrap.intervals(shares(np.ones(3)), **options)
