"""A convolution that trains faster on tiny maps."""

import keras


@keras.saving.register_keras_serializable(package="fer_tf")
class SmallMapConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, as matrix products where the map is tiny.

    Deep layers of a network for 44 px faces convolve 5x5 and 2x2 maps with
    millions of weights. A CPU's convolution kernels then spend their time on
    reordering the weights and, in bfloat16, on the weights' gradient; gathering
    the patches and calling the matrix product does the same arithmetic faster,
    forwards and backwards together. How much depends on the processor: on the first
    one measured 1.1 to 4 times in float32 and 2 to 6 times in bfloat16; on an AMD
    EPYC a whole VGG19 gains next to nothing in float32 and a quarter in bfloat16
    (the speed tables of the results page).

    Used only while training, on TensorFlow without a GPU, for stride 1 and
    `padding="same"`, on maps of at most `_MAX_POSITIONS` positions. Everything
    else, and so every exported graph, is the plain convolution. Arguments,
    weights and results (up to rounding) are `Conv2D`'s.

    Example:
        >>> layer = SmallMapConv2D(16, 3, padding="same")
        >>> layer(keras.ops.ones((2, 5, 5, 8)), training=True).shape
        TensorShape([2, 5, 5, 16])
    """

    # At 11x11 the convolution kernel wins again.
    _MAX_POSITIONS = 36

    def call(self, inputs, training=None):
        if not (training and self._is_small_map(inputs)):
            return super().call(inputs)
        x = _convolution()(inputs, keras.ops.cast(self.kernel, inputs.dtype))
        if self.use_bias:
            x = x + keras.ops.cast(self.bias, x.dtype)
        return x if self.activation is None else self.activation(x)

    def _is_small_map(self, inputs):
        if keras.backend.backend() != "tensorflow":
            return False
        height, width = inputs.shape[1:3]
        return (
            self.data_format == "channels_last"
            and self.padding == "same"
            and set(self.strides) == set(self.dilation_rate) == {1}
            and self.groups == 1
            and all(size % 2 for size in self.kernel_size)
            and None not in (height, width)
            and height * width <= self._MAX_POSITIONS
            and not _has_gpu()
        )


def _has_gpu():
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def _convolution():
    """Returns `(inputs, kernel) -> same-size convolution`, for TensorFlow.

    The gradient is written out because automatic differentiation of the gather
    costs more than the convolution: it pads each of the nine slices of the
    inputs' gradient to full size, several times over.
    """
    import tensorflow as tf

    @tf.custom_gradient
    def convolve(x, kernel):
        flat_kernel = tf.reshape(kernel, [-1, kernel.shape[-1]])

        def gradient(dy):
            dy = tf.reshape(dy, [-1, kernel.shape[-1]])
            dx = _scatter(tf.matmul(dy, flat_kernel, transpose_b=True), x, kernel)
            # Gathered again rather than kept: nine times the inputs' memory.
            dkernel = tf.matmul(_gather(x, kernel), dy, transpose_a=True)
            return dx, tf.reshape(dkernel, kernel.shape)

        y = tf.matmul(_gather(x, kernel), flat_kernel)
        return tf.reshape(y, [-1, *x.shape[1:3], kernel.shape[-1]]), gradient

    return convolve


def _gather(x, kernel):
    """Inputs under each tap: `(batch * h * w, taps * channels)`."""
    import tensorflow as tf

    height, width, channels = x.shape[1:]
    rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
    x = tf.pad(x, [[0, 0], [rows, rows], [columns, columns], [0, 0]])
    x = tf.concat(
        [
            x[:, rows + i : rows + i + height, columns + j : columns + j + width]
            for i, j in _offsets(kernel)
        ],
        axis=-1,
    )
    return tf.reshape(x, [-1, kernel.shape[0] * kernel.shape[1] * channels])


def _scatter(patches, x, kernel):
    """Adjoint of `_gather`: adds each tap's share back where it came from."""
    import tensorflow as tf

    height, width, channels = x.shape[1:]
    taps = _offsets(kernel)
    patches = tf.reshape(patches, [-1, height, width, len(taps) * channels])
    parts = []
    for (i, j), part in zip(taps, tf.split(patches, len(taps), axis=-1)):
        if abs(i) >= height or abs(j) >= width:
            continue  # This tap sees only padding.
        part = part[:, max(0, -i) : height - max(0, i), max(0, -j) : width - max(0, j)]
        padding = [[0, 0], [max(0, i), max(0, -i)], [max(0, j), max(0, -j)], [0, 0]]
        parts.append(tf.pad(part, padding))
    return tf.add_n(parts)


def _offsets(kernel):
    """`(row, column)` shift of each tap; 3x3 gives -1..1 twice."""
    rows, columns = kernel.shape[:2]
    return [
        (i - rows // 2, j - columns // 2) for i in range(rows) for j in range(columns)
    ]
