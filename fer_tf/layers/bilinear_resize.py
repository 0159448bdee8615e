"""Feature maps made larger inside a network."""

import keras
from keras import layers, ops

from fer_tf.arguments import require


@keras.saving.register_keras_serializable(package="fer_tf")
class BilinearResize(layers.Layer):
    """Bilinear interpolation to a given size, half-pixel centres, no weights.

    `(batch, h, w, c)` to `(batch, height, width, c)`. Unlike
    `keras.layers.UpSampling2D` it reaches the odd sizes that pooling leaves,
    and unlike `keras.layers.Resizing`, a preprocessing layer, it never asks
    for TensorFlow.

    Args:
        height: Rows of the result.
        width: Columns of the result.

    Raises:
        ValueError: If a size is not positive.

    Example:
        >>> BilinearResize(5, 7)(ops.ones((1, 3, 3, 8))).shape
        TensorShape([1, 5, 7, 8])
    """

    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        require(height >= 1 and width >= 1, "be positive", height=height, width=width)
        self.height = int(height)
        self.width = int(width)

    def call(self, inputs):
        size = (self.height, self.width)
        return ops.image.resize(
            inputs, size, interpolation="bilinear", data_format="channels_last"
        )

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.height, self.width, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}
