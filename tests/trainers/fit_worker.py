"""Fits recipes for a few steps, from weights that depend on their names only.

Run by `test_fit.py` as `fit_worker.py OUTPUT.npz DATA quick|tiny|papers`, with
KERAS_BACKEND set, on npz data. Without TensorFlow as the backend its import is
blocked. With it, the steps of the GradientTape loop are written beside fit's.
"""

import sys

import keras  # noqa: E402
import numpy as np
from keras import layers  # noqa: E402
from ml_collections import ConfigDict  # noqa: E402

from fer_tf.layers.pixel_scaling import PixelScaling  # noqa: E402
from tests.fer_tf.backend_worker import BACKEND, set_weights
from trainers import fit  # noqa: E402
from trainers.configs import (  # noqa: E402
    base,
    gan_synthetic,
    meen_synthetic,
    wang_synthetic,
    zhang_synthetic,
)
from trainers.training import build as setup
from trainers.training import optimizers as optimizing  # noqa: E402
from trainers.training import streams  # noqa: E402

STEPS = 4
OBJECTIVES = {
    "expression": dict(name="expression", label_smoothing=0.1),
    "wang": dict(name="wang2018", reading="A", regression="tukey"),
    "zhang": dict(name="zhang2020", weighting="uncertainty"),
    "masks": dict(name="region_masks"),
}


def tiny_network():
    """Every output that a paper's network has, on 32 px windows."""
    image = keras.Input((32, 32, 1), name="image")
    x = PixelScaling(name="scale")(image)
    x = layers.Conv2D(8, 4, 4, activation="relu", name="conv")(x)
    x = layers.BatchNormalization(name="bn")(x)
    masks = layers.Conv2D(8, 4, 4, activation="sigmoid", name="region_masks")(x)
    x = layers.Flatten(name="flatten")(x)
    heads = {"expression": 7, "valence_arousal": 2, "action_units": 8}
    outputs = {name: layers.Dense(n, name=name)(x) for name, n in heads.items()}
    return keras.Model(image, {**outputs, "region_masks": masks}, name="tiny")


def tiny_configs():
    """`(name, config)`, one an objective, each with an optimizer of its own."""
    optimizers = {
        "expression": dict(name="sgd", momentum=0.9, weight_decay=5e-4, nesterov=True),
        "wang": dict(name="rmsprop_tf1", rho=0.9, momentum=0.0, epsilon=1e-10),
        "zhang": dict(name="adam", weight_decay=1e-3),
        "masks": dict(name="sgd", momentum=0.9, momentum_style="caffe"),
    }
    for name, objective in OBJECTIVES.items():
        config = base.get_config()
        config.input.update(size=36, window=32)
        config.region_masks = ConfigDict(dict(region_sizes="swapped"))
        config.batch_size = 16
        config.objective = ConfigDict(objective)
        config.class_weights = name == "expression"
        config.sampling.name = "up" if name == "expression" else "all"
        stage = config.stages[0]
        stage.learning_rate = 1e-3
        stage.optimizer = ConfigDict(optimizers[name])
        yield name, config


def paper_configs():
    modules = (wang_synthetic, zhang_synthetic, meen_synthetic, gan_synthetic)
    for module in modules:
        config = module.get_config()
        # In float32 the backends round on different sides of a ReLU's zero: one
        # such unit of a deep network moves a gradient by several per cent. And at
        # full rate a first step of Meen's makes of 1e-7 (heads are float32) 1e-2.
        config.dtype_policy = "float64"
        for stage in config.stages:
            stage.learning_rate *= 0.1
        yield module.__name__.split(".")[-1], config


def without_dropout(model):
    """Its masks differ by backend."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            without_dropout(layer)
        elif isinstance(layer, layers.Dropout):
            layer.rate = 0.0
    return model


class Losses(keras.callbacks.Callback):
    """Mean loss so far, after each step."""

    def __init__(self):
        super().__init__()
        self.found = []

    def on_train_batch_end(self, batch, logs=None):
        self.found.append(logs["loss"])


def fitted(config, data, stage):
    """Mean losses after each step of `fit`."""
    model, arguments = fit.compiled(config, data, stage=stage)
    set_weights(model.network)
    losses = Losses()
    arguments["callbacks"].append(losses)
    if "steps_per_epoch" in arguments:
        arguments["steps_per_epoch"] = STEPS
    else:
        arguments["x"].num_steps = STEPS
    model.fit(**arguments | dict(epochs=1, verbose=0))
    return losses.found


def looped(config, data, stage):
    """The same, by the GradientTape step on `tf.data`."""
    from data_pipelines.storage.prepared import open_prepared
    from trainers.training import objectives, steps

    prepared, chosen = open_prepared(data), config.stages[stage]
    network = setup.build_model(config)
    trained = setup.set_trainable(
        network, chosen, [x.trainable for x in network.layers]
    )
    set_weights(network)
    totals = [
        optimizing.total_steps(config, each, streams.epoch_size(config, prepared))
        for each in config.stages
    ]
    step = steps.make_train_step(
        trained,
        optimizing.build_optimizer(config, chosen, totals[stage]),
        objectives.make_objective(chosen.objective or config.objective),
        jit_compile=False,
    )
    stream = streams.train_stream(config, prepared, start_step=sum(totals[:stage]))
    losses = [float(step(batch)["loss"]) for batch in stream.take(STEPS)]
    return np.cumsum(losses) / np.arange(1, STEPS + 1)


def main(output, data, amount):
    if amount == "papers" and BACKEND == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    configs = dict(paper_configs() if amount == "papers" else tiny_configs())
    if amount == "quick":
        # Learned weights of tasks, a loss over the batch, labels that are missing.
        configs = {"zhang": configs["zhang"]}
    tiny = amount in ("quick", "tiny")
    build = (lambda _: tiny_network()) if tiny else setup.build_model
    setup.build_model = lambda config: without_dropout(build(config))
    values = {}
    for name, config in configs.items():
        for stage in range(len(config.stages)):
            values[f"fit/{name}/{stage}"] = fitted(config, data, stage)
            if BACKEND == "tensorflow":
                values[f"loop/{name}/{stage}"] = looped(config, data, stage)
    np.savez(output, **values)


if __name__ == "__main__":
    main(*sys.argv[1:])
