"""A small residual network of our own: quick to train, small enough to ship.

No paper's model. It is what a new user trains first, and what the comparison
"what do the papers' attention blocks buy" is made against: basic residual
blocks (He et al., 2016) with squeeze-and-excitation (Hu et al., 2018), on grey
crops at native resolution.
"""

import keras
from keras import layers

from fer_tf.layers.batch_normalization import BatchNormalization
from fer_tf.layers.pixel_scaling import PixelScaling
from fer_tf.layers.small_map_conv2d import SmallMapConv2D
from fer_tf.models.variant import Variant, scaled


def _conv_bn(x, filters, *, kernel_size=3, strides=1, relu=True, name):
    """Conv -> BN (-> ReLU); `(b, h / strides, w / strides, filters)`."""
    x = SmallMapConv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _squeeze_excite(x, *, name):
    """Scales each channel by what the picture as a whole says of it."""
    channels = x.shape[-1]
    s = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    hidden = max(8, channels // 8)
    s = layers.Conv2D(hidden, 1, activation="relu", name=f"{name}_fc1")(s)
    s = layers.Conv2D(channels, 1, activation="sigmoid", name=f"{name}_fc2")(s)
    return layers.Multiply(name=f"{name}_scale")([x, s])


def _block(x, filters, *, strides, name):
    """Two 3x3 convolutions beside a shortcut."""
    shortcut = x
    if strides != 1 or x.shape[-1] != filters:
        if strides != 1:
            shortcut = layers.AveragePooling2D(
                strides, padding="same", name=f"{name}_shortcut_pool"
            )(shortcut)
        shortcut = _conv_bn(
            shortcut, filters, kernel_size=1, relu=False, name=f"{name}_shortcut"
        )
    x = _conv_bn(x, filters, strides=strides, name=f"{name}_1")
    x = _conv_bn(x, filters, relu=False, name=f"{name}_2")
    x = _squeeze_excite(x, name=f"{name}_se")
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu")(x)


def small_resnet(
    *,
    input_shape: tuple[int, int, int] = (44, 44, 1),
    num_classes: int = 7,
    stage_filters: tuple[int, ...] = (64, 128, 256),
    blocks: int = 2,
    stem_filters: int = 32,
    dropout_rate: float = 0.2,
    width: float = 1.0,
    name: str = "small_resnet",
) -> keras.Model:
    """Builds the small residual network.

    Args:
        input_shape: Height, width and channels of a window.
        num_classes: Expression classes.
        stage_filters: Channels of each stage; every stage halves the side.
        blocks: Residual blocks a stage.
        stem_filters: Channels of the first convolution, at full resolution.
        dropout_rate: Before the head.
        width: Factor on all channels.
        name: Of the model.

    Returns:
        Functional model from `image`, float32 in 0..255, to `expression`
        logits `(batch, num_classes)`.

    Example:
        >>> model = small_resnet(width=0.125, blocks=1)
        >>> model(np.zeros((2, 44, 44, 1)))["expression"].shape
        TensorShape([2, 7])
    """
    image = keras.Input(input_shape, name="image")
    x = PixelScaling(name="rescale")(image)
    x = _conv_bn(x, scaled(stem_filters, width), name="stem")
    for stage, filters in enumerate(stage_filters, 1):
        for block in range(1, blocks + 1):
            strides = 2 if block == 1 else 1
            x = _block(
                x,
                scaled(filters, width),
                strides=strides,
                name=f"stage{stage}_block{block}",
            )
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout_rate, name="dropout")(x)
    logits = layers.Dense(num_classes, dtype="float32", name="expression")(x)
    return keras.Model(image, {"expression": logits}, name=name)


VARIANTS = {"small_resnet": Variant(small_resnet)}
