import numpy as np
import pytest

from fer_tf import metrics, scores
from tests.fer_tf.metrics.metric_cases import (
    DIMENSIONAL,
    MASK,
    VA,
    VA_GUESS,
)


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
