"""What CBAM's spatial gate looks at."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="fer_tf")
class ChannelPool(layers.Layer):
    """Maximum and mean over the channels: `(..., c)` -> `(..., 2)`, in this order.

    Reference:
        - [Woo et al., 2018](https://arxiv.org/abs/1807.06521), Eq. 3 (which
          prints mean first; the authors' code, and their weights, have the
          maximum first).

    Example:
        >>> print(ChannelPool()(ops.array([[1.0, 2.0, 6.0]])).numpy())
        [[6. 3.]]
    """

    def call(self, inputs):
        return ops.stack([ops.max(inputs, axis=-1), ops.mean(inputs, axis=-1)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 2)
