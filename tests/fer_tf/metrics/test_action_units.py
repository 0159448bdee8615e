import pytest

from fer_tf import metrics
from tests.fer_tf.metrics import metric_cases
from tests.fer_tf.metrics.metric_cases import ACTION_UNIT, WAY_NAMES, WAYS

# name: (metric, the scores over weights, the score's name)
CASES = {
    "au_f1": (lambda: metrics.ActionUnitF1(8), ACTION_UNIT, "au_f1"),
    "au4_f1": (lambda: metrics.ActionUnitF1(8, index=2), ACTION_UNIT, "au_f1_AU4"),
    "au_accuracy": (lambda: metrics.ActionUnitAccuracy(8), ACTION_UNIT, "au_accuracy"),
    "au_score": (lambda: metrics.ActionUnitScore(8), ACTION_UNIT, "au_score"),
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
