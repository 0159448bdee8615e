import numpy as np
import pytest

from fer_tf import losses

RNG = np.random.default_rng(0)


def test_uniform_logits_cost_the_log_of_the_classes():
    values = losses.cross_entropy([0, 3, 6], np.zeros((3, 7), "float32"))
    np.testing.assert_allclose(values, [np.log(7)] * 3, rtol=1e-6)


def test_cross_entropy_by_hand():
    """Logits ln(1, 2, 5): probabilities 1/8, 2/8, 5/8."""
    logits = np.log([[1.0, 2.0, 5.0]] * 2)
    np.testing.assert_allclose(
        losses.cross_entropy([[2], [0]], logits), -np.log([5 / 8, 1 / 8]), rtol=1e-6
    )
    smooth = losses.cross_entropy([2], logits[:1], label_smoothing=0.3)
    by_hand = -(0.1 * np.log(1 / 8) + 0.1 * np.log(2 / 8) + 0.8 * np.log(5 / 8))
    np.testing.assert_allclose(smooth, [by_hand], rtol=1e-6)
    soft = losses.soft_cross_entropy([[0.5, 0.5, 0.0]], logits[:1])
    np.testing.assert_allclose(soft, [-0.5 * np.log(2 / 64)], rtol=1e-6)


def test_action_units_are_summed_as_printed():
    """Eq. 2 at logit 0 is ln 2 a unit: 8 ln 2, where PyTorch's mean has ln 2."""
    y, x = RNG.integers(0, 2, (2, 8)), np.zeros((2, 8), "float32")
    np.testing.assert_allclose(
        losses.action_unit_cross_entropy(y, x), [8 * np.log(2)] * 2, rtol=1e-6
    )
    w = np.array([[1, 1, 1, 0, 0, 0, 0, 0], [0] * 8])
    three = losses.action_unit_cross_entropy(y, x, w)
    np.testing.assert_allclose(three, [3 * np.log(2), 0], rtol=1e-6)
    mean = losses.action_unit_cross_entropy(y, x, w, reduction="mean")
    np.testing.assert_allclose(mean, [np.log(2), 0], rtol=1e-6)
    rows = losses.action_unit_cross_entropy(y, x, np.array([0, 1]))
    np.testing.assert_allclose(rows, [0, 8 * np.log(2)], rtol=1e-6)
    x = np.array([[-1.5, 0.3, 2.0]])
    p = 1 / (1 + np.exp(-x))
    y = np.array([[0, 1, 0]])
    np.testing.assert_allclose(
        losses.action_unit_cross_entropy(y, x),
        -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(1),
        rtol=1e-6,
    )


def test_units_annotated_one_by_one():
    y, x = RNG.integers(0, 2, (3, 8)), RNG.normal(size=(3, 8))
    w = np.array([[1] * 8, [1, 0, 1, 0, 0, 0, 0, 0], [0] * 8])
    rows = losses.action_unit_cross_entropy(y, x, w)
    ours = losses.ActionUnitCrossEntropy()(y, x, sample_weight=w)
    np.testing.assert_allclose(ours, (rows[0] + rows[1]) / 2, rtol=1e-6)


def test_one_weight_a_row_may_be_a_column():
    y, x = RNG.integers(0, 2, (3, 8)), RNG.normal(size=(3, 8))
    w = np.array([1, 0, 1])
    for reduction in ("sum", "mean"):
        flat, column = (
            losses.action_unit_cross_entropy(y, x, weights, reduction=reduction)
            for weights in (w, w[:, None])
        )
        np.testing.assert_allclose(flat, column, rtol=1e-6)


def test_a_unit_that_is_not_annotated_may_be_nan():
    y, x = np.array([[1.0, np.nan]]), np.array([[0.0, 3.0]])
    loss = losses.action_unit_cross_entropy(y, x, np.array([[1, 0]]))
    np.testing.assert_allclose(loss, [np.log(2)], rtol=1e-6)


def test_a_label_above_the_classes_has_none():
    """As contempt, where a model of seven reads AffectNet; also on PyTorch."""
    logits = np.zeros((3, 7), "float32")
    found = losses.cross_entropy(np.array([0, 7, -1]), logits)
    np.testing.assert_allclose(found, [np.log(7), 0, 0], rtol=1e-6)


def test_masked_mean():
    values = np.array([1.0, 2.0, np.inf], "float32")
    np.testing.assert_allclose(losses.masked_mean(values, [1, 1, 0]), 1.5)
    np.testing.assert_allclose(losses.masked_mean(values[:2]), 1.5)
    np.testing.assert_allclose(losses.masked_mean(values[:2], [3.0, 1.0]), 1.25)
    assert losses.masked_mean(values, [0, 0, 0]) == 0


def test_unknown_reduction():
    with pytest.raises(ValueError, match="reduction='max'"):
        losses.action_unit_cross_entropy([[0]], [[0.0]], reduction="max")
