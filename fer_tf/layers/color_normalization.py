"""Pixels as a published backbone was trained to see them."""

import keras
from keras import layers, ops

from fer_tf.arguments import require, require_one_of


@keras.saving.register_keras_serializable(package="fer_tf")
class ColorNormalization(layers.Layer):
    """`(pixel - mean) / std` of RGB images, in the channel order asked for.

    It has no weights and computes in float32 under every dtype policy: half
    precision would round the means to whole grey levels.

    Args:
        mean: One number per channel, in the *output's* order.
        std: Likewise.
        channel_order: "rgb", or "bgr" to reverse the channels.

    Raises:
        ValueError: If the order is unknown, or the lengths are not 3.

    Example:
        >>> layer = ColorNormalization((10.0, 20.0, 30.0), channel_order="bgr")
        >>> print(layer(ops.array([[1.0, 2.0, 3.0]])).numpy())  # Red, green, blue.
        [[ -7. -18. -29.]]
    """

    def __init__(self, mean, std=(1.0, 1.0, 1.0), channel_order="rgb", **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        require_one_of(("rgb", "bgr"), channel_order=channel_order)
        three = len(mean) == len(std) == 3
        require(three, "have three numbers", mean=mean, std=std)
        self.mean = [float(value) for value in mean]
        self.std = [float(value) for value in std]
        self.channel_order = channel_order

    def call(self, inputs):
        if self.channel_order == "bgr":
            inputs = ops.flip(inputs, axis=-1)
        mean = ops.convert_to_tensor(self.mean, self.compute_dtype)
        scale = ops.convert_to_tensor([1.0 / s for s in self.std], self.compute_dtype)
        return (inputs - mean) * scale

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "mean": self.mean,
            "std": self.std,
            "channel_order": self.channel_order,
        }
