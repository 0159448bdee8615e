"""The whole network against a second implementation in NumPy, float64."""

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from fer_tf.models.wang2018 import two_att_two_mt


class Reference:
    """2Att-2Mt from Wang 2017 and 2018; reads weights by the name of a layer."""

    def __init__(self, model, skip, activate, combine):
        self.weights, self.skip, self.seen = {}, skip, {}
        self.activate, self.combine = activate, combine
        for variable in model.variables:
            layer, *_, leaf = variable.path.split("/")
            way = "backward_" if "backward" in variable.path else ""
            value = variable.numpy().astype("float64")
            self.weights[layer, way + leaf] = value

    def conv(self, x, name):
        kernel = self.weights[name, "kernel"]
        half = kernel.shape[0] // 2
        x = np.pad(x, ((0, 0), (half, half), (half, half), (0, 0)))
        windows = sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
        y = np.einsum("bhwcij,ijcd->bhwd", windows, kernel)
        return y + self.weights.get((name, "bias"), 0)

    def dense(self, x, name):
        return x @ self.weights[name, "kernel"] + self.weights[name, "bias"]

    def bn_relu_conv(self, x, name):
        return self.conv(self.bn_relu(x, name), f"{name}_conv")

    def bn_relu(self, x, name):
        w = {k: v for (layer, k), v in self.weights.items() if layer == f"{name}_bn"}
        x = (x - w["moving_mean"]) / np.sqrt(w["moving_variance"] + 1e-5)
        return np.maximum(x * w["gamma"] + w["beta"], 0)

    def unit(self, x, name):
        y = x
        for i in (1, 2, 3):
            y = self.bn_relu_conv(y, f"{name}_{i}")
        return x + y

    def pool(self, x):
        """3 x 3, stride 2, as Caffe rounds: the window hangs over the far edge."""
        _, h, w, _ = x.shape
        rows, columns = -(-h // 2), -(-w // 2)
        low = (1, 1) if h % 2 else (0, 2)  # "same": odd sizes hang over both edges.
        x = np.pad(x, ((0, 0), low, low, (0, 0)), constant_values=-np.inf)
        y = sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::2, ::2].max((-1, -2))
        return y[:, :rows, :columns]

    def resize(self, x, size):
        """Bilinear, half-pixel centres, one axis after the other."""
        for axis in (1, 2):
            n = x.shape[axis]
            position = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
            low = np.floor(position).astype(int)
            t = position - low
            t = t.reshape([-1 if a == axis else 1 for a in range(4)])
            high = np.minimum(low + 1, n - 1)
            x = np.take(x, low, axis) * (1 - t) + np.take(x, high, axis) * t
        return x

    def attention_block(self, x, depth, name):
        x = self.unit(x, f"{name}_input")
        trunk = self.unit(self.unit(x, f"{name}_trunk1"), f"{name}_trunk2")
        m1 = self.unit(self.pool(x), f"{name}_down1")
        if depth == 1:
            mask = self.unit(m1, f"{name}_bottom")
        else:
            m2 = self.unit(self.pool(m1), f"{name}_down2")
            mask = self.resize(self.unit(m2, f"{name}_bottom"), m1.shape[1])
            if self.skip:
                mask = mask + self.unit(m1, f"{name}_skip1")
            mask = self.unit(mask, f"{name}_up1")
        mask = self.resize(mask, x.shape[1])
        for i in (1, 2):
            mask = self.bn_relu_conv(mask, f"{name}_mask_{i}")
        mask = 1 / (1 + np.exp(-mask))
        self.seen[f"{name}_mask"] = mask
        x = self.unit((1 + mask) * trunk, f"{name}_output")
        return self.bn_relu(x, f"{name}_activated") if self.activate else x

    def rnn(self, steps):
        both = []
        for way, order in (("", steps), ("backward_", steps[::-1])):
            kernel, recurrent, bias = (
                self.weights["level_rnn", way + leaf]
                for leaf in ("kernel", "recurrent_kernel", "bias")
            )
            h, states = 0, []
            for x in order:
                carried = h @ recurrent if len(states) else 0
                h = np.tanh(x @ kernel + carried + bias)
                states.append(h)
            both.append(states if not way else states[::-1])
        return np.stack([np.concatenate(pair, -1) for pair in zip(*both)], 1)

    def __call__(self, image, blocks):
        x, steps = image / 127.5 - 1, []
        for stage, convs in enumerate((1, 1, 3), start=1):
            for i in range(1, convs + 1):
                x = np.maximum(self.conv(x, f"stage{stage}_conv{i}"), 0)
            x = self.pool(x)
            if stage <= blocks:
                depth = 2 if stage == 1 else 1
                x = self.attention_block(x, depth, f"attention{stage}")
            steps.append(self.conv(x, f"level{stage}_conv").mean((1, 2)))
        h = self.rnn(steps)
        a = np.exp(h @ h.transpose(0, 2, 1))
        a = a / a.sum(-1, keepdims=True)
        self.seen["level_attention"] = a
        f = (a @ h).mean(1) if self.combine == "mean" else (a @ h).reshape(len(h), -1)
        d = np.maximum(self.dense(f, "dimensional"), 0)
        c = np.maximum(self.dense(f, "categorical"), 0)
        z = np.concatenate([d, c], -1)
        va = [self.dense(z, "valence"), self.dense(z, "arousal")]
        return {
            "expression": self.dense(c, "expression"),
            "valence_arousal": np.concatenate(va, -1),
        }


@pytest.mark.parametrize(
    "size, blocks, skip, activate, combine",
    [
        (48, 3, True, False, "concat"),
        (18, 2, False, False, "concat"),
        (48, 2, True, True, "concat"),  # As every recipe of ours trains it.
        (18, 1, True, True, "mean"),
    ],
)
def test_network_equals_a_second_implementation(size, blocks, skip, activate, combine):
    keras.utils.set_random_seed(3)
    model = two_att_two_mt(
        input_shape=(size, size, 1), attention_blocks=blocks, skip=skip, width=0.125,
        activate_blocks=activate, combine=combine,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for variable in model.variables:
        value = variable.numpy()
        if len(variable.shape) == 1:  # Nothing may hide behind its initial value.
            variable.assign(value + rng.uniform(0.05, 0.3, variable.shape))
        elif len(variable.shape) == 4:  # Masks neither 0 nor 1, where all is equal.
            variable.assign(0.5 * value)
    names = ["level_attention", *(f"attention{i + 1}_mask" for i in range(blocks))]
    outputs = {**model.output, **{n: model.get_layer(n).output for n in names}}
    images = rng.uniform(0, 255, (2, size, size, 1)).astype("float32")
    ours = keras.Model(model.input, outputs)(images, training=False)
    reference = Reference(model, skip, activate, combine)
    theirs = reference(images.astype("float64"), blocks) | reference.seen
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-5, atol=1e-5)
