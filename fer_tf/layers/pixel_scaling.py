"""Grey levels as a network takes them."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="fer_tf")
class PixelScaling(layers.Layer):
    """Maps 0..255 linearly to `low`..`high`; keeps the shape, has no weights.

    What `keras.layers.Rescaling` does, without its place in `tf.data`
    pipelines: that layer asks TensorFlow, under every backend, whether it runs
    in one. Computes in float32 under every dtype policy.

    Args:
        low: What 0 becomes.
        high: What 255 becomes.

    Example:
        >>> print(PixelScaling()(ops.array([0.0, 127.5, 255.0])).numpy())
        [-1.  0.  1.]
    """

    def __init__(self, low=-1.0, high=1.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.low = float(low)
        self.high = float(high)

    def call(self, inputs):
        inputs = ops.cast(inputs, self.compute_dtype)
        return inputs * ((self.high - self.low) / 255.0) + self.low

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "low": self.low, "high": self.high}
