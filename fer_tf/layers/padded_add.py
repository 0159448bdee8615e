"""The sum of a branch and a shortcut that have different sizes."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="fer_tf")
class PaddedAdd(layers.Layer):
    """Adds two maps `(batch, height, width, channels)` of any static sizes.

    Each is continued with zeros, below, to the right and in further channels, to the
    larger size of the two: dlib's `add_prev`.

    Raises:
        ValueError: If there are not two maps of static sizes.

    Example:
        >>> small, deep = ops.ones((1, 2, 2, 3)), ops.ones((1, 1, 2, 4))
        >>> total = PaddedAdd()([small, deep])
        >>> print(total[0, 0, 0].numpy(), total[0, 1, 0].numpy())
        [2. 2. 2. 1.] [1. 1. 1. 0.]
    """

    def call(self, inputs):
        a, b = inputs
        size = self.compute_output_shape([a.shape, b.shape])[1:]
        return _padded(a, size) + _padded(b, size)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 2 or any(
            len(shape) != 4 or None in tuple(shape)[1:] for shape in input_shape
        ):
            raise ValueError(
                "PaddedAdd takes two maps (batch, height, width, channels) of static "
                f"sizes. Received: {[tuple(shape) for shape in input_shape]}."
            )
        a, b = input_shape
        return (a[0], *(max(pair) for pair in zip(a[1:], b[1:])))


def _padded(x, size):
    missing = [0, *(after - before for after, before in zip(size, x.shape[1:]))]
    return ops.pad(x, [(0, count) for count in missing]) if any(missing) else x
