import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.optimizers import RMSpropTF1
from tests.fer_tf.optimizers import trajectories


def tf1_rmsprop(w, g, s, rate, t):
    s["v"] = 0.9 * s.get("v", 1.0) + 0.1 * g**2
    return w - rate * g / np.sqrt(s["v"] + 1e-2)


def tf1_rmsprop_momentum(w, g, s, rate, t):
    s["v"] = 0.9 * s.get("v", 1.0) + 0.1 * g**2
    s["b"] = 0.8 * s.get("b", 0) + rate * g / np.sqrt(s["v"] + 1e-2)
    return w - s["b"]


CASES = {
    "rmsprop": (tf1_rmsprop, lambda: RMSpropTF1(epsilon=1e-2)),
    "rmsprop_momentum": (
        tf1_rmsprop_momentum,
        lambda: RMSpropTF1(momentum=0.8, epsilon=1e-2),
    ),
}


@pytest.mark.parametrize("jit_compile", [None, False, True])
@pytest.mark.parametrize("case", CASES)
def test_trajectory(case, jit_compile):
    rule, make = CASES[case]
    trajectories.assert_trajectory(rule, make, jit_compile)


def test_the_defaults_are_those_of_the_papers_frameworks():
    # From a mean square of 1 on to 0.9 + 0.1 * 1e-6.
    moves = [1e-3 / np.sqrt(0.9 + 1e-7)]
    trajectories.assert_first_moves(RMSpropTF1, [1e-3], moves)
    assert RMSpropTF1().epsilon == 1e-10  # Too small to be seen in float32.


def test_rmsprop_warms_up_gently():
    """A gradient of 1e-2 moves a weight by 1.05e-5 at rate 1e-5 / sqrt(.9)."""
    variable = keras.Variable(np.zeros(1, "float32"))
    optimizer = RMSpropTF1(1e-3)
    optimizer.apply([tf.constant([1e-2])], [variable])
    np.testing.assert_allclose(variable.numpy(), -1.05e-5, rtol=5e-3)


@pytest.mark.parametrize("case", CASES)
def test_config_and_state_round_trip(case, tmp_path):
    trajectories.assert_config_and_state_round_trip(CASES[case][1], tmp_path)


def test_bad_arguments():
    with pytest.raises(ValueError, match="rho=1.0"):
        RMSpropTF1(rho=1.0)
