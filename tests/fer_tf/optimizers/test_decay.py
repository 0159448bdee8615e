import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.layers.uncertainty_weighting import UncertaintyWeighting
from fer_tf.optimizers import CoupledAdam, CoupledSGD, RMSpropTF1


def test_decay_is_ten_times_the_decoupled_one():
    """Zero gradients, 2000 steps, rate .01, decay 5e-4: .905, not .990."""
    w, v = 1.0, 0.0
    for _ in range(2000):
        v = 0.9 * v + 5e-4 * w
        w -= 0.01 * v
    variable = keras.Variable(np.ones(1, "float32"))
    optimizer = CoupledSGD(0.01, momentum=0.9, weight_decay=5e-4)
    optimizer.build([variable])
    step = tf.function(lambda: optimizer.apply([tf.zeros(1)], [variable]))
    for _ in range(2000):
        step()
    np.testing.assert_allclose(variable.numpy(), w, rtol=1e-4)
    np.testing.assert_allclose(variable.numpy(), 0.905, atol=1e-3)


def test_rmsprop_warms_up_gently():
    """A gradient of 1e-2 moves a weight by 1.05e-5 at rate 1e-5 / sqrt(.9)."""
    variable = keras.Variable(np.zeros(1, "float32"))
    optimizer = RMSpropTF1(1e-3)
    optimizer.apply([tf.constant([1e-2])], [variable])
    np.testing.assert_allclose(variable.numpy(), -1.05e-5, rtol=5e-3)


@pytest.mark.parametrize("cls", [CoupledSGD, CoupledAdam])
def test_which_variables_decay(cls):
    dense = keras.layers.Dense(2, name="head")
    dense.build((None, 3))
    weighting = UncertaintyWeighting({"a": 1.0}, name="weighting")
    weighting.build()
    variables = dense.trainable_variables + weighting.trainable_variables
    assert _decayed(cls(weight_decay=0.1), variables) == ["head/kernel", "head/bias"]
    without_bias = cls(weight_decay=0.1, exclude=["bias$"])
    assert _decayed(without_bias, variables) == ["head/kernel"]
    with pytest.raises(ValueError, match="'bais'"):
        cls(weight_decay=0.1, exclude=["bais"]).build(variables)


def _decayed(optimizer, variables):
    """Paths of the variables that a step without a gradient moves."""
    for variable in variables:
        variable.assign(tf.ones_like(variable))
    optimizer.apply([tf.zeros_like(v) for v in variables], variables)
    return [v.path for v in variables if (v.numpy() != 1).any()]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_loss_scaling_skips_overflows_and_changes_nothing_else(jit_compile):
    inner = CoupledSGD(0.1, momentum=0.9, weight_decay=0.05)
    scaled = keras.optimizers.LossScaleOptimizer(inner, initial_scale=8.0)
    variable = keras.Variable(np.array([1.0, -2.0], "float32"))
    scaled.build([variable])
    step = tf.function(lambda g: scaled.apply([g], [variable]), jit_compile=jit_compile)
    step(tf.constant([np.inf, 1.0]))
    np.testing.assert_array_equal(variable.numpy(), [1.0, -2.0])
    step(tf.constant([4.0, 8.0]))  # At scale 4 by now: gradients 1 and 2.
    np.testing.assert_allclose(variable.numpy(), [1 - 0.105, -2 - 0.19], rtol=1e-6)


def test_gradients_are_clipped_before_the_decay_is_added():
    variable = keras.Variable(np.array([2.0], "float32"))
    optimizer = CoupledSGD(1.0, weight_decay=0.5, clipvalue=0.1)
    optimizer.apply([tf.constant([5.0])], [variable])
    np.testing.assert_allclose(variable.numpy(), [2 - (0.1 + 1.0)], rtol=1e-6)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: CoupledSGD(momentum=1.0), "momentum=1.0"),
        (lambda: CoupledSGD(momentum_style="tf"), "momentum_style='tf'"),
        (lambda: CoupledSGD(nesterov=True, momentum_style="caffe"), "nesterov"),
        (lambda: CoupledSGD(weight_decay=-1.0), "weight_decay=-1.0"),
        (lambda: CoupledAdam(exclude="bias"), "exclude='bias'"),
        (lambda: CoupledAdam(beta_2=1.0), "beta_2=1.0"),
        (lambda: CoupledAdam(beta_2=0.0), r"`beta_2` in \(0, 1\)"),
        (lambda: RMSpropTF1(rho=1.0), "rho=1.0"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
