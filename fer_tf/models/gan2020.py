"""Multiple attention network of Gan et al. and the networks beside it.

Paper: "Multiple Attention Network for Facial Expression Recognition", IEEE
Access 2020, https://doi.org/10.1109/ACCESS.2020.2963913.

Reproduces the rows "Ours", "VGG+SE" and "VGG fine-tuning" of Tables 3 (RAF-DB)
and 5 (CK+), whose confusion matrices are Tables 4 and 6, and the RASnet of
Table 1. The starred rows of Table 3 are the same networks, trained from
scratch; the others start from VGG-Face (`fer_tf.convert.vgg_face`).

Deviations, and what the paper leaves open:
    - Table 1 gives RASnet's last layer 1,056 units, but 8 masks of 14 x 14 are
      1,568; only that number can be reshaped as the next row says.
    - Table 1 lists no ReLU between the two dense layers: none here either
      (`fc_activation="relu"` adds it), and no dropout.
    - Figure 2 with the settings of the MA block is lost. The SE ratio is 16,
      SENet's; the weight branch narrows to 64 channels.
    - "The last two layers transform the weight vector to a normalized
      probability vector": exponential and division by the sum. Other readings
      are `weight_normalisation="sigmoid"` and `"relu"`.
    - The masks enter as soft values; `mask_threshold` makes them binary.
    - RASnet sees the same mean-subtracted pixels as the VGG (not stated). As they
      are, up to 161 from zero, nine in ten of its fresh sigmoids are saturated and
      training stays there; `rasnet_pixel_scale`, 1/128 in our recipe, mends that.
      ERSnet's pixels are as VGG-Face knows them.
"""

import keras
from keras import layers

from fer_tf.arguments import require_one_of
from fer_tf.layers.region_attention import RegionAttention
from fer_tf.layers.stop_gradient import StopGradient
from fer_tf.models import vgg16
from fer_tf.models.variant import Variant, image_input, scaled

NUM_REGIONS = 8
MASK_STRIDE = 16  # 1 / lambda of Eq. 4: four pools before the MA block.
SE_RATIO = 16

# The three strides leave one pixel for the last pool from 87 pixels on; 96 is
# the next multiple of the mask stride.
MIN_RASNET_SIDE = 96

# What comes before the softmax, in logarithms: exp(log f(z)) / sum = f / sum f.
_WEIGHT_NORMALISATIONS = {
    "softmax": "linear",
    "sigmoid": "log_sigmoid",
    "relu": "relu",
}


def _check_grid(input_shape, *, smallest=MASK_STRIDE):
    """Returns the mask grid `(rows, columns)` of an input."""
    height, width, _ = input_shape
    if height % MASK_STRIDE or width % MASK_STRIDE or min(height, width) < smallest:
        raise ValueError(
            f"`input_shape` must have sides that are multiples of {MASK_STRIDE} and "
            f"at least {smallest}. Received: input_shape={tuple(input_shape)}."
        )
    return height // MASK_STRIDE, width // MASK_STRIDE


