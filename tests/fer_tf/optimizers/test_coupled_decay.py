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
    optimizer = cls(weight_decay=0.1)
    optimizer.build(variables)
    assert optimizer.decayed_variables == ["head/kernel", "head/bias"]
    without_bias = cls(weight_decay=0.1, exclude=["bias$"])
    without_bias.build(variables)
    assert without_bias.decayed_variables == ["head/kernel"]
    with pytest.raises(ValueError, match="'bais'"):
        cls(weight_decay=0.1, exclude=["bais"]).build(variables)
    before = weighting.log_variances["a"].numpy() + 1.0
    weighting.log_variances["a"].assign(before)
    optimizer.apply([tf.zeros_like(v) for v in variables], variables)
    assert weighting.log_variances["a"].numpy() == before


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
