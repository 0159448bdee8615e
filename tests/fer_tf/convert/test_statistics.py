"""The network stays what it was; its statistics become those of the pictures."""

import keras
import numpy as np
import pytest

from fer_tf.convert.statistics import adopt_statistics
from fer_tf.layers.batch_normalization import BatchNormalization


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(4, 3, use_bias=False)(image)
    x = keras.layers.ReLU()(BatchNormalization(name="first")(x))
    x = keras.layers.Conv2D(3, 3, use_bias=False)(x)
    model = keras.Model(image, BatchNormalization(name="second")(x))
    for weight in model.weights:
        if "kernel" not in weight.path:
            weight.assign(np.random.default_rng(1).uniform(0.5, 2.0, weight.shape))
    return model


def test_outputs_stay_and_the_batch_statistics_are_the_stored_ones(network):
    faces = np.random.default_rng(0).normal(5, 2, (64, 6, 6, 1)).astype("float32")
    before = np.asarray(network(faces, training=False))
    assert adopt_statistics(network, faces) == ["first", "second"]
    np.testing.assert_allclose(network(faces, training=False), before, atol=1e-4)
    # Normalised by the statistics of this very batch, nothing changes either.
    np.testing.assert_allclose(network(faces, training=True), before, atol=1e-4)
