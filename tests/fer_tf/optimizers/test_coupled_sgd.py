import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.optimizers import CoupledSGD
from tests.fer_tf.optimizers import trajectories


def torch_sgd(w, g, s, rate, t, nesterov=False):
    g = g + 0.05 * w
    s["v"] = 0.9 * s.get("v", 0) + g
    return w - rate * (g + 0.9 * s["v"] if nesterov else s["v"])


def torch_nesterov(w, g, s, rate, t):
    return torch_sgd(w, g, s, rate, t, nesterov=True)


def caffe_sgd(w, g, s, rate, t):
    s["v"] = 0.9 * s.get("v", 0) + rate * (g + 0.05 * w)
    return w - s["v"]


def plain_sgd(w, g, s, rate, t):
    return w - rate * (g + 0.05 * w)


SGD = dict(momentum=0.9, weight_decay=0.05)
CASES = {
    "plain": (plain_sgd, lambda: CoupledSGD(weight_decay=0.05)),
    "torch": (torch_sgd, lambda: CoupledSGD(**SGD)),
    "nesterov": (torch_nesterov, lambda: CoupledSGD(**SGD, nesterov=True)),
    "caffe": (caffe_sgd, lambda: CoupledSGD(**SGD, momentum_style="caffe")),
}


@pytest.mark.parametrize("jit_compile", [None, False, True])
@pytest.mark.parametrize("case", CASES)
def test_trajectory(case, jit_compile):
    rule, make = CASES[case]
    trajectories.assert_trajectory(rule, make, jit_compile)


@pytest.mark.parametrize("case", ["torch", "nesterov", "caffe"])
def test_without_the_fused_kernels_the_steps_are_the_same(case, monkeypatch):
    trajectories.assert_same_without_fused_kernels(
        CASES[case][1], "coupled_sgd", monkeypatch
    )


@pytest.mark.parametrize("case", ["torch", "nesterov"])
def test_against_pytorch(case):
    trajectories.assert_as_pytorch(
        CASES[case][1],
        lambda torch, parameters: torch.optim.SGD(
            parameters, 0.1, 0.9, weight_decay=0.05, nesterov=case == "nesterov"
        ),
    )


@pytest.mark.parametrize("case", CASES)
def test_config_and_state_round_trip(case, tmp_path):
    trajectories.assert_config_and_state_round_trip(CASES[case][1], tmp_path)


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


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: CoupledSGD(momentum=1.0), "momentum=1.0"),
        (lambda: CoupledSGD(momentum_style="tf"), "momentum_style='tf'"),
        (lambda: CoupledSGD(nesterov=True, momentum_style="caffe"), "nesterov"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
