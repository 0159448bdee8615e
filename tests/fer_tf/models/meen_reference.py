"""Meen et al.'s models in NumPy, forwards only, from the weights of a model.

Written from the paper's text, plane by plane: nothing here is fast.
"""

import numpy as np


def randomize(model, seed=0):
    """Weights under which every path matters and no activation dies out."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        shape = variable.shape
        if len(shape) > 1:
            value = rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1]))
        elif variable.name in ("gamma", "moving_variance"):
            value = rng.uniform(0.5, 1.5, shape)
        else:
            value = rng.normal(0, 0.2, shape)
        variable.assign(value.astype("float32"))


def weights_of(model):
    return {x.name: [np.float64(w) for w in x.get_weights()] for x in model.layers}


def conv(x, kernel, bias=0.0, stride=1):
    pad = kernel.shape[0] // 2
    x = np.pad(x, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
    windows = windows[:, ::stride, ::stride]
    return np.einsum("byxcij,ijco->byxo", windows, kernel, optimize=True) + bias


def bn(x, gamma, beta, mean, variance):
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def relu(x):
    return np.maximum(x, 0)


def pool(x, how=np.max):
    b, h, w, c = x.shape
    x = x[:, : h // 2 * 2, : w // 2 * 2]
    return how(x.reshape(b, h // 2, 2, w // 2, 2, c), axis=(2, 4))


def softmax(x, axis=-1):
    x = np.exp(x - x.max(axis, keepdims=True))
    return x / x.sum(axis, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def enlarge(x, height, width):
    """Bilinear with half-pixel centres, rows then columns."""
    for axis, size in ((1, height), (2, width)):
        count = x.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, count - 1)
        t = (at - low).reshape([-1 if i == axis else 1 for i in range(4)])
        x = x.take(low, axis) * (1 - t) + x.take(high, axis) * t
    return x


def vgg19(w, x):
    taps = {}
    for block, depth in enumerate((2, 2, 4, 4, 4), start=1):
        for i in range(1, depth + 1):
            x = conv(x, *w[f"block{block}_conv{i}"])
            x = relu(bn(x, *w[f"block{block}_bn{i}"]))
        taps[f"block{block}"] = x
        x = pool(x)
    return taps, x.mean((1, 2))


def resnet18(w, x):
    x = relu(bn(conv(x, *w["stem_conv"]), *w["stem_bn"]))
    taps = {}
    for stage in (1, 2, 3, 4):
        for block in (1, 2):
            name = f"stage{stage}_block{block}"
            stride = 2 if stage > 1 and block == 1 else 1
            y = conv(x, *w[f"{name}_conv1"], stride=stride)
            y = conv(relu(bn(y, *w[f"{name}_bn1"])), *w[f"{name}_conv2"])
            if stride == 2:
                x = conv(x, *w[f"{name}_projection"], stride=2)
                x = bn(x, *w[f"{name}_projection_bn"])
            x = relu(x + bn(y, *w[f"{name}_bn2"]))
        taps[f"stage{stage}"] = x
    return taps, x.mean((1, 2))


def densenet121(w, x):
    x = conv(x, *w["stem_conv"])
    taps = {}
    for stage, depth in enumerate((6, 12, 24, 16), start=1):
        for i in range(1, depth + 1):
            name = f"stage{stage}_layer{i}"
            y = conv(relu(bn(x, *w[f"{name}_bn1"])), *w[f"{name}_conv1"])
            y = conv(relu(bn(y, *w[f"{name}_bn2"])), *w[f"{name}_conv2"])
            x = np.concatenate([x, y], -1)
        x = taps[f"stage{stage}"] = relu(bn(x, *w[f"stage{stage}_bn"]))
        if stage < 4:
            x = pool(conv(x, *w[f"stage{stage}_transition"]), np.mean)
    return taps, x.mean((1, 2))


BACKBONES = {"vgg19": vgg19, "resnet18": resnet18, "densenet121": densenet121}


def combine(x, u, how):
    """Every plane that a map makes of an image; equal channel counts: in pairs."""
    if how == "concat":
        return np.concatenate([x, u], -1)
    u = u + (how == "residual_product")
    if u.shape[-1] == x.shape[-1]:
        return u * x
    return np.concatenate([u[..., [c]] * x for c in range(u.shape[-1])], -1)


def normalize(f, how):
    if how == "max":
        return f / np.maximum(f.max((1, 2), keepdims=True), 1e-6)
    return sigmoid(f) if how == "sigmoid" else f


def weigh(w, f, how, rescale, name):
    if how == "channel":
        kernel, bias = w[f"{name}_score"]
        flat = f.reshape(len(f), -1, f.shape[-1])
        alpha = softmax(np.einsum("bpc,p->bc", flat, kernel[:, 0]) + bias)
    elif how == "squeeze":
        kernel, bias = w[f"{name}_score"]
        alpha = softmax(f.mean((1, 2)) @ kernel + bias)
    elif how == "spatial":
        flat = f.reshape(len(f), -1, f.shape[-1])
        alpha = softmax(flat, 1).reshape(f.shape)
        return f * alpha * (flat.shape[1] if rescale else 1)
    else:
        return f
    return f * alpha[:, None, None] * (f.shape[-1] if rescale else 1)


def model1(model, image, maps, how, norm="none", weighting=None, rescale=False):
    w = weights_of(model)
    x = image / 255
    f = vgg19(weights_of(model.get_layer("face_network")), x)[0]["block4"]
    f = weigh(w, normalize(f, norm), weighting, rescale, "face")
    if maps == "average":
        # Weights that sum to 1 already average.
        average = (
            np.sum if weighting in ("channel", "squeeze") and not rescale else np.mean
        )
        f = average(f, -1, keepdims=True)
    elif maps == "conv":
        f = conv(f, *w["face_conv"])
    x = combine(x, enlarge(f, *x.shape[1:3]), how)
    kernel, bias = w["expression"]
    return vgg19(w, x)[1] @ kernel + bias


def model3(model, image, source, how, taps, backbone="vgg19", maps="all",
           compatibility="softmax", merge="weighted"):  # fmt: skip
    w, network = weights_of(model), BACKBONES[backbone]
    x = image / 255
    if source != "emotion":
        face = network(weights_of(model.get_layer("face_network")), x)[0]
        face = [face[tap] for tap in taps]
    if source == "separately":
        face = [weigh(w, f, "channel", True, tap) for tap, f in zip(taps, face)]
        if maps == "average":
            face = [f.mean(-1, keepdims=True) for f in face]
            scores = [
                f.reshape(len(f), -1) @ w[f"{tap}_map_score"][0]
                + w[f"{tap}_map_score"][1]
                for tap, f in zip(taps, face)
            ]
            b = softmax(np.concatenate(scores, -1))
            u = sum(
                b[:, k, None, None, None] * enlarge(f, *x.shape[1:3])
                for k, f in enumerate(face)
            )
        else:
            u = np.concatenate([enlarge(f, *x.shape[1:3]) for f in face], -1)
        x = combine(x, u, how)
    own, g = network(w, x)
    estimates = []
    for k, tap in enumerate(taps):
        p = face[k] if source == "facial" else own[tap]
        if source == "combination":
            p = combine(own[tap], face[k], how)
        if f"{tap}_projection" in w:
            p = conv(p, *w[f"{tap}_projection"])
        p = p.reshape(len(p), -1, p.shape[-1])
        u, *bias = w[f"{tap}_compatibility"]
        scores = ((p + g[:, None]) @ u)[..., 0] + (bias[0] if bias else 0)
        if compatibility == "softmax":
            estimates.append(np.einsum("bp,bpc->bc", softmax(scores), p))
        else:
            estimates.append(np.mean(sigmoid(scores)[..., None] * p, 1))
    if merge == "concat":
        x = np.concatenate(estimates, -1)
    else:
        v = np.stack(estimates, 1)
        kernel, bias = w["tap_score"]
        b = softmax((v @ kernel + bias)[..., 0])
        x = combine(g, np.einsum("bk,bkc->bc", b, v), how)
    kernel, bias = w["expression"]
    return x @ kernel + bias
