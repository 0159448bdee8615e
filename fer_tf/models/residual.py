"""What the two 50-layer residual backbones share: convolutions and sizes."""

from keras import initializers, layers

from fer_tf.layers.batch_normalization import BatchNormalization
from fer_tf.layers.grouped_conv2d import GroupedConv2D
from fer_tf.models.pytorch_layers import every_pixel

# Bottlenecks in each of the four stages of every 50-layer residual network.
BLOCKS = (3, 4, 6, 3)
MIN_SIZE = 32  # five halvings


def check_image(x):
    """Raises a ValueError unless `x` is `(batch, >= 32, >= 32, 3)`."""
    _, height, width, channels = x.shape
    if channels != 3 or min(height or MIN_SIZE, width or MIN_SIZE) < MIN_SIZE:
        raise ValueError(
            f"Images must have three channels and sides of at least {MIN_SIZE}. "
            f"Received: shape={tuple(x.shape)}."
        )


def conv_bn(x, filters, kernel_size, *, name, strides=1, groups=1, relu=True):
    """Convolution without bias, BN, ReLU; pads by half the kernel on every side.

    Keras' "same" pads a strided convolution less on the left than on the right
    and so shifts what published weights see by a pixel.
    """
    if kernel_size == 1:
        x, strides = every_pixel(x, strides, name=f"{name}_pixels"), 1
    elif strides > 1:
        x = layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
    make, grouped = (
        (GroupedConv2D, {"groups": groups}) if groups > 1 else (layers.Conv2D, {})
    )
    x = make(
        filters,
        kernel_size,
        strides=strides,
        padding="valid" if strides > 1 else "same",
        use_bias=False,
        # PyTorch's ResNets: normal, variance 2 / (area * filters).
        kernel_initializer=initializers.VarianceScaling(
            2.0, "fan_out", "untruncated_normal"
        ),
        name=name,
        **grouped,
    )(x)
    x = BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x
