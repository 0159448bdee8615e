"""Trajectories against the papers' frameworks, written out in NumPy."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.optimizers import CoupledAdam, CoupledSGD, RMSpropTF1

STEPS = 12
RATES = [0.1] * 6 + [0.01] * 6  # A drop, where the momentum styles part.


def problem():
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(3, 2)), rng.normal(size=(4,))]
    gradients = [[rng.normal(size=w.shape) for w in weights] for _ in range(STEPS)]
    return weights, gradients


def run(optimizer, *, jit_compile=None):
    """Our weights after STEPS; jit_compile None runs eagerly."""
    weights, gradients = problem()
    variables = [keras.Variable(w.astype("float32")) for w in weights]
    optimizer.build(variables)

    def apply(step):
        optimizer.apply(step, variables)

    if jit_compile is not None:
        apply = tf.function(apply, jit_compile=jit_compile)
    for rate, step in zip(RATES, gradients):
        optimizer.learning_rate = rate
        apply([tf.constant(g, tf.float32) for g in step])
    return [v.numpy() for v in variables]


def torch_sgd(w, g, s, rate, t, nesterov=False):
    g = g + 0.05 * w
    s["v"] = 0.9 * s.get("v", 0) + g
    return w - rate * (g + 0.9 * s["v"] if nesterov else s["v"])


def torch_nesterov(w, g, s, rate, t):
    return torch_sgd(w, g, s, rate, t, nesterov=True)


def caffe_sgd(w, g, s, rate, t):
    s["v"] = 0.9 * s.get("v", 0) + rate * (g + 0.05 * w)
    return w - s["v"]


def torch_adam(w, g, s, rate, t):
    g = g + 0.05 * w
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["v"] = 0.99 * s.get("v", 0) + 0.01 * g**2
    corrected = np.sqrt(s["v"] / (1 - 0.99**t)) + 1e-2
    return w - rate * s["m"] / (1 - 0.9**t) / corrected


def tf1_rmsprop(w, g, s, rate, t):
    s["v"] = 0.9 * s.get("v", 1.0) + 0.1 * g**2
    return w - rate * g / np.sqrt(s["v"] + 1e-2)


def tf1_rmsprop_momentum(w, g, s, rate, t):
    s["v"] = 0.9 * s.get("v", 1.0) + 0.1 * g**2
    s["b"] = 0.8 * s.get("b", 0) + rate * g / np.sqrt(s["v"] + 1e-2)
    return w - s["b"]


def plain_sgd(w, g, s, rate, t):
    return w - rate * (g + 0.05 * w)


SGD = dict(momentum=0.9, weight_decay=0.05)
ADAM = dict(beta_2=0.99, epsilon=1e-2, weight_decay=0.05)
CASES = {
    "plain": (plain_sgd, lambda: CoupledSGD(weight_decay=0.05)),
    "torch": (torch_sgd, lambda: CoupledSGD(**SGD)),
    "nesterov": (torch_nesterov, lambda: CoupledSGD(**SGD, nesterov=True)),
    "caffe": (caffe_sgd, lambda: CoupledSGD(**SGD, momentum_style="caffe")),
    "adam": (torch_adam, lambda: CoupledAdam(**ADAM)),
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
    weights, gradients = problem()
    states = [{} for _ in weights]
    for t, (rate, step) in enumerate(zip(RATES, gradients), start=1):
        weights = [rule(w, g, s, rate, t) for w, g, s in zip(weights, step, states)]
    for ours, expected in zip(run(make(), jit_compile=jit_compile), weights):
        np.testing.assert_allclose(ours, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    "make, gradients, moves",
    [
        # m / (sqrt(v) + 1e-8): a first gradient of 1e-8 moves it by half a step.
        (CoupledAdam, [1e-8], [0.5]),
        # Then v / (1 - 0.999^2) is 0.000999 / 0.001999, m / (1 - 0.9^2) 0.09 / 0.19.
        (CoupledAdam, [1.0, 0.0], [1.0, 9 / 19 / np.sqrt(0.000999 / 0.001999)]),
        # From a mean square of 1 on to 0.9 + 0.1 * 1e-6.
        (RMSpropTF1, [1e-3], [1e-3 / np.sqrt(0.9 + 1e-7)]),
    ],
)
def test_the_defaults_are_those_of_the_papers_frameworks(make, gradients, moves):
    optimizer, variable = make(1.0), keras.Variable(np.zeros(1, "float32"))
    optimizer.build([variable])
    for gradient, move in zip(gradients, moves):
        before = variable.numpy()
        optimizer.apply([tf.constant([gradient], tf.float32)], [variable])
        np.testing.assert_allclose(before - variable.numpy(), [move], rtol=1e-4)
    assert RMSpropTF1().epsilon == 1e-10  # Too small to be seen in float32.


@pytest.mark.parametrize("case", ["torch", "nesterov", "caffe", "adam"])
def test_without_the_fused_kernels_the_steps_are_the_same(case, monkeypatch):
    make = CASES[case][1]
    fused = run(make())
    for module in ("coupled_sgd", "coupled_adam"):
        monkeypatch.setattr(
            f"fer_tf.optimizers.{module}.fused_kernels_apply", lambda: False
        )
    for a, b in zip(fused, run(make())):
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("case", ["torch", "nesterov", "adam"])
def test_against_pytorch(case):
    torch = pytest.importorskip("torch")
    weights, gradients = problem()
    parameters = [torch.nn.Parameter(torch.tensor(w)) for w in weights]
    theirs = {
        "torch": lambda: torch.optim.SGD(parameters, 0.1, 0.9, weight_decay=0.05),
        "nesterov": lambda: torch.optim.SGD(
            parameters, 0.1, 0.9, weight_decay=0.05, nesterov=True
        ),
        "adam": lambda: torch.optim.Adam(
            parameters, 0.1, (0.9, 0.99), 1e-2, weight_decay=0.05
        ),
    }[case]()
    for rate, step in zip(RATES, gradients):
        theirs.param_groups[0]["lr"] = rate
        for p, g in zip(parameters, step):
            p.grad = torch.tensor(g)
        theirs.step()
    for ours, p in zip(run(CASES[case][1]()), parameters):
        np.testing.assert_allclose(ours, p.detach().numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("case", CASES)
def test_config_and_state_round_trip(case, tmp_path):
    optimizer = CASES[case][1]()
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(optimizer)))
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == optimizer.get_config()
    uninterrupted = run(optimizer)
    for ours, expected in zip(run(again), uninterrupted):
        np.testing.assert_array_equal(ours, expected)

    weights, gradients = problem()
    variables = [keras.Variable(w.astype("float32")) for w in weights]
    first = CASES[case][1]()
    resumed = CASES[case][1]()
    for i, (rate, step) in enumerate(zip(RATES, gradients)):
        if i == 4:
            saved = tf.train.Checkpoint(optimizer=first).save(tmp_path / "state")
            resumed.build(variables)
            tf.train.Checkpoint(optimizer=resumed).restore(saved).assert_consumed()
        current = first if i < 4 else resumed
        current.learning_rate = rate
        current.apply([tf.constant(g, tf.float32) for g in step], variables)
    for v, expected in zip(variables, uninterrupted):
        np.testing.assert_array_equal(v.numpy(), expected)
