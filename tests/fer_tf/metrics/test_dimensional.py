import numpy as np
import pytest

from fer_tf import metrics, scores
from tests.fer_tf.metrics import metric_cases
from tests.fer_tf.metrics.metric_cases import (
    DIMENSIONAL,
    MASK,
    VA,
    VA_GUESS,
    WAY_NAMES,
    WAYS,
)

# name: (metric, the scores over weights, the score's name)
CASES = {
    "ccc_v": (lambda: metrics.CCC(0), DIMENSIONAL, "ccc_valence"),
    "ccc_a": (lambda: metrics.CCC(1), DIMENSIONAL, "ccc_arousal"),
    "ccc_mean": (lambda: metrics.MeanCCC(), DIMENSIONAL, "ccc_mean"),
    "pcc": (lambda: metrics.PCC(1), DIMENSIONAL, "pcc_arousal"),
    "rmse": (lambda: metrics.RMSE(0), DIMENSIONAL, "rmse_valence"),
    "sagr": (lambda: metrics.SignAgreement(1), DIMENSIONAL, "sagr_arousal"),
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


def test_element_weights_choose_among_outputs():
    weights = np.stack([MASK, 1 - MASK], 1)
    metric = metrics.RMSE(1)
    metric.update_state(VA, VA_GUESS, sample_weight=weights)
    expected = DIMENSIONAL(1 - MASK)["rmse_arousal"]
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-5)