def gan_rasnet(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    width: float = 1,
    fc_activation: str | None = None,
    pixel_scale: float = 1.0,
    name: str = "gan_rasnet",
) -> keras.Model:
    """Builds the region-aware sub-net: an image to eight soft masks (Eq. 1).

    Args:
        input_shape: `(height, width, channels)`; sides are multiples of 16, at
            least 96.
        width: Factor on filters and hidden units.
        fc_activation: Activation of the first dense layer; Table 1 has none.
        pixel_scale: Factor on the pixels. At 1 the fresh masks are saturated, and
            training stays there; our recipe takes 1/128.
        name: Name of the model.

    Returns:
        Model from `image` to `{"region_masks": (batch, height / 16,
        width / 16, 8)}` in [0, 1], in the order of
        `fer_tf.faces.region_masks.REGIONS`.

    Raises:
        ValueError: If the input has no such size.

    Example:
        >>> model = gan_rasnet(input_shape=(96, 96, 3), width=0.0625)
        >>> model.output["region_masks"].shape
        (None, 6, 6, 8)
    """
    rows, columns = _check_grid(input_shape, smallest=MIN_RASNET_SIDE)
    image = keras.Input(input_shape, name="image")
    x = vgg16.preprocess(image, scale=pixel_scale, name="rasnet_preprocess")
    # Kernel, filters, stride and padding of Table 1.
    for i, (kernel, filters, stride, pad) in enumerate(
        ((5, 64, 3, 1), (5, 128, 3, 1), (3, 128, 1, 0)), start=1
    ):
        if pad:  # Explicit: "same" would pad strided convolutions unevenly.
            x = layers.ZeroPadding2D(pad, name=f"rasnet_pad{i}")(x)
        options = dict(strides=stride, activation="relu", name=f"rasnet_conv{i}")
        x = vgg16.conv(scaled(filters, width), kernel, **options)(x)
        x = vgg16.pool(x, name=f"rasnet_pool{i}")
    x = layers.Flatten(name="rasnet_flatten")(x)
    x = vgg16.dense(scaled(2048, width), activation=fc_activation, name="rasnet_fc1")(x)
    x = vgg16.dense(NUM_REGIONS * rows * columns, name="rasnet_fc2")(x)
    # Caffe's order: region, row, column.
    x = layers.Reshape((NUM_REGIONS, rows, columns), name="rasnet_reshape")(x)
    x = layers.Permute((2, 3, 1), name="rasnet_permute")(x)
    masks = layers.Activation("sigmoid", dtype="float32", name="rasnet_masks")(x)
    return keras.Model(image, {"region_masks": masks}, name=name)


def gan_vgg16(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    num_classes: int = 7,
    width: float = 1,
    squeeze_excitation: bool = False,
    name: str = "gan_vgg16",
) -> keras.Model:
    """Builds the baselines: VGG16, and VGG16 with one SE block after pool4.

    Args:
        input_shape: `(height, width, channels)`.
        num_classes: Number of expressions.
        width: Factor on filters and hidden units.
        squeeze_excitation: Whether channel attention of the whole image sits
            where the MA block would ("VGG+SE").
        name: Name of the model.

    Returns:
        Model from `image` to `{"expression": (batch, num_classes)}` logits.

    Raises:
        ValueError: If the images are smaller than five poolings take.

    Example:
        >>> gan_vgg16(input_shape=(32, 32, 3), width=0.0625).output["expression"].shape
        (None, 7)
    """
    image = image_input(input_shape, smallest=32)
    x = _first_blocks(image, width)
    if squeeze_excitation:
        x = _squeeze_excitation(x)
    x = vgg16.convolution_block(x, 5, width=width)
    logits = vgg16.classifier(x, num_classes, width=width)
    return keras.Model(image, {"expression": logits}, name=name)


