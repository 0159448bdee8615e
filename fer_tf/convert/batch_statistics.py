"""Gives a network without normalisation its normalisation back.

Published weights often have each batch normalisation folded into its convolution: right
to read faces with, and hard to train on, since only a small rate is stable.
"""

import keras
import numpy as np
from keras import ops

from fer_tf.layers.batch_normalization import BatchNormalization


def adopt_statistics(model: keras.Model, images: np.ndarray) -> list[str]:
    """Sets the statistics of a network's batch normalisations to those of pictures.

    Scale and offset change with them, so that the network computes what it did before.
    Training then begins where the statistics of a batch are nearly the stored ones.

    Args:
        model: Network of one input; its batch normalisations hold numbers by which it
            works, such as zeros and ones.
        images: Pictures `(n, height, width, channels)` that the network is going to
            learn from; a few hundred.

    Returns:
        The names of the layers, in the network's order.

    Example:
        >>> image = keras.Input((1, 1, 1))
        >>> layer = BatchNormalization(epsilon=0.0, name="bn")
        >>> model = keras.Model(image, layer(image))
        >>> adopt_statistics(model, np.reshape([1.0, 5.0], (2, 1, 1, 1)))
        ['bn']
        >>> [float(weight[0]) for weight in model.weights]  # Twice as wide, around 3.
        [2.0, 3.0, 3.0, 4.0]
    """
    found = [x for x in model.layers if isinstance(x, BatchNormalization)]
    probe = keras.Model(model.input, [layer.input for layer in found])
    # Of one layer, the model gives its map itself, not a list.
    for layer, x in zip(found, keras.tree.flatten(probe(images))):
        x = ops.cast(x, "float32")  # Maps may be of half precision, statistics not.
        mean, variance = ops.moments(x, axes=list(range(len(x.shape) - 1)))
        slope = layer.gamma / ops.sqrt(layer.moving_variance + layer.epsilon)
        layer.beta.assign(layer.beta + slope * (mean - layer.moving_mean))
        layer.gamma.assign(slope * ops.sqrt(variance + layer.epsilon))
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)
    return [layer.name for layer in found]
