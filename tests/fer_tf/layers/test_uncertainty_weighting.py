import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.layers.uncertainty_weighting import UncertaintyWeighting

MTANET = {"valence_arousal": 0.5, "action_units": 1.0, "expression": 1.0}


def make(**log_variances):
    layer = UncertaintyWeighting(MTANET)
    layer.build()
    for task, value in log_variances.items():
        layer.log_variances[task].assign(value)
    return layer


def tensors(**losses):
    return {task: tf.constant(loss) for task, loss in losses.items()}


def test_is_equation_five_term_by_term():
    sigma = {"valence_arousal": 0.5, "action_units": 2.0, "expression": 3.0}
    losses = {"valence_arousal": 0.8, "action_units": 4.0, "expression": 1.5}
    layer = make(**{task: np.log(s * s) for task, s in sigma.items()})
    by_hand = (
        0.8 / (2 * 0.25)
        + 4.0 / 4.0
        + 1.5 / 9.0
        + np.log(0.5)
        + np.log(2.0)
        + np.log(3.0)
    )
    np.testing.assert_allclose(layer(tensors(**losses)), by_hand, rtol=1e-6)


def test_starts_as_a_plain_sum_but_for_the_half():
    total = make()(tensors(valence_arousal=1.0, action_units=2.0, expression=4.0))
    np.testing.assert_allclose(total, 6.5)


def test_optimum_is_the_closed_form():
    """d/ds = 0 at s = ln(2 scale loss)."""
    losses = {"valence_arousal": 0.7, "action_units": 3.0, "expression": 1.2}
    layer = make(**{task: np.log(2 * MTANET[task] * losses[task]) for task in MTANET})
    with tf.GradientTape() as tape:
        total = layer(tensors(**losses))
    for gradient in tape.gradient(total, layer.trainable_variables):
        np.testing.assert_allclose(gradient, 0.0, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_task_without_rows_adds_and_moves_nothing(jit_compile):
    layer = make(action_units=1.0)

    @tf.function(jit_compile=jit_compile)
    def step(losses, active):
        with tf.GradientTape() as tape:
            total = layer(losses, active=active)
        return total, tape.gradient(total, layer.trainable_variables)

    losses = {
        "valence_arousal": tf.constant(1.0),
        "action_units": tf.constant(0.0),
        "expression": tf.constant(2.0),
    }
    total, gradients = step(losses, {"action_units": tf.constant(0)})
    np.testing.assert_allclose(total, 0.5 + 2.0)
    moved = {v.name: float(g) for v, g in zip(layer.trainable_variables, gradients)}
    assert moved["log_variance_action_units"] == 0.0
    np.testing.assert_allclose(moved["log_variance_expression"], 0.5 - 2.0)


def test_stays_float32_under_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = make()
        huge = {task: tf.constant(1e5) for task in MTANET}
        total = layer(huge)
        assert total.dtype == tf.float32
        np.testing.assert_allclose(total, 2.5e5)
    finally:
        keras.config.set_dtype_policy(before)


def test_config_round_trip_and_errors():
    layer = make()
    config = json.loads(json.dumps(layer.get_config()))
    assert UncertaintyWeighting.from_config(config).scales == MTANET
    with pytest.raises(ValueError, match="losses.*must have the tasks"):
        layer(tensors(expression=1.0))
    with pytest.raises(ValueError, match="positive"):
        UncertaintyWeighting({"expression": 0.0})
