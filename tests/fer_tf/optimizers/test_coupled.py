"""Trajectories against the papers' frameworks, written out in NumPy."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.layers.uncertainty_weighting import UncertaintyWeighting
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


@pytest.mark.parametrize("case", CASES)
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


@pytest.mark.parametrize("case", CASES)
def test_config_and_state_round_trip(case, tmp_path):
    optimizer = CASES[case][1]()
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(optimizer)))
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == optimizer.get_config()
    uninterrupted = run(optimizer)

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
        (lambda: RMSpropTF1(rho=1.0), "rho=1.0"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
