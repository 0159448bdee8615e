import keras
import numpy as np
import pytest

from fer_tf.layers.batch_normalization import BatchNormalization

on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a TensorFlow kernel"
)
ARGUMENTS = {"momentum": 0.9, "epsilon": 1e-5}


def _images(shape=(4, 5, 6, 8)):
    return np.random.default_rng(0).normal(2, 3, shape).astype("float32")


def _layer(x, **arguments):
    layer = BatchNormalization(**ARGUMENTS, **arguments)
    layer.build(x.shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
    return layer


@pytest.mark.parametrize("shape", [(4, 5, 6, 8), (7, 8), (4, 5, 8)])
def test_training_step_by_hand(shape):
    x = _images(shape)
    layer = _layer(x)
    weights = {w.name: np.asarray(w) for w in layer.weights}
    y = keras.ops.convert_to_numpy(layer(x, training=True))
    flat = x.reshape(-1, 8).astype("float64")
    expected = (x - flat.mean(0)) / np.sqrt(flat.var(0) + 1e-5)
    expected = expected * weights["gamma"] + weights["beta"]
    np.testing.assert_allclose(y, expected, atol=1e-5)
    # Unbiased for the average, biased for the output.
    for name, batch in (
        ("moving_mean", flat.mean(0)),
        ("moving_variance", flat.var(0, ddof=1)),
    ):
        np.testing.assert_allclose(
            getattr(layer, name), 0.9 * weights[name] + 0.1 * batch, rtol=1e-5
        )


@pytest.mark.parametrize("frozen", [False, True])
def test_inference_and_frozen(frozen):
    x = _images()
    layer = _layer(x)
    layer.trainable = not frozen
    gamma, beta, mean, variance = before = layer.get_weights()
    y = keras.ops.convert_to_numpy(layer(x, training=frozen))
    expected = (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)
    for old, new in zip(before, layer.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_equals_pytorch():
    torch = pytest.importorskip("torch")
    ours = BatchNormalization(**ARGUMENTS)
    theirs = torch.nn.BatchNorm2d(8, eps=1e-5, momentum=0.1)
    for _ in range(3):
        x = _images((2, 2, 2, 8))
        y = keras.ops.convert_to_numpy(ours(x, training=True))
        expected = theirs(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        np.testing.assert_allclose(y, expected.detach().numpy(), atol=1e-5)
    for a, b in (("moving_mean", "running_mean"), ("moving_variance", "running_var")):
        a, b = getattr(ours, a), getattr(theirs, b).numpy()
        np.testing.assert_allclose(keras.ops.convert_to_numpy(a), b, rtol=1e-5)


def _step(layer, x, jit_compile):
    import tensorflow as tf

    weight = np.random.default_rng(2).normal(size=x.shape).astype("float32")

    @tf.function(jit_compile=jit_compile)
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(tf.cast(y, "float32") * weight)
        return y, tape.gradient(loss, [x, *(v.value for v in layer.trainable_weights)])

    return step(tf.constant(x))


@on_tensorflow
@pytest.mark.parametrize("center, scale", [(True, True), (False, False)])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradients_are_keras(center, scale, jit_compile):
    x = _images()
    ours = _layer(x, center=center, scale=scale)
    keras_bn = keras.layers.BatchNormalization(**ARGUMENTS, center=center, scale=scale)
    keras_bn.build(x.shape)
    keras_bn.set_weights(ours.get_weights())
    y, gradients = _step(ours, x, jit_compile)
    expected_y, expected = _step(keras_bn, x, False)
    np.testing.assert_allclose(y, expected_y, atol=1e-5)
    for a, b in zip(gradients, expected):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    # 4 * 5 * 6 values a channel; one batch weighs 0.1.
    biased = x.reshape(-1, 8).var(0)
    np.testing.assert_allclose(
        ours.moving_variance - keras_bn.moving_variance, 0.1 * biased / 119, rtol=1e-3
    )


@on_tensorflow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_keeps_float32_statistics(policy):
    # A mean far above the spread: half-precision sums would lose the variance.
    x = 30 + _images((64, 8, 8, 8))
    layer = BatchNormalization(**ARGUMENTS, dtype=policy)
    y, gradients = _step(layer, x, False)
    half = policy.removeprefix("mixed_")
    assert y.dtype == half
    assert [g.dtype for g in gradients] == ["float32"] * 3
    rounded = np.asarray(keras.ops.cast(keras.ops.cast(x, half), "float32"))
    flat = rounded.reshape(-1, 8).astype("float64")
    np.testing.assert_allclose(layer.moving_mean, 0.1 * flat.mean(0), rtol=1e-4)
    expected = 0.9 + 0.1 * flat.var(0, ddof=1)
    np.testing.assert_allclose(layer.moving_variance, expected, rtol=1e-3)


@pytest.mark.parametrize("policy", ["bfloat16", "float16"])
def test_variables_of_half_precision_are_taken(policy):
    """As Keras' own layer takes them; TensorFlow's fused kernel does not."""
    x = _images((16, 4, 4, 8))
    layer = BatchNormalization(**ARGUMENTS, dtype=policy)
    for training in (True, False):
        y = layer(keras.ops.cast(x, policy), training=training)
        assert keras.backend.standardize_dtype(y.dtype) == policy
    moved = keras.ops.cast(layer.moving_mean, "float32")
    expected = 0.1 * x.reshape(-1, 8).mean(0)
    np.testing.assert_allclose(moved, expected, atol=2e-2)


@on_tensorflow
def test_double_precision_with_an_unknown_batch_size():
    import tensorflow as tf

    x = _images((6, 4, 4, 8)).astype("float64")
    layer = BatchNormalization(**ARGUMENTS, dtype="float64", name="bn")
    layer.build(x.shape)
    signature = [tf.TensorSpec((None, 4, 4, 8), "float64")]
    tf.function(lambda x: layer(x, training=True), input_signature=signature)(x)
    expected = 0.9 + 0.1 * x.reshape(-1, 8).var(0, ddof=1)
    np.testing.assert_allclose(layer.moving_variance, expected, rtol=1e-6)


def test_unknown_batch_size_and_saving(tmp_path):
    inputs = keras.Input((None, None, 8))
    outputs = BatchNormalization(**ARGUMENTS, name="bn")(inputs)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer="sgd", loss="mse")
    x = _images()
    model.train_on_batch(x, x)
    bn = model.get_layer("bn")
    expected = 0.9 + 0.1 * x.reshape(-1, 8).var(0, ddof=1)
    np.testing.assert_allclose(bn.moving_variance, expected, rtol=1e-5)
    model.save(tmp_path / "bn.keras")
    copy = keras.models.load_model(tmp_path / "bn.keras")
    assert type(copy.get_layer("bn")) is BatchNormalization
    assert copy.get_layer("bn").get_config() == bn.get_config()
    np.testing.assert_array_equal(
        copy.predict(x, verbose=0), model.predict(x, verbose=0)
    )


def test_single_value_a_channel_stays_finite():
    layer = BatchNormalization(**ARGUMENTS)
    layer(np.ones((1, 1, 1, 8), "float32"), training=True)
    np.testing.assert_allclose(layer.moving_variance, 0.9)
