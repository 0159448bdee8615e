"""Grouped convolution that trains at a usable speed without an accelerator."""

import keras
from keras import ops

# Input channels of one dense convolution that several groups are merged into.
# Measured on ResNeXt-50's shapes: narrower and the convolutions are too many,
# wider and the zeros of the merged kernel cost more than they save.
_MERGED_CHANNELS = 32


@keras.saving.register_keras_serializable(package="fer_tf")
class GroupedConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with `groups`; same arguments, weights and results.

    TensorFlow has no grouped convolution on a CPU, so Keras has XLA compile it,
    whose loops are hundreds of times slower than a dense convolution of the
    same size. Here neighbouring groups are merged until they span 32 channels,
    each into one dense convolution with a block-diagonal kernel; the kernel
    that is stored and trained stays `(height, width, channels / groups,
    filters)`. On a GPU or a TPU, and on PyTorch, the native kernel runs.

    Example:
        >>> layer = GroupedConv2D(64, 3, groups=32, padding="same")
        >>> layer(ops.ones((1, 8, 8, 64))).shape
        TensorShape([1, 8, 8, 64])
        >>> tuple(layer.kernel.shape)
        (3, 3, 2, 64)
    """

    def convolution_op(self, inputs, kernel):
        if (
            self.groups == 1
            or self.data_format != "channels_last"
            or _has_grouped_kernel()
        ):
            return super().convolution_op(inputs, kernel)
        merged = groups_per_convolution(self.groups, kernel.shape[-2])
        count = self.groups // merged
        outputs = [
            super(GroupedConv2D, self).convolution_op(*pair)
            for pair in zip(
                ops.split(inputs, count, axis=-1),
                ops.split(block_diagonal(kernel, count, merged), count, axis=-1),
            )
        ]
        return ops.concatenate(outputs, axis=-1)


def groups_per_convolution(groups: int, group_channels: int) -> int:
    """Most groups, a divisor of `groups`, that span 32 channels or less."""
    wanted = max(1, _MERGED_CHANNELS // group_channels)
    return max(n for n in range(1, wanted + 1) if groups % n == 0)


def block_diagonal(kernel, count, merged):
    """Kernels of `count` dense convolutions, side by side in the last axis.

    `(height, width, channels, filters)` of a group's kernel becomes `(height,
    width, merged * channels, filters)`, zero where a filter's group does not
    see a channel.
    """
    if merged == 1:
        return kernel
    height, width, channels, filters = kernel.shape
    group_filters = filters // (count * merged)
    blocks = ops.reshape(
        kernel, (height, width, 1, channels, count, merged, group_filters)
    )
    own = ops.reshape(
        ops.eye(merged, dtype=kernel.dtype), (1, 1, merged, 1, 1, merged, 1)
    )
    return ops.reshape(blocks * own, (height, width, merged * channels, filters))


def _has_grouped_kernel():
    """Whether the backend's own grouped convolution is the faster one."""
    if keras.backend.backend() == "torch":
        return True
    devices = keras.distribution.list_devices()
    return any(not device.startswith("cpu") for device in devices)
