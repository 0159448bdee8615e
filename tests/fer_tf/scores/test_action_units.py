import numpy as np
import pytest
from sklearn import metrics as sk

from fer_tf import metrics, scores

RNG = np.random.default_rng(0)


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
        lambda: scores.action_unit_scores(*2 * [np.ones((3, 7))], names=["AU1"] * 8),
        lambda: scores.action_unit_scores(np.ones((3, 8)), np.ones((3, 8)), [0] * 3),
    ],
)
def test_errors(call):
    with pytest.raises(ValueError, match="Received"):
        call()
