"""Whole networks against an independent NumPy implementation, channels first."""

import keras
import numpy as np
import pytest

from fer_tf.models import gan2020

BGR_MEAN = np.array((93.5940, 104.7624, 129.1863))


def sigmoid(x):
    return 0.5 + 0.5 * np.tanh(x / 2)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def relu(x):
    return np.maximum(x, 0)


def pixels(image):
    return (image[..., ::-1] - BGR_MEAN).transpose(0, 3, 1, 2)


class Reference:
    """Caffe's layers, over the weights of a Keras model."""

    def __init__(self, model):
        self.weights = {v.path: v.numpy().astype(np.float64) for v in model.variables}

    def conv(self, x, name, *, stride=1, pad=0):
        kernel = self.weights[f"{name}/kernel"]
        x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (2, 3))
        windows = windows[:, :, ::stride, ::stride]
        out = np.einsum("nchwij,ijcd->ndhw", windows, kernel, optimize=True)
        return out + self.weights[f"{name}/bias"][:, None, None]

    def pool(self, x):
        """2x2, rounding up as Caffe does."""
        n, c, h, w = x.shape
        x = np.pad(x, ((0, 0), (0, 0), (0, h % 2), (0, w % 2)), constant_values=-np.inf)
        return x.reshape(n, c, (h + 1) // 2, 2, (w + 1) // 2, 2).max((3, 5))

    def dense(self, x, name):
        if x.ndim == 4:  # Keras flattens rows, columns, channels.
            x = x.transpose(0, 2, 3, 1).reshape(len(x), -1)
        return x @ self.weights[f"{name}/kernel"] + self.weights[f"{name}/bias"]

    def rasnet(self, image, activation=lambda x: x):
        x = pixels(image)
        x = self.pool(relu(self.conv(x, "rasnet_conv1", stride=3, pad=1)))
        x = self.pool(relu(self.conv(x, "rasnet_conv2", stride=3, pad=1)))
        x = self.pool(relu(self.conv(x, "rasnet_conv3")))
        x = self.dense(activation(self.dense(x, "rasnet_fc1")), "rasnet_fc2")
        grid = image.shape[1] // 16
        return sigmoid(x).reshape(-1, 8, grid, grid)

    def block(self, x, number, depth):
        for i in range(1, depth + 1):
            x = relu(self.conv(x, f"conv{number}_{i}", pad=1))
        return self.pool(x)

    def first_blocks(self, image):
        x = pixels(image)
        for number, depth in ((1, 2), (2, 2), (3, 3), (4, 3)):
            x = self.block(x, number, depth)
        return x

    def last_layers(self, x):
        x = self.block(x, 5, 3)
        x = relu(self.dense(relu(self.dense(x, "fc6")), "fc7"))
        return self.dense(x, "expression")

    def ma_block(self, v, masks, normalise=softmax):
        """Eq. 5 for every region, Eq. 6 over them, and `q`."""
        w = {k.split("/")[1]: a for k, a in self.weights.items() if "region_att" in k}
        q = normalise(self.dense(self.conv(self.pool(v), "weights_conv"), "weights_fc"))
        fused = np.zeros_like(v)
        for r in range(8):
            t = np.einsum("nchw,cd->ndhw", v * masks[:, r, None], w["buffer_kernel"][r])
            t += w["buffer_bias"][r][:, None, None]
            e = relu(t.mean((2, 3)) @ w["reduce_kernel"][r] + w["reduce_bias"][r])
            e = sigmoid(e @ w["expand_kernel"][r] + w["expand_bias"][r])
            fused += q[:, r, None, None, None] * e[..., None, None] * t
        return fused, q


def randomise(model):
    """Also the biases, which start at 0, and a signal that does not fade."""
    rng = np.random.default_rng(1)
    for variable in model.variables:
        if "seed" in variable.path:
            continue
        if variable.path.endswith("bias"):
            variable.assign(rng.normal(0, 0.3, variable.shape))
        else:
            variable.assign(variable.numpy() * 1.2)


def images(side, count=2):
    return np.random.default_rng(0).uniform(0, 255, (count, side, side, 3))


@pytest.mark.parametrize("side, activation", [(224, None), (112, "relu"), (96, None)])
def test_rasnet(side, activation):
    """At 224 pixels every map is even; smaller ones test Caffe's rounding."""
    model = gan2020.gan_rasnet(
        input_shape=(side, side, 3), width=1 / 8, fc_activation=activation
    )
    randomise(model)
    image = images(side)
    masks = model(image)["region_masks"]
    expected = Reference(model).rasnet(image, relu if activation else lambda x: x)
    assert masks.shape == (2, side // 16, side // 16, 8)
    np.testing.assert_allclose(np.transpose(masks, (0, 3, 1, 2)), expected, atol=1e-4)
    assert expected.std() > 0.05


@pytest.mark.parametrize(
    "options, normalise, threshold",
    [
        ({}, softmax, None),
        (
            {"weight_normalisation": "sigmoid"},
            lambda x: sigmoid(x) / sigmoid(x).sum(-1, keepdims=True),
            None,
        ),
        ({"weight_normalisation": "relu"}, lambda x: softmax(relu(x)), 0.5),
    ],
)
def test_multiple_attention_network(options, normalise, threshold):
    model = gan2020.gan_man(
        input_shape=(96, 96, 3),
        width=1 / 8,
        mask_threshold=threshold,
        intermediate_outputs=True,
        **options,
    )
    randomise(model)
    image = images(96)
    out = model(image)
    reference = Reference(model)
    masks = reference.rasnet(image)
    if threshold:
        masks = (masks >= threshold).astype(float)
    fused, q = reference.ma_block(reference.first_blocks(image), masks, normalise)
    logits = reference.last_layers(fused)
    np.testing.assert_allclose(
        out["region_masks"], masks.transpose(0, 2, 3, 1), atol=1e-4
    )
    np.testing.assert_allclose(out["region_weights"], q, atol=1e-4)
    np.testing.assert_allclose(out["expression"], logits, rtol=1e-3, atol=1e-3)
    assert np.ptp(logits, axis=0).max() > 0.1 and np.ptp(q) > 0.01


@pytest.mark.parametrize("squeeze_excitation", [False, True])
def test_baselines(squeeze_excitation):
    model = gan2020.gan_vgg16(
        input_shape=(48, 48, 3), width=1 / 8, squeeze_excitation=squeeze_excitation
    )
    randomise(model)
    image = images(48)
    reference = Reference(model)
    x = reference.first_blocks(image)
    if squeeze_excitation:
        gates = relu(reference.dense(x.mean((2, 3)), "se_reduce"))
        x = x * sigmoid(reference.dense(gates, "se_expand"))[..., None, None]
    expected = reference.last_layers(x)
    logits = model(image)["expression"]
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-3)


def test_grey_images_are_three_equal_channels():
    keras.utils.set_random_seed(0)
    grey = gan2020.gan_vgg16(input_shape=(48, 48, 1), width=1 / 8)
    colour = gan2020.gan_vgg16(input_shape=(48, 48, 3), width=1 / 8)
    colour.set_weights(grey.get_weights())
    image = images(48)[..., :1]
    np.testing.assert_allclose(
        grey(image)["expression"],
        colour(image.repeat(3, -1))["expression"],
        atol=1e-5,
    )
