"""The network stays what it was; its statistics become those of the pictures."""

import keras
import numpy as np
import pytest

from fer_tf.convert.batch_statistics import adopt_statistics
from fer_tf.layers.batch_normalization import BatchNormalization


def build(policy):
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(4, 3, use_bias=False, dtype=policy)(image)
    x = BatchNormalization(name="first", dtype=policy)(x)
    x = keras.layers.Conv2D(3, 3, use_bias=False, dtype=policy)(keras.ops.relu(x))
    model = keras.Model(image, BatchNormalization(name="second", dtype=policy)(x))
    for weight in model.weights:
        if "kernel" not in weight.path:
            weight.assign(np.random.default_rng(1).uniform(0.5, 2.0, weight.shape))
    return model


@pytest.mark.parametrize("policy, apart", [("float32", 1e-4), ("mixed_bfloat16", 0.15)])
def test_outputs_stay_and_the_batch_statistics_are_the_stored_ones(policy, apart):
    network = build(policy)
    faces = np.random.default_rng(0).normal(5, 2, (64, 6, 6, 1)).astype("float32")
    before = np.asarray(network(faces, training=False))
    assert adopt_statistics(network, faces) == ["first", "second"]
    np.testing.assert_allclose(network(faces, training=False), before, atol=apart)
    # Normalised by the statistics of this very batch, nothing changes either.
    np.testing.assert_allclose(network(faces, training=True), before, atol=apart)
