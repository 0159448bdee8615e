"""Computes models, losses and optimizer steps on fixed numbers.

Run by `test_backends.py` as `backend_worker.py OUTPUT.npz quick|all`, with
KERAS_BACKEND set. Without TensorFlow as the backend its import is blocked, which
is how the package must work where it is not installed.
"""

import itertools
import os
import sys
import zlib

BACKEND = os.environ["KERAS_BACKEND"]
if BACKEND != "tensorflow":
    sys.modules["tensorflow"] = None

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import ops  # noqa: E402

import fer_tf  # noqa: E402
from fer_tf import losses, optimizers  # noqa: E402
from fer_tf.layers.uncertainty_weighting import UncertaintyWeighting  # noqa: E402

# `{name: overrides}`. JAX needs tens of seconds of compilation for a deep network,
# so that only the first few, shallow ones are always computed.
QUICK_MODELS = {
    "two_att_two_mt": {"input_shape": (18, 18, 1), "attention_blocks": 0},
    "gan_vgg16_se": {"input_shape": (32, 32, 3)},
}
MODELS = {
    **QUICK_MODELS,
    "two_att_two_mt_3block": {"input_shape": (18, 18, 1), "rnn_cell": "gru"},
    "mtanet_senet50": {"input_shape": (32, 32, 3)},
    "mtanet_resnext50_cbam": {"input_shape": (32, 32, 3)},
    "meen_model1_conv": {},
    "meen_model2_average": {},
    "meen_model3_separately": {},
    "gan_man": {"input_shape": (96, 96, 3)},
}


def uniform(seed, *shape, low=-1.0, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype("float32")


def set_weights(model):
    """Numbers that depend on a variable's path only."""
    for variable in model.weights:
        seed, shape = zlib.crc32(variable.path.encode()), variable.shape
        if "moving_variance" in variable.path or "gamma" in variable.path:
            value = uniform(seed, *shape, low=0.5)
        elif len(shape) < 2:
            value = 0.1 * uniform(seed, *shape)
        else:
            value = uniform(seed, *shape) * np.sqrt(3 / np.prod(shape[:-1]))
        variable.assign(value)


def model_values(models):
    for name, overrides in models.items():
        model = fer_tf.create_model(name, width=0.125, **overrides)
        set_weights(model)
        inputs = {}
        for tensor in model.inputs:
            high = 255 if tensor.name == "image" else 1
            inputs[tensor.name] = uniform(0, 2, *tensor.shape[1:], low=0, high=high)
        if len(inputs) == 1:
            inputs = inputs["image"]
        for output, value in model(inputs, training=False).items():
            yield f"model/{name}/{output}", value


def training_values():
    """Two steps through gradients, batch statistics and an optimizer."""
    model = fer_tf.create_model(
        "two_att_two_mt_1block", width=0.125, input_shape=(16, 16, 1), levels="blocks"
    )
    set_weights(model)
    model.compile(
        optimizers.CoupledSGD(0.01, momentum=0.9, weight_decay=1e-3),
        {
            "expression": losses.CrossEntropy(),
            "valence_arousal": losses.TukeyBiweight(),
        },
        jit_compile=BACKEND == "jax",
    )
    images = uniform(1, 4, 16, 16, 1, low=0, high=255)
    labels = {
        "expression": np.arange(4),
        "valence_arousal": uniform(2, 4, 2),
    }
    for step in range(2):
        yield f"train/loss{step}", model.train_on_batch(images, labels)
    for variable in model.weights:
        yield f"train/{variable.path}", variable


def loss_values():
    labels, logits = np.arange(6) % 7, uniform(3, 6, 7, low=-4, high=4)
    units = (uniform(4, 6, 8) > 0).astype("float32")
    weights = np.array([1, 1, 0, 1, 1, 0], "float32")
    targets, predictions = uniform(5, 6, 2), 3 * uniform(6, 6, 2)
    masks = uniform(7, 2, 6, 14, 14, 8, low=0)
    yield "loss/cross_entropy", losses.cross_entropy(labels, logits)
    yield "loss/smooth", losses.cross_entropy(labels, logits, label_smoothing=0.1)
    yield "loss/soft", losses.soft_cross_entropy(np.abs(logits) / 7, logits)
    yield (
        "loss/action_units",
        losses.action_unit_cross_entropy(units, uniform(8, 6, 8), weights),
    )
    yield "loss/squared_error", losses.squared_error(targets, predictions)
    yield "loss/tukey", losses.tukey_biweight(targets, predictions, c=1.5)
    yield (
        "loss/tukey_mad",
        losses.tukey_biweight(targets, predictions, weights, scale="mad"),
    )
    yield "loss/ccc", losses.ccc_loss(targets, predictions, weights)
    yield "loss/region_mask", losses.region_mask_loss(*masks)
    yield "loss/masked_mean", losses.masked_mean(predictions[:, 0], weights)
    weighting = UncertaintyWeighting({"a": 1.0, "b": 0.5})
    weighting.build()
    for i, variable in enumerate(weighting.weights):
        variable.assign(0.5 * i - 0.3)
    parts = {"a": ops.convert_to_tensor(2.0), "b": ops.convert_to_tensor(3.0)}
    yield "loss/uncertainty", weighting(parts)


def optimizer_values():
    kinds = {
        "sgd_torch": optimizers.CoupledSGD(0.1, momentum=0.9, weight_decay=0.01),
        "sgd_caffe": optimizers.CoupledSGD(0.1, momentum=0.9, momentum_style="caffe"),
        "adam": optimizers.CoupledAdam(0.1, weight_decay=0.01),
        "rmsprop": optimizers.RMSpropTF1(0.1, momentum=0.5),
    }
    for name, optimizer in kinds.items():
        variable = keras.Variable(uniform(9, 3, 4), name="kernel")
        optimizer.build([variable])
        for step in range(3):
            gradient = ops.convert_to_tensor(uniform(10 + step, 3, 4))
            optimizer.apply([gradient], [variable])
        yield f"optimizer/{name}", variable


def main(output, amount):
    models = {"quick": QUICK_MODELS, "all": MODELS}[amount]
    parts = loss_values(), optimizer_values(), training_values(), model_values(models)
    values = {}
    for name, value in itertools.chain(*parts):
        values[name] = np.asarray(ops.convert_to_numpy(value), "float64")
    np.savez(output, **values)


if __name__ == "__main__":
    main(*sys.argv[1:])
