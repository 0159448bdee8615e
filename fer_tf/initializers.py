"""PyTorch's default initialisation, for papers that were trained with it."""

import math

from keras import initializers

from fer_tf.arguments import require


def pytorch_defaults(fan_in: int) -> dict[str, initializers.Initializer]:
    """Initializers of `nn.Conv2d` and `nn.Linear`: U(±1/sqrt(fan_in)) for both.

    Args:
        fan_in: Inputs of one output unit: kernel area times input channels of
            a convolution, input features of a dense layer.

    Returns:
        `kernel_initializer` and `bias_initializer`, arguments of one layer. They are
        new at each call: a Keras initializer that is used twice gives the same
        numbers twice.

    Raises:
        ValueError: If `fan_in` is not positive.

    Example:
        >>> import keras
        >>> from fer_tf.initializers import pytorch_defaults
        >>> layer = keras.layers.Dense(2, **pytorch_defaults(fan_in=4))
        >>> layer.build((None, 4))
        >>> bool(keras.ops.max(keras.ops.abs(layer.kernel)) <= 0.5)
        True
    """
    require(fan_in >= 1, "be positive", fan_in=fan_in)
    limit = 1.0 / math.sqrt(fan_in)
    return {
        "kernel_initializer": initializers.RandomUniform(-limit, limit),
        "bias_initializer": initializers.RandomUniform(-limit, limit),
    }
