import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.layers.region_attention import RegionAttention
from fer_tf.layers.stop_gradient import StopGradient

BATCH, ROWS, COLUMNS, CHANNELS, REGIONS = 2, 5, 4, 16, 3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def literal(v, m, q, w):
    """Eqs. 5-6 as printed, a region at a time, in float64."""
    fused = np.zeros_like(v)
    for r in range(m.shape[-1]):
        masked = v * m[..., r, None]
        t = masked @ w["buffer_kernel"][r] + w["buffer_bias"][r]
        squeezed = t.mean((1, 2))
        hidden = squeezed @ w["reduce_kernel"][r] + w["reduce_bias"][r]
        gates = np.maximum(hidden, 0) @ w["expand_kernel"][r] + w["expand_bias"][r]
        fused += q[:, r, None, None, None] * t * sigmoid(gates)[:, None, None]
    return fused


@pytest.fixture
def example():
    rng = np.random.default_rng(0)
    layer = RegionAttention(reduction=4)
    v = rng.normal(1, 2, (BATCH, ROWS, COLUMNS, CHANNELS))
    m = rng.uniform(size=(BATCH, ROWS, COLUMNS, REGIONS))
    q = rng.dirichlet(np.ones(REGIONS), BATCH)
    inputs = tuple(tf.constant(x, tf.float32) for x in (v, m, q))
    layer(inputs)
    weights = {v.name: rng.normal(0, 0.5, v.shape) for v in layer.variables}
    for variable in layer.variables:
        variable.assign(weights[variable.name])
    return layer, inputs, literal(v, m, q, weights)


def test_equals_the_equations(example):
    layer, inputs, expected = example
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-4)
    compiled = tf.function(layer, jit_compile=True)
    np.testing.assert_allclose(compiled(inputs), expected, rtol=1e-4, atol=1e-4)


def test_gradients_equal_those_of_the_equations(example):
    """The derivative along a random direction, against finite differences."""
    layer, (v, m, q), _ = example
    weights = {w.name: w.numpy().astype(np.float64) for w in layer.variables}
    direction = np.random.default_rng(1).normal(size=v.shape)
    with tf.GradientTape() as tape:
        tape.watch(v)
        total = tf.reduce_sum(layer((v, m, q)) ** 2)
    slope = np.sum(tape.gradient(total, v).numpy() * direction)
    v, m, q = (x.numpy().astype(np.float64) for x in (v, m, q))
    step = 1e-5
    high, low = (
        np.sum(literal(v + s * direction, m, q, weights) ** 2) for s in (step, -step)
    )
    np.testing.assert_allclose(slope, (high - low) / (2 * step), rtol=1e-3)


def test_weights_of_a_region_act_inside_its_mask(example):
    """Outside, only the bias is left, which is the same everywhere."""
    layer, (v, _, q), _ = example
    m = np.zeros((BATCH, ROWS, COLUMNS, REGIONS), "float32")
    m[:, 1:3, 1:3] = 1
    out = layer((v, m, q)).numpy()
    outside = out[:, m[0, ..., 0] == 0]
    np.testing.assert_allclose(outside, outside[:, :1].repeat(16, 1), atol=1e-5)
    assert np.ptp(out[:, 1:3, 1:3], axis=(1, 2)).min() > 0.1


def test_initial_weights_are_caffes_xavier():
    """U(+-sqrt(3 / inputs)) of each region's own matrix: 512, 512 and 32."""
    layer = RegionAttention()
    layer.build(((None, 14, 14, 512), (None, 14, 14, 8), (None, 8)))
    # 8 buffers of 512 x 512 and 8 SE blocks of ratio 16, all with biases.
    assert layer.count_params() == 8 * 512 * 513 + 8 * (513 * 32 + 33 * 512)
    for name, inputs in (("buffer", 512), ("reduce", 512), ("expand", 32)):
        kernel, bias = (w.numpy() for w in getattr(layer, name))
        limit = np.sqrt(3 / inputs)
        assert 0.99 * limit < np.abs(kernel).max() < 1.000001 * limit
        np.testing.assert_allclose(kernel.std(), limit / np.sqrt(3), rtol=0.01)
        assert not bias.any()


def test_config_and_half_precision(example):
    layer, inputs, expected = example
    config = json.loads(json.dumps(layer.get_config()))
    assert RegionAttention.from_config(config).reduction == 4
    half = RegionAttention(4, dtype="mixed_float16")
    half.build([x.shape for x in inputs])
    half.set_weights(layer.get_weights())
    out = half(inputs)
    assert out.dtype == tf.float16
    np.testing.assert_allclose(out, expected, atol=0.02 * np.abs(expected).max())


def test_gates_near_one_still_learn_in_half_precision():
    """sigmoid(7) = 0.99909: the nearest bfloat16 is 1, whose slope is 0."""
    layer = RegionAttention(4, dtype="mixed_bfloat16")
    shapes = (1, 2, 2, 8), (1, 2, 2, 3), (1, 3)
    layer.build(shapes)
    kernel, bias = layer.expand
    kernel.assign(np.zeros(kernel.shape))
    bias.assign(np.full(bias.shape, 7.0))
    with tf.GradientTape() as tape:
        out = layer([np.ones(shape, "float32") for shape in shapes])
    assert out.dtype == tf.bfloat16
    assert np.abs(tape.gradient(out, bias.value)).min() > 0


def test_half_precision_means_do_not_overflow():
    """196 activations of 600 sum to more than a float16 holds."""
    layer = RegionAttention(dtype="mixed_float16")
    v, m, q = np.full((1, 14, 14, 16), 600.0), np.ones((1, 14, 14, 8)), np.ones((1, 8))
    assert np.isfinite(layer((v, m, q / 8)).numpy()).all()


def test_stop_gradient():
    x = tf.constant([0.2, 0.5, 0.9])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = StopGradient()(x)
    assert tape.gradient(y, x) is None
    np.testing.assert_array_equal(y, x)
    layer = StopGradient(threshold=0.5)
    np.testing.assert_array_equal(layer(x), [0, 1, 1])
    copy = StopGradient.from_config(json.loads(json.dumps(layer.get_config())))
    assert copy.threshold == 0.5
    assert keras.ops.dtype(copy(x)) == "float32"
