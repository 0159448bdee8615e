"""2Att-2Mt: two-level attention with two-stage multi-task learning.

[Wang et al., 2018](https://arxiv.org/abs/1811.12139), "Two-level Attention with
Two-stage Multi-task Learning for Facial Emotion Recognition". Reproduces the
models of its Tables 1 to 6: valence and arousal, helped by seven expressions,
from one grey 48 x 48 face.

Deviations, and readings where the paper is silent:

- "Based on AlexNet" does not say how it fits 48 pixels: original strides leave
  nothing after the second pool. Here the widths are those of TensorFlow's own
  `alexnet_v2`, all strides sit in the three pools, and there is no local
  response normalisation. `widths="alexnet"` takes the 2012 widths.
- The attention block follows the authors' published graph of the residual
  attention network (p = 1, t = 2, r = 1), skip inside the mask branch included;
  this paper does not mention the skip: `skip=False` leaves it out.
- A block adds up units and multiplies by 1 + M, and nothing normalises what comes
  out: at the start outputs lie tens away from targets in [-1, 1], where Tukey's
  loss is flat, and the tanh of the levels' network saturates. Training then
  begins slowly (see the page). `activate_blocks=True`, which our recipe sets, ends
  each block with batch normalisation and ReLU, as pre-activation networks end.
- Upsampling is bilinear with half-pixel centres, Keras' rule, to exactly the
  size of the map that was pooled; the published graph aligns corners.
- Batch normalisation, in the attention units only, has momentum 0.9 and epsilon
  1e-5; the paper gives neither.
- "Low, mid, high-level" is read as three levels, one per stage, however many
  stages carry an attention block. `levels="blocks"` reads it as one level per
  block; stages after the last block then feed nothing and are not built.
- Level width (128), recurrent cell (tanh) and its width (128) are not given. The
  level convolution is linear. The self-attention is Eq. 3 as it stands: dot
  product, no scaling, no projection; its outputs are concatenated.
- Without second-level attention the last stage is flattened straight into the
  dimensional layer; `fc_units=(4096, 4096)` puts AlexNet's own layers between.
- Stage 1 has no dimensional output of its own, since no loss on it is named.
- Pixels are scaled to [-1, 1]; the paper does not say.
"""

import keras
from keras import layers

from fer_tf.arguments import require_one_of
from fer_tf.layers.bilinear_resize import BilinearResize
from fer_tf.layers.pixel_scaling import PixelScaling
from fer_tf.models.pytorch_layers import batch_norm_relu
from fer_tf.models.variant import Variant, image_input, scaled

# Channels of the five AlexNet convolutions.
WIDTHS = {
    "slim": (64, 192, 384, 384, 256),
    "alexnet": (96, 256, 384, 384, 256),
}

# Mask depth of the block after each stage: the 24-pixel maps are pooled to 12
# and 6, the 12-pixel ones to 6, the 6-pixel ones to 3.
MASK_DEPTHS = (2, 1, 1)

RECURRENT_CELLS = {
    "simple": layers.SimpleRNN,
    "gru": layers.GRU,
    "lstm": layers.LSTM,
}


def _conv(x, filters, kernel_size, *, name, activation=None, use_bias=True):
    return layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        activation=activation,
        use_bias=use_bias,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _batch_norm_relu_conv(x, filters, kernel_size, *, name):
    x = batch_norm_relu(x, name=name)
    return _conv(x, filters, kernel_size, use_bias=False, name=f"{name}_conv")


