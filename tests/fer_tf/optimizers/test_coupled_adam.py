import numpy as np
import pytest

from fer_tf.optimizers import CoupledAdam
from tests.fer_tf.optimizers import trajectories


def torch_adam(w, g, s, rate, t):
    g = g + 0.05 * w
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["v"] = 0.99 * s.get("v", 0) + 0.01 * g**2
    corrected = np.sqrt(s["v"] / (1 - 0.99**t)) + 1e-2
    return w - rate * s["m"] / (1 - 0.9**t) / corrected


def make():
    return CoupledAdam(beta_2=0.99, epsilon=1e-2, weight_decay=0.05)


@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_trajectory(jit_compile):
    trajectories.assert_trajectory(torch_adam, make, jit_compile)


@pytest.mark.parametrize(
    "gradients, moves",
    [
        # m / (sqrt(v) + 1e-8): a first gradient of 1e-8 moves it by half a step.
        ([1e-8], [0.5]),
        # Then v / (1 - 0.999^2) is 0.000999 / 0.001999, m / (1 - 0.9^2) 0.09 / 0.19.
        ([1.0, 0.0], [1.0, 9 / 19 / np.sqrt(0.000999 / 0.001999)]),
    ],
)
def test_the_defaults_are_those_of_the_papers_frameworks(gradients, moves):
    trajectories.assert_first_moves(CoupledAdam, gradients, moves)


def test_without_the_fused_kernels_the_steps_are_the_same(monkeypatch):
    trajectories.assert_same_without_fused_kernels(make, "coupled_adam", monkeypatch)


def test_against_pytorch():
    trajectories.assert_as_pytorch(
        make,
        lambda torch, parameters: torch.optim.Adam(
            parameters, 0.1, (0.9, 0.99), 1e-2, weight_decay=0.05
        ),
    )


def test_config_and_state_round_trip(tmp_path):
    trajectories.assert_config_and_state_round_trip(make, tmp_path)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: CoupledAdam(beta_2=1.0), "beta_2=1.0"),
        (lambda: CoupledAdam(beta_2=0.0), r"`beta_2` in \(0, 1\)"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
