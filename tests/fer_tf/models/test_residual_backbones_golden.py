"""Whole backbones against NumPy, written from the published graphs."""

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from fer_tf.models.resnext50 import resnext50
from fer_tf.models.se_resnet50 import se_resnet50

BLOCKS = (3, 4, 6, 3)


def pad(x, by, value=0.0):
    return np.pad(x, ((0, 0), (by, by), (by, by), (0, 0)), constant_values=value)


def windows(x, size, stride):
    """`(batch, rows, columns, channels, size, size)`, only whole windows."""
    return sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]


def conv(x, kernel, *, stride=1, groups=1):
    """Pads by half the kernel; group g sees the g-th run of channels."""
    size = kernel.shape[0]
    x = windows(pad(x, size // 2), size, stride)
    parts = zip(np.split(x, groups, axis=3), np.split(kernel, groups, axis=3))
    return np.concatenate(
        [np.einsum("brcixy,xyio->brco", a, b, optimize=True) for a, b in parts], -1
    )


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


class Reference:
    """The forward pass, from a model's weights by layer name."""

    def __init__(self, model):
        self.weights = {w.path: np.asarray(w, "float64") for w in model.weights}

    def conv_bn(self, x, name, *, stride=1, groups=1):
        x = conv(x, self.weights[f"{name}/kernel"], stride=stride, groups=groups)
        return self.bn(x, f"{name}_bn")

    def bn(self, x, name):
        gamma, beta, mean, variance = (
            self.weights[f"{name}/{key}"]
            for key in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta

    def dense(self, x, name):
        return x @ self.weights[f"{name}/kernel"] + self.weights[f"{name}/bias"]

    def se_resnet50(self, image):
        x = image[..., ::-1] - np.array([91.4953, 103.8827, 131.0912])
        x = relu(self.conv_bn(x, "conv1", stride=2))
        # Caffe: no padding, but the last window may stick out.
        out = [(0, (side - 3) % 2) for side in x.shape[1:3]]
        x = np.pad(x, ((0, 0), *out, (0, 0)), constant_values=-np.inf)
        x = windows(x, 3, 2).max((4, 5))
        for n, stride, project in block_names():
            y = relu(self.conv_bn(x, f"{n}_reduce", stride=stride))
            y = relu(self.conv_bn(y, f"{n}_3x3"))
            y = self.conv_bn(y, f"{n}_increase")
            gate = relu(self.dense(y.mean((1, 2)), f"{n}_down"))
            y = y * sigmoid(self.dense(gate, f"{n}_up"))[:, None, None]
            x = self.conv_bn(x, f"{n}_proj", stride=stride) if project else x
            x = relu(x + y)
        return x

    def resnext50(self, image, cbam):
        mean, std = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
        x = (image / 255 - mean) / std
        x = relu(self.conv_bn(x, "conv1", stride=2))
        x = windows(pad(x, 1, -np.inf), 3, 2).max((4, 5))
        for n, stride, project in block_names():
            y = relu(self.conv_bn(x, f"{n}_reduce"))
            y = relu(self.conv_bn(y, f"{n}_grouped", stride=stride, groups=32))
            y = self.conv_bn(y, f"{n}_increase")
            y = self.cbam(y, n) if cbam else y
            x = self.conv_bn(x, f"{n}_proj", stride=stride) if project else x
            x = relu(x + y)
        return x

    def cbam(self, x, n):
        total = sum(
            self.dense(relu(self.dense(pooled, f"{n}_channel_down")), f"{n}_channel_up")
            for pooled in (x.mean((1, 2)), x.max((1, 2)))
        )
        x = x * sigmoid(total)[:, None, None]
        pooled = np.stack([x.max(-1), x.mean(-1)], -1)
        gate = conv(pooled, self.weights[f"{n}_spatial_conv/kernel"])
        return x * sigmoid(self.bn(gate, f"{n}_spatial_bn"))


def block_names():
    for stage, blocks in enumerate(BLOCKS, start=2):
        for block in range(1, blocks + 1):
            stride = 2 if block == 1 and stage > 2 else 1
            yield f"conv{stage}_{block}", stride, block == 1


def randomize(model, seed=0):
    """Weights that no initializer gives: every BN and bias does something."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        shape, kind = weight.shape, weight.path.rsplit("/", 1)[-1]
        if kind == "kernel":
            value = rng.normal(0, np.sqrt(1 / np.prod(shape[:-1])), shape)
            if weight.path == "conv1/kernel":
                value /= 64  # pixels: else every gate is wide open or shut
        elif kind in ("gamma", "moving_variance"):
            value = rng.uniform(0.5, 1.5, shape)
        else:
            value = rng.normal(0, 0.2, shape)
        weight.assign(value)


@pytest.mark.slow
@pytest.mark.parametrize(
    "build, forward",
    [
        (se_resnet50, lambda reference, x: reference.se_resnet50(x)),
        (resnext50, lambda reference, x: reference.resnext50(x, cbam=False)),
        (
            lambda **kwargs: resnext50(cbam=True, **kwargs),
            lambda reference, x: reference.resnext50(x, cbam=True),
        ),
    ],
    ids=["se_resnet50", "resnext50", "resnext50_cbam"],
)
@pytest.mark.parametrize("size", [(48, 48), (50, 64)])
def test_last_feature_map(build, forward, size):
    """50 px leaves 25 before the pooling: the odd case of Caffe's rounding."""
    model = build(input_shape=(*size, 3), width=0.125)
    randomize(model)
    image = np.random.default_rng(1).uniform(0, 255, (2, *size, 3)).astype("float32")
    expected = forward(Reference(model), image.astype("float64"))
    actual = keras.ops.convert_to_numpy(model(image, training=False))
    assert actual.shape == expected.shape
    scale = np.abs(expected).max()
    assert scale > 0.1
    np.testing.assert_allclose(actual / scale, expected / scale, atol=1e-5)
