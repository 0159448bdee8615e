"""What a single training step is tried on."""

import keras
import tensorflow as tf

from tests.trainers import replica_worker
from trainers.training import (
    objectives,
)


def small(*, dropout=0.0, normalize=False, policy="float32"):
    """A network of few weights, and an objective of every kind of loss."""
    keras.utils.set_random_seed(0)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = replica_worker.build(synchronized=False, normalize=normalize)
        if dropout:
            x = keras.layers.Dropout(dropout)(model.input)
            model = keras.Model(model.input, model(x))
    finally:
        keras.config.set_dtype_policy(before)
    return model, objectives.Zhang2020(weighting="uncertainty")


def batch():
    first = next(replica_worker.batches())
    return {name: tf.constant(value) for name, value in first.items()}


def values(model):
    return [variable.numpy() for variable in model.trainable_variables]
