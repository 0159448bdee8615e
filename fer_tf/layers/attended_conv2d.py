"""The first convolution over an image that hundreds of small maps attend to."""

import keras
import numpy as np
from keras import ops

from fer_tf.arguments import require, require_one_of

COMBINATIONS = ("concat", "product", "residual_product")


@keras.saving.register_keras_serializable(package="fer_tf")
class AttendedConv2D(keras.layers.Layer):
    """Convolves attention planes without building them at full size.

    Equals a "same", stride-1 `Conv2D` over planes made of an image `img` and
    of maps `F` enlarged bilinearly (half-pixel centres) to `U`:

    - `"concat"`: `img`, then every `U_c`; `channels + maps` planes.
    - `"product"`: every `U_c * img_j`, `j` fastest; `maps * channels` planes.
    - `"residual_product"`: every `(1 + U_c) * img_j`.

    512 maps of 5x5 make 512 planes of 44x44, 4 MB per image, and a convolution
    nearly as expensive as the rest of VGG19. But enlarging is linear, so the
    channels can be contracted with the kernel *before* it: with
    row and column weights `R`, `C` of the enlargement, the output at `p` is

        sum_d img(p + d) sum_ij R_i(p + d) C_j(p + d) G_ij(d),
        G_ij(d) = sum_c F_c(i, j) kernel_c(d)

    which is a small product at 5x5, then one matrix product per image row. It
    takes 1/40 of the multiplications for one 5x5 tap and 1/28 for the taps of
    11x11, 5x5 and 2x2 (1,280 planes). Results agree up to rounding.

    Args:
        filters: Output channels.
        kernel_size: Side of the kernel; odd.
        combine: One of `COMBINATIONS`.
        use_bias: Whether to add a bias.
        kernel_initializer: For the kernel, of `Conv2D`'s shape
            `(kernel_size, kernel_size, planes, filters)`.
        bias_initializer: For the bias.

    Call arguments:
        inputs: List: the image `(batch, height, width, channels)`, then one or
            more `(batch, h, w, maps)`. All but the batch size is static.

    Returns:
        `(batch, height, width, filters)`.

    Raises:
        ValueError: If `combine` is unknown or `kernel_size` is even.

    Example:
        >>> image, maps = np.ones((2, 44, 44, 1)), np.ones((2, 5, 5, 512))
        >>> layer = AttendedConv2D(8, 3, combine="residual_product")
        >>> layer([image, maps]).shape
        TensorShape([2, 44, 44, 8])
        >>> tuple(layer.kernel.shape)
        (3, 3, 512, 8)
    """

    def __init__(
        self,
        filters,
        kernel_size=3,
        *,
        combine,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        require_one_of(COMBINATIONS, combine=combine)
        require(kernel_size % 2 != 0, "be odd", kernel_size=kernel_size)
        self.filters = filters
        self.kernel_size = kernel_size
        self.combine = combine
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shapes):
        (_, height, width, channels), *maps = input_shapes
        self.kernel = self.add_weight(
            name="kernel",
            shape=(
                self.kernel_size,
                self.kernel_size,
                num_planes(self.combine, channels, [shape[-1] for shape in maps]),
                self.filters,
            ),
            initializer=self.kernel_initializer,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.filters,), initializer=self.bias_initializer
            )
        self._rows = [_shifted(height, m[1], self.kernel_size) for m in maps]
        columns = [_shifted(width, m[2], self.kernel_size) for m in maps]
        # (width, columns of all maps, kernel_size)
        columns = np.concatenate(columns, axis=-1).transpose(1, 2, 0)
        # (1, 1, width, 1, columns, kernel_size * channels), as `_basis` wants it
        repeats = 1 if self.combine == "concat" else channels
        self._columns = np.repeat(columns, repeats, axis=-1)[None, None, :, None]

    def call(self, inputs):
        image, *maps = inputs
        channels = image.shape[-1]
        dtype = self.compute_dtype
        kernel = ops.cast(self.kernel, dtype)
        x = 0.0
        if self.combine == "concat":
            x = self._convolve(image, kernel[:, :, :channels])
            kernel = ops.expand_dims(kernel[:, :, channels:], axis=3)
        else:
            # (k, k, maps, channels, filters)
            kernel = ops.reshape(
                kernel, (*kernel.shape[:2], -1, channels, self.filters)
            )
            if self.combine == "residual_product":
                x = self._convolve(image, ops.sum(kernel, axis=2))
        x = x + ops.matmul(self._basis(image), self._coefficients(maps, kernel))
        return x if self.bias is None else x + ops.cast(self.bias, dtype)

    def _convolve(self, image, kernel):
        return ops.conv(image, kernel, padding="same", data_format="channels_last")

    def _coefficients(self, maps, kernel):
        """`G`, enlarged along the rows only.

        Returns:
            `(batch, height, k * columns * k * channels, filters)`.
        """
        k, channels, filters = self.kernel_size, *kernel.shape[3:]
        parts, start = [], 0
        for rows, x in zip(self._rows, maps):
            _, h, w, count = x.shape
            part = kernel[:, :, start : start + count]
            start += count
            part = ops.reshape(ops.transpose(part, (2, 0, 1, 3, 4)), (count, -1))
            part = ops.matmul(ops.reshape(x, (-1, h * w, count)), part)
            # To (batch, kernel rows, h, rest), for the enlargement's rows.
            part = ops.reshape(part, (-1, h, w, k, k * channels * filters))
            part = ops.transpose(part, (0, 3, 1, 2, 4))
            part = ops.reshape(part, (-1, k, h, w * k * channels * filters))
            part = ops.matmul(ops.cast(rows, self.compute_dtype), part)
            height = rows.shape[1]
            parts.append(ops.reshape(part, (-1, k, height, w, k * channels * filters)))
        x = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=3)
        x = ops.transpose(x, (0, 2, 1, 3, 4))
        return ops.reshape(x, (-1, height, k * x.shape[3] * k * channels, filters))

    def _basis(self, image):
        """Column weights of the enlargement, times the image if it multiplies.

        Returns:
            `(batch or 1, height or 1, width, k * columns * k * channels)`.
        """
        k = self.kernel_size
        columns = ops.cast(self._columns, self.compute_dtype)
        if self.combine == "concat":
            x = ops.tile(columns, (1, 1, 1, k, 1, 1))
        else:
            _, height, width, channels = image.shape
            pad = k // 2
            image = ops.pad(image, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
            windows = [
                image[:, i : i + height, j : j + width]
                for i in range(k)
                for j in range(k)
            ]
            image = ops.concatenate(windows, axis=-1)
            image = ops.reshape(image, (-1, height, width, k, 1, k * channels))
            x = image * columns
        return ops.reshape(x, (-1, *x.shape[1:3], k * x.shape[4] * x.shape[5]))

    def compute_output_shape(self, input_shapes):
        return (*input_shapes[0][:-1], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "combine": self.combine,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


def num_planes(combine: str, channels: int, maps: list[int]) -> int:
    """Planes that `combine` makes of an image's channels and of `maps` maps.

    Example:
        >>> num_planes("concat", 1, [512, 256])
        769
    """
    return channels + sum(maps) if combine == "concat" else channels * sum(maps)


def _shifted(size, small, kernel_size):
    """Bilinear weights `(kernel_size, size, small)`, one shift per kernel tap.

    Entry `(d, p)` weights the small map's cells for position `p + d`, and is
    zero where that lies in the "same" padding.
    """
    positions = np.clip((np.arange(size) + 0.5) * small / size - 0.5, 0, small - 1)
    weights = np.maximum(0, 1 - np.abs(positions[:, None] - np.arange(small)))
    pad = kernel_size // 2
    weights = np.pad(weights, ((pad, pad), (0, 0))).astype("float32")
    return np.stack([weights[d : d + size] for d in range(kernel_size)])
