"""A border that values cross and gradients do not."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="fer_tf")
class StopGradient(keras.layers.Layer):
    """Passes its input on and no gradient back.

    Freezing a sub-network keeps its weights still; this also keeps gradients
    with respect to the *image* (guided Grad-CAM) from leaking through it.

    Args:
        threshold: If given, the output is binary: 1 where the input is at
            least `threshold`, else 0.

    Example:
        >>> print(StopGradient(threshold=0.5)(ops.array([0.2, 0.5, 0.9])).numpy())
        [0. 1. 1.]
    """

    def __init__(self, threshold=None, **kwargs):
        super().__init__(**kwargs)
        self.threshold = threshold

    def call(self, inputs):
        x = ops.stop_gradient(inputs)
        if self.threshold is None:
            return x
        return ops.cast(x >= self.threshold, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}
