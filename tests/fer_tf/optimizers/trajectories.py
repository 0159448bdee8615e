"""Trajectories against the papers' frameworks, written out in NumPy.

A rule is `(weights, gradients, state, rate, step) -> weights`.
"""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

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


def assert_trajectory(rule, make, jit_compile):
    weights, gradients = problem()
    states = [{} for _ in weights]
    for t, (rate, step) in enumerate(zip(RATES, gradients), start=1):
        weights = [rule(w, g, s, rate, t) for w, g, s in zip(weights, step, states)]
    for ours, expected in zip(run(make(), jit_compile=jit_compile), weights):
        np.testing.assert_allclose(ours, expected, rtol=2e-5, atol=2e-6)


def assert_same_without_fused_kernels(make, module, monkeypatch):
    fused = run(make())
    monkeypatch.setattr(
        f"fer_tf.optimizers.{module}.fused_kernels_apply", lambda: False
    )
    for a, b in zip(fused, run(make())):
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-7)


def assert_as_pytorch(make, make_theirs):
    """`make_theirs(torch, parameters)` -> PyTorch's optimizer."""
    torch = pytest.importorskip("torch")
    weights, gradients = problem()
    parameters = [torch.nn.Parameter(torch.tensor(w)) for w in weights]
    theirs = make_theirs(torch, parameters)
    for rate, step in zip(RATES, gradients):
        theirs.param_groups[0]["lr"] = rate
        for p, g in zip(parameters, step):
            p.grad = torch.tensor(g)
        theirs.step()
    for ours, p in zip(run(make()), parameters):
        np.testing.assert_allclose(ours, p.detach().numpy(), rtol=2e-5, atol=2e-6)


def assert_first_moves(make, gradients, moves):
    """What gradients move a weight of 0 by, at rate 1."""
    optimizer, variable = make(1.0), keras.Variable(np.zeros(1, "float32"))
    optimizer.build([variable])
    for gradient, move in zip(gradients, moves):
        before = variable.numpy()
        optimizer.apply([tf.constant([gradient], tf.float32)], [variable])
        np.testing.assert_allclose(before - variable.numpy(), [move], rtol=1e-4)


def assert_config_and_state_round_trip(make, tmp_path):
    optimizer = make()
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(optimizer)))
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == optimizer.get_config()
    uninterrupted = run(optimizer)
    for ours, expected in zip(run(again), uninterrupted):
        np.testing.assert_array_equal(ours, expected)

    weights, gradients = problem()
    variables = [keras.Variable(w.astype("float32")) for w in weights]
    first = make()
    resumed = make()
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
