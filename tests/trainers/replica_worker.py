"""Trains a tiny network on one device and on two, in a process of its own.

argv: a name of `CASES`. Prints JSON, `{"one": run, "two": run}`, where a run has
the losses of its steps and what the weights are in the end.
"""

import json
import sys

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from fer_tf import optimizers
from fer_tf.layers.batch_normalization import BatchNormalization
from trainers.training import distribution, objectives, steps

BATCH, STEPS = 16, 4
SGD = lambda **more: optimizers.CoupledSGD(
    0.05, momentum=0.9, weight_decay=1e-3, **more
)
CASES = {
    # Batch statistics, rows of weight 0, and weights of the loss's own.
    "uncertainty": dict(optimizer=SGD, weighting="uncertainty"),
    "adam": dict(optimizer=lambda: optimizers.CoupledAdam(1e-3, weight_decay=1e-3)),
    "rmsprop": dict(optimizer=lambda: optimizers.RMSpropTF1(1e-3)),
    "clipped": dict(optimizer=SGD, clip={"global_clipnorm": 0.5}),
    "clipped_values": dict(optimizer=SGD, clip={"clipvalue": 0.01}),
    "micro_batches": dict(optimizer=SGD, micro_batches=2, normalize=False),
    "loss_scale": dict(optimizer=SGD, loss_scale=True),
    "not_synchronized": dict(optimizer=SGD, synchronized=False),
}


def batches():
    """The same few batches everywhere; labels are missing more often at the end."""
    rng = np.random.default_rng(0)
    valid = lambda *shape: (rng.uniform(size=shape) < 0.8).astype(np.float32)
    late = np.linspace(1, 0, BATCH)[:, None] ** 2
    for _ in range(STEPS):
        known = (rng.uniform(size=(BATCH, 3)) < late + 0.1).astype(np.float32)
        yield {
            "image": rng.normal(size=(BATCH, 12, 12, 1)).astype(np.float32),
            "expression": rng.integers(0, 7, BATCH),
            "expression_weight": known[:, 0],
            "valence_arousal": rng.uniform(-1, 1, (BATCH, 2)).astype(np.float32),
            "valence_arousal_weight": known[:, 1],
            "action_units": rng.integers(0, 2, (BATCH, 8)).astype(np.float32),
            "action_units_weight": valid(BATCH, 8) * known[:, 2:],
        }


def build(synchronized, normalize):
    image = keras.Input((12, 12, 1))
    x = layers.Conv2D(8, 3, use_bias=not normalize, name="conv")(image)
    if normalize:
        x = BatchNormalization(synchronized=synchronized, name="norm")(x)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    heads = {"expression": 7, "valence_arousal": 2, "action_units": 8}
    return keras.Model(
        image, {name: layers.Dense(n, name=name)(x) for name, n in heads.items()}
    )


def run(strategy, *, optimizer, weighting="sum", clip=None, micro_batches=1,
        normalize=True, loss_scale=False, synchronized=True):  # fmt: skip
    replicas = strategy.num_replicas_in_sync
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = build(synchronized and replicas > 1, normalize)
        objective = objectives.Zhang2020(weighting=weighting)
        limits = {name: limit / replicas for name, limit in (clip or {}).items()}
        chosen = optimizer(**limits) if clip else optimizer()
        if loss_scale:
            chosen = keras.optimizers.LossScaleOptimizer(chosen, initial_scale=2.0**10)
        step = steps.make_train_step(
            model, chosen, objective, jit_compile=False, micro_batches=micro_batches
        )
    state = steps.State(objective.tasks)
    counted = steps.make_counted_step(step, state, strategy=strategy)
    features = list(batches())
    stacked = {name: np.stack([b[name] for b in features]) for name in features[0]}
    stream = tf.data.Dataset.from_tensor_slices(stacked).repeat()
    losses = []
    feed = iter(distribution.spread(strategy, stream))
    for _ in range(STEPS):
        counted(next(feed))
        losses.append(state.mean_losses())
        state.reset_losses()
    variables = [
        *model.variables,
        *(objective.layer.variables if objective.layer else []),
    ]
    weights = [variable.numpy().tolist() for variable in variables]
    return {"losses": losses, "weights": weights}


def seeds(strategy):
    """What each replica's dropout begins with."""
    with strategy.scope():
        seed = tf.Variable([7, 0], dtype=tf.uint32)
    distribution.spread_seeds(strategy, [seed])
    local = strategy.experimental_local_results(seed)
    return [value.numpy().tolist() for value in local]


def main():
    (cpu,) = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    one = tf.distribute.get_strategy()
    found = {"seeds": seeds(mirrored)}
    for name in sys.argv[1:]:
        case = CASES[name]
        found[name] = {"one": run(one, **case), "two": run(mirrored, **case)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
