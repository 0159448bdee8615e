"""Pictures freed of slanting light and of their contrast."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="fer_tf")
class PlaneNormalization(layers.Layer):
    """A picture less the plane that fits it best, over what then is its deviation.

    The plane, `a + b x + c y` by least squares, is the mean and light from one side.
    A picture that is a plane becomes 0. Each channel stands for itself. It has no
    weights and computes in float32 under every dtype policy.

    Source: the owner's code of FER+ (github.com/microsoft/FERPlus, `preproc_img`).

    Example:
        >>> slope = ops.reshape(ops.arange(12.0), (1, 3, 4, 1))
        >>> print(ops.max(ops.abs(PlaneNormalization()(slope))).numpy() < 1e-3)
        True
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        x = ops.cast(inputs, self.compute_dtype)
        x = x - ops.mean(x, axis=(1, 2), keepdims=True)
        for axis in (1, 2):
            # About the centre the two slopes are independent of each other.
            place = _places(x.shape[axis], axis)
            slope = ops.mean(x * place, axis=(1, 2), keepdims=True)
            x = x - slope * place / ops.mean(ops.square(place))
        variance = ops.mean(ops.square(x), axis=(1, 2), keepdims=True)
        # A hundredth of a grey level, squared: rounding is not blown up to a picture.
        return x * ops.rsqrt(variance + 1e-4)

    def compute_output_shape(self, input_shape):
        return input_shape


def _places(size, axis):
    """Places along an axis about its centre, to multiply a batch of pictures by."""
    places = ops.arange(size, dtype="float32") - (size - 1) / 2
    shape = [1, 1, 1, 1]
    shape[axis] = size
    return ops.reshape(places, shape)
