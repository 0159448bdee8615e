import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.layers.uncertainty_weighting import UncertaintyWeighting
from fer_tf.optimizers import CoupledAdam, CoupledSGD


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


def test_gradients_are_clipped_before_the_decay_is_added():
    variable = keras.Variable(np.array([2.0], "float32"))
    optimizer = CoupledSGD(1.0, weight_decay=0.5, clipvalue=0.1)
    optimizer.apply([tf.constant([5.0])], [variable])
    np.testing.assert_allclose(variable.numpy(), [2 - (0.1 + 1.0)], rtol=1e-6)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: CoupledSGD(weight_decay=-1.0), "weight_decay=-1.0"),
        (lambda: CoupledAdam(exclude="bias"), "exclude='bias'"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