def gan_man(
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    num_classes: int = 7,
    width: float = 1,
    masks: str = "predicted",
    mask_threshold: float | None = None,
    weight_channels: int = 64,
    weight_normalisation: str = "softmax",
    fc_activation: str | None = None,
    rasnet_pixel_scale: float = 1.0,
    intermediate_outputs: bool = False,
    name: str = "gan_man",
) -> keras.Model:
    """Builds the multiple attention network: VGG16 with the MA block.

    Args:
        input_shape: `(height, width, channels)`; sides are multiples of 16 and
            at least 96 where RASnet predicts the masks.
        num_classes: Number of expressions.
        width: Factor on filters and hidden units, RASnet's too.
        masks: `"predicted"` contains RASnet as the frozen sub-model `rasnet`,
            behind a stopped gradient. `"given"` takes masks as a second input,
            `region_masks`, `(batch, height / 16, width / 16, 8)`, for the
            ablation with ground truth in a loop of your own: the commands
            train and export networks of one input.
        mask_threshold: Makes the masks binary at this value.
        weight_channels: Channels of the weight branch.
        weight_normalisation: `"softmax"`, `"sigmoid"` (divided by its sum) or
            `"relu"` (before a softmax).
        fc_activation: RASnet's, see `gan_rasnet`.
        rasnet_pixel_scale: Its `pixel_scale`.
        intermediate_outputs: Whether to return what the model attends to.
        name: Name of the model.

    Returns:
        Model to `{"expression": (batch, num_classes)}` logits and, with
        `intermediate_outputs`, `"region_masks"` as the MA block used them and
        `"region_weights"`, `q` of Eq. 6, `(batch, 8)`.

    Raises:
        ValueError: If an argument is none of the values above.

    Example:
        >>> model = gan_man(input_shape=(96, 96, 3), width=0.0625)
        >>> model.get_layer("rasnet").trainable, model.output["expression"].shape
        (False, (None, 7))
    """
    require_one_of(("predicted", "given"), masks=masks)
    require_one_of(_WEIGHT_NORMALISATIONS, weight_normalisation=weight_normalisation)
    smallest = MIN_RASNET_SIDE if masks == "predicted" else MASK_STRIDE
    rows, columns = _check_grid(input_shape, smallest=smallest)
    image = keras.Input(input_shape, name="image")
    if masks == "given":
        regions = keras.Input((rows, columns, NUM_REGIONS), name="region_masks")
        inputs = {"image": image, "region_masks": regions}
    else:
        rasnet = gan_rasnet(
            input_shape=input_shape,
            width=width,
            fc_activation=fc_activation,
            pixel_scale=rasnet_pixel_scale,
            name="rasnet",
        )
        rasnet.trainable = False
        regions, inputs = rasnet(image)["region_masks"], image

    regions = StopGradient(mask_threshold, dtype="float32", name="used_masks")(regions)
    features = _first_blocks(image, width)
    weights = _weight_branch(
        features, scaled(weight_channels, width), weight_normalisation
    )
    x = RegionAttention(SE_RATIO, name="region_attention")((features, regions, weights))
    x = vgg16.convolution_block(x, 5, width=width)
    outputs = {"expression": vgg16.classifier(x, num_classes, width=width)}
    if intermediate_outputs:
        outputs |= {"region_masks": regions, "region_weights": weights}
    return keras.Model(inputs, outputs, name=name)


def _first_blocks(image, width):
    """Blocks 1-4: the `V` of Eq. 5, a sixteenth of the image's side."""
    x = vgg16.preprocess(image)
    for block in (1, 2, 3, 4):
        x = vgg16.convolution_block(x, block, width=width)
    return x


def _squeeze_excitation(x):
    """Scales the channels of `x` by gates computed from their means."""
    channels = x.shape[-1]
    gates = layers.GlobalAveragePooling2D(keepdims=True, name="se_squeeze")(x)
    gates = vgg16.dense(
        max(1, channels // SE_RATIO), activation="relu", name="se_reduce"
    )(gates)
    # float32: half precision would round a gate near 1 to 1.
    gates = vgg16.dense(
        channels, activation="sigmoid", dtype="float32", name="se_expand"
    )(gates)
    return layers.Multiply(name="se_scale")([x, gates])


def _weight_branch(x, channels, normalisation):
    """Five layers from `V` to the weights `q`, `(batch, 8)`, that sum to 1."""
    x = vgg16.pool(x, name="weights_pool")
    x = vgg16.conv(channels, 1, name="weights_conv")(x)
    x = layers.Flatten(name="weights_flatten")(x)
    x = vgg16.dense(NUM_REGIONS, dtype="float32", name="weights_fc")(x)
    x = layers.Activation(
        _WEIGHT_NORMALISATIONS[normalisation], dtype="float32", name="weights_positive"
    )(x)
    return layers.Softmax(dtype="float32", name="region_weights")(x)


VARIANTS: dict[str, Variant] = {
    "gan_vgg16": Variant(gan_vgg16),
    "gan_vgg16_se": Variant(gan_vgg16, {"squeeze_excitation": True}),
    "gan_man": Variant(gan_man),
    "gan_rasnet": Variant(gan_rasnet),
}