def _unit(x, *, name):
    """Pre-activation bottleneck; keeps `(batch, h, w, c)`, `c` a multiple of 4."""
    channels = x.shape[-1]
    y = _batch_norm_relu_conv(x, channels // 4, 1, name=f"{name}_1")
    y = _batch_norm_relu_conv(y, channels // 4, 3, name=f"{name}_2")
    y = _batch_norm_relu_conv(y, channels, 1, name=f"{name}_3")
    return layers.Add(name=f"{name}_add")([x, y])


def _upsample(x, like, *, name):
    _, height, width, _ = like.shape
    return BilinearResize(height, width, name=name)(x)


def _mask_branch(x, *, depth, skip, name):
    """Bottom-up, top-down; returns the soft mask M in (0, 1), as large as `x`."""
    mask, halfway = x, []
    for level in range(1, depth + 1):
        mask = layers.MaxPooling2D(
            3, strides=2, padding="same", name=f"{name}_pool{level}"
        )(mask)
        mask = _unit(mask, name=f"{name}_down{level}")
        halfway.append(mask)
    # The deepest level has 2r units, the others r = 1 on either side.
    mask = _unit(mask, name=f"{name}_bottom")
    for level in range(depth - 1, 0, -1):
        mask = _upsample(mask, halfway[level - 1], name=f"{name}_resize{level}")
        if skip:
            skipped = _unit(halfway[level - 1], name=f"{name}_skip{level}")
            mask = layers.Add(name=f"{name}_skip{level}_join")([mask, skipped])
        mask = _unit(mask, name=f"{name}_up{level}")
    mask = _upsample(mask, x, name=f"{name}_resize0")
    channels = x.shape[-1]
    mask = _batch_norm_relu_conv(mask, channels, 1, name=f"{name}_mask_1")
    mask = _batch_norm_relu_conv(mask, channels, 1, name=f"{name}_mask_2")
    return layers.Activation("sigmoid", dtype="float32", name=f"{name}_mask")(mask)


def _attention_block(x, *, depth, skip, activate, name):
    """First-level attention: H = (1 + M) T, Eq. 1; keeps the shape of `x`."""
    x = _unit(x, name=f"{name}_input")
    trunk = _unit(x, name=f"{name}_trunk1")
    trunk = _unit(trunk, name=f"{name}_trunk2")
    mask = _mask_branch(x, depth=depth, skip=skip, name=name)
    gated = layers.Multiply(name=f"{name}_gated")([trunk, mask])
    features = layers.Add(name=f"{name}_features")([trunk, gated])
    x = _unit(features, name=f"{name}_output")
    return batch_norm_relu(x, name=f"{name}_activated") if activate else x


def _stages(image, *, filters, num_stages, attention_blocks, skip, activate):
    """The trunk; returns the output of each stage, attended where a block is."""
    kernels = ((5, filters[:1]), (5, filters[1:2]), (3, filters[2:]))
    x, outputs = image, []
    for stage, (kernel_size, channels) in enumerate(kernels[:num_stages], start=1):
        for i, c in enumerate(channels, start=1):
            name = f"stage{stage}_conv{i}"
            x = _conv(x, c, kernel_size, activation="relu", name=name)
        x = layers.MaxPooling2D(
            3, strides=2, padding="same", name=f"stage{stage}_pool"
        )(x)
        if stage <= attention_blocks:
            depth = MASK_DEPTHS[stage - 1]
            x = _attention_block(
                x, depth=depth, skip=skip, activate=activate, name=f"attention{stage}"
            )
        outputs.append(x)
    return outputs


def _second_level_attention(features, *, level_units, cell, rnn_units, combine):
    """Bi-RNN over the levels, low to high, then Eq. 3; `(batch, features)`."""
    levels = []
    for level, x in enumerate(features, start=1):
        x = _conv(x, level_units, 1, name=f"level{level}_conv")
        x = layers.GlobalAveragePooling2D(name=f"level{level}_pool")(x)
        levels.append(layers.Reshape((1, level_units), name=f"level{level}_step")(x))
    x = layers.Concatenate(axis=1, name="levels")(levels)
    # Unrolled: at most three steps, and a loop is slow or unavailable to XLA.
    recurrent = RECURRENT_CELLS[cell](
        rnn_units, return_sequences=True, unroll=True, name="rnn"
    )
    x = layers.Bidirectional(recurrent, name="level_rnn")(x)
    # Float32 under every policy: the scores are sums of 256 products, unscaled.
    scores = layers.Dot(axes=2, dtype="float32", name="level_scores")([x, x])
    weights = layers.Softmax(axis=-1, dtype="float32", name="level_attention")(scores)
    x = layers.Dot(axes=(2, 1), name="level_outputs")([weights, x])
    if combine == "mean":
        return layers.GlobalAveragePooling1D(name="combined_levels")(x)
    return layers.Flatten(name="combined_levels")(x)


def _heads(x, *, target, num_classes, dimensional_units, categorical_units):
    """Two-stage multi-task heads; a dict of float32 outputs."""
    outputs = {}
    hidden = layers.Dense(dimensional_units, activation="relu", name="dimensional")(x)
    if categorical_units:
        categorical = layers.Dense(
            categorical_units, activation="relu", name="categorical"
        )(x)
        outputs["expression"] = layers.Dense(
            num_classes, dtype="float32", name="expression"
        )(categorical)
        # Both whole layers, and no stopped gradient: "optimized their weights
        # simultaneously".
        hidden = layers.Concatenate(name="representations")([hidden, categorical])
    names = ("valence", "arousal") if target == "valence_arousal" else (target,)
    predictions = [layers.Dense(1, dtype="float32", name=n)(hidden) for n in names]
    if target == "valence_arousal":
        predictions = [
            layers.Concatenate(dtype="float32", name="valence_arousal")(predictions)
        ]
    return {target: predictions[0], **outputs}


def _check_levels(levels, attention_blocks, fc_units):
    require_one_of((0, 1, 2, 3), attention_blocks=attention_blocks)
    require_one_of(("stages", "blocks", None), levels=levels)
    if levels == "blocks" and attention_blocks == 0:
        raise ValueError(
            "`levels` must be 'stages' or None without attention blocks. "
            "Received: levels='blocks', attention_blocks=0."
        )
    if levels is not None and fc_units:
        raise ValueError(
            "`fc_units` must be empty with second-level attention. "
            f"Received: fc_units={fc_units}, levels={levels!r}."
        )


def two_att_two_mt(
    *,
    input_shape: tuple[int, int, int] = (48, 48, 1),
    num_classes: int = 7,
    attention_blocks: int = 2,
    levels: str | None = "stages",
    combine: str = "concat",
    target: str = "valence_arousal",
    dimensional_units: int = 256,
    categorical_units: int = 128,
    widths: str = "slim",
    skip: bool = True,
    activate_blocks: bool = False,
    rnn_cell: str = "simple",
    rnn_units: int = 128,
    level_units: int = 128,
    fc_units: tuple[int, ...] = (),
    dropout_rate: float = 0.5,
    pixel_range: tuple[float, float] = (-1.0, 1.0),
    width: float = 1.0,
    name: str = "two_att_two_mt",
) -> keras.Model:
    """Builds 2Att-2Mt, or the network of another row of the paper's tables.

    Layers that explanations read, where they are built: `attention1_mask` to
    `attention3_mask`, the soft masks M, float32 `(batch, h, w, c)` in (0, 1);
    `level_attention`, the weights a of Eq. 3, float32 `(batch, levels, levels)`,
    each row a distribution over the levels from low to high; `stage3_conv3`, the
    last convolution of the trunk.

    Args:
        input_shape: Height, width and channels of the aligned crop.
        num_classes: Number of expressions.
        attention_blocks: 0 to 3; the first so many stages have a block.
        levels: What second-level attention runs over: `"stages"` or `"blocks"`;
            None builds no second level and flattens the last stage.
        combine: `"concat"` or `"mean"` of the attended levels.
        target: `"valence_arousal"`, or one of `"valence"` and `"arousal"` for
            the single-task networks.
        dimensional_units: Neurons of the dimensional representation.
        categorical_units: Neurons of the categorical one; 0 leaves it out, and
            the expressions with it.
        widths: Channels of the trunk: `"slim"` or `"alexnet"`.
        skip: Whether the mask branches have skip connections.
        activate_blocks: Whether a block ends with batch normalisation and ReLU.
        rnn_cell: `"simple"`, `"gru"` or `"lstm"`.
        rnn_units: Units of the recurrent layer, each way.
        level_units: Features of a level.
        fc_units: Fully connected layers before the heads; only where `levels` is
            None.
        dropout_rate: Dropout after each of `fc_units`.
        pixel_range: What 0 and 255 become.
        width: Factor on every number of channels and units, for small builds.
        name: Model name.

    Returns:
        Functional model from `image`, float32 `(batch, *input_shape)` in 0..255,
        to a dict of float32 outputs:
            - `target`: `(batch, 2)`, valence first, or `(batch, 1)`; unbounded.
            - `"expression"`: logits `(batch, num_classes)`, unless
              `categorical_units` is 0.

    Raises:
        ValueError: If an argument is none of the values listed above.

    Example:
        >>> model = two_att_two_mt(width=0.125)
        >>> model.output["valence_arousal"].shape, model.output["expression"].shape
        ((None, 2), (None, 7))
    """
    require_one_of(("concat", "mean"), combine=combine)
    require_one_of(("valence_arousal", "valence", "arousal"), target=target)
    require_one_of(tuple(WIDTHS), widths=widths)
    require_one_of(tuple(RECURRENT_CELLS), rnn_cell=rnn_cell)
    _check_levels(levels, attention_blocks, fc_units)
    image = image_input(input_shape, smallest=16)
    x = PixelScaling(*pixel_range, name="scale_pixels")(image)
    stages = _stages(
        x,
        filters=tuple(scaled(c, width) for c in WIDTHS[widths]),
        num_stages=attention_blocks if levels == "blocks" else 3,
        attention_blocks=attention_blocks,
        skip=skip,
        activate=activate_blocks,
    )
    if levels is None:
        x = layers.Flatten(name="flatten")(stages[-1])
        for i, units in enumerate(fc_units, start=6):  # AlexNet calls them fc6, fc7.
            units = scaled(units, width)
            x = layers.Dense(units, activation="relu", name=f"fc{i}")(x)
            x = layers.Dropout(dropout_rate, name=f"fc{i}_dropout")(x)
    else:
        x = _second_level_attention(
            stages,
            level_units=scaled(level_units, width),
            cell=rnn_cell,
            rnn_units=scaled(rnn_units, width),
            combine=combine,
        )
    outputs = _heads(
        x,
        target=target,
        num_classes=num_classes,
        dimensional_units=scaled(dimensional_units, width),
        categorical_units=categorical_units and scaled(categorical_units, width),
    )
    return keras.Model(image, outputs, name=name)


def _variant(**arguments):
    return Variant(two_att_two_mt, arguments)


VARIANTS: dict[str, Variant] = {
    "two_att_two_mt": _variant(),
    "multitask_cnn": _variant(attention_blocks=0, levels=None, categorical_units=0),
    "first_level": _variant(levels=None, categorical_units=0),
    # One target at a time: the table's row is the two networks together.
    "two_att_cnn_valence": _variant(target="valence", categorical_units=0),
    "two_att_cnn_arousal": _variant(target="arousal", categorical_units=0),
    "two_att_mt": _variant(categorical_units=0),
    "two_att_two_mt_1block": _variant(attention_blocks=1),
    "two_att_two_mt_3block": _variant(attention_blocks=3),
    "two_att_two_mt_128_128": _variant(dimensional_units=128),
    "two_att_two_mt_256_256": _variant(categorical_units=256),
}
