"""The steps of Meen et al.'s models, as graph functions (Secs. 3.1 to 3.3)."""

import functools

from keras import layers, ops

from fer_tf.arguments import require_one_of
from fer_tf.initializers import pytorch_defaults
from fer_tf.layers.attended_conv2d import COMBINATIONS, AttendedConv2D, num_planes
from fer_tf.layers.bilinear_resize import BilinearResize
from fer_tf.layers.stop_gradient import StopGradient
from fer_tf.models.pytorch_layers import conv1x1, dense

_dense = functools.partial(dense, dtype="float32")


def detached(x, *, name):
    """The maps, without gradients back into the network that made them."""
    return StopGradient(name=f"{name}_face")(x)


def normalized(x, normalize, *, name):
    """Maps `(batch, h, w, c)` scaled to a known range, or not at all.

    `"none"` keeps them; `"max"` divides each map by its maximum (a map of zeros
    stays one); `"sigmoid"` squashes each value.
    """
    require_one_of(("none", "max", "sigmoid"), normalize=normalize)
    if normalize == "sigmoid":
        return layers.Activation("sigmoid", name=f"{name}_sigmoid")(x)
    if normalize == "max":
        return x / ops.maximum(ops.max(x, axis=(1, 2), keepdims=True), 1e-6)
    return x


def weigh(x, weighting, rescale, *, name):
    """Maps `(batch, h, w, c)` times softmax weights (Sec. 3.2).

    - `"channel"`: one linear score of its `h * w` values a map, shared by all
      maps; softmax over the maps.
    - `"squeeze"`: scores from the maps' means through a dense layer; softmax
      over the maps.
    - `"spatial"`: softmax over the positions of each map.
    - None: no weights.

    With `rescale`, the weights' mean instead of their sum is 1.
    """
    require_one_of((None, "channel", "squeeze", "spatial"), weighting=weighting)
    if weighting is None:
        return x
    _, h, w, channels = x.shape
    if weighting == "spatial":
        weights = layers.Reshape((h * w, channels), name=f"{name}_flat")(x)
        weights = _softmax(weights, axis=1, name=f"{name}_weights")
        count, shape = h * w, (h, w, channels)
    else:
        if weighting == "channel":
            scores = layers.Reshape((h * w, channels), name=f"{name}_flat")(x)
            scores = layers.Permute((2, 1), name=f"{name}_maps")(scores)
            scores = _dense(scores, 1, name=f"{name}_score")
            scores = layers.Flatten(name=f"{name}_scores")(scores)
        else:
            scores = layers.GlobalAveragePooling2D(name=f"{name}_means")(x)
            scores = _dense(scores, channels, name=f"{name}_score")
        weights = _softmax(scores, axis=-1, name=f"{name}_weights")
        count, shape = channels, (1, 1, channels)
    if rescale:
        weights = weights * float(count)
    weights = layers.Reshape(shape, name=f"{name}_weights_map")(weights)
    return layers.Multiply(name=f"{name}_weighted")([x, weights])


def reduced(x, maps, *, name):
    """All maps, their average, or a trained 1x1 convolution of them."""
    require_one_of(("all", "average", "conv"), maps=maps)
    if maps == "conv":
        initial = pytorch_defaults(x.shape[-1])
        return layers.Conv2D(1, 1, name=f"{name}_conv", **initial)(x)
    if maps == "average":
        _, h, w, channels = x.shape
        x = layers.Reshape((h * w, channels), name=f"{name}_by_position")(x)
        x = layers.GlobalAveragePooling1D(
            data_format="channels_first", name=f"{name}_average"
        )(x)
        return layers.Reshape((h, w, 1), name=f"{name}_average_map")(x)
    return x


def weighted_average(features, taps, size):
    """One full-size map: each tap's average, summed by softmax weights."""
    averages = [reduced(x, "average", name=tap) for tap, x in zip(taps, features)]
    scores = [
        _dense(layers.Flatten(name=f"{tap}_map_values")(x), 1, name=f"{tap}_map_score")
        for tap, x in zip(taps, averages)
    ]
    scores = layers.Concatenate(name="map_scores")(scores)
    weights = _softmax(scores, axis=-1, name="map_weights")
    weights = layers.Reshape((1, 1, len(taps)), name="map_weights_map")(weights)
    enlarged = [
        BilinearResize(*size, name=f"{tap}_enlarged")(x)
        for tap, x in zip(taps, averages)
    ]
    x = layers.Concatenate(name="enlarged")(enlarged)
    x = layers.Multiply(name="enlarged_weighted")([x, weights])
    # Summing is a mean times a constant; the mean has a layer.
    return reduced(x, "average", name="enlarged") * float(len(taps))


def combined(x, attention, combine, *, name):
    """`[x, attention]`, `attention * x` (Eq. 1) or `(1 + attention) * x` (Eq. 2)."""
    require_one_of(COMBINATIONS, combine=combine)
    if combine == "concat":
        return layers.Concatenate(name=name)([x, attention])
    if combine == "product":
        return layers.Multiply(name=name)([x, attention])
    product = layers.Multiply(name=f"{name}_product")([x, attention])
    return layers.Add(name=name)([x, product])


def attend(image, x, combine):
    """The image combined with one map, enlarged."""
    x = BilinearResize(*image.shape[1:3], name="attention_map")(x)
    return combined(image, x, combine, name="attended_image")


def attend_planes(image, features, combine):
    """The image and many maps, and the stem that convolves their combination."""

    def stem(inputs, filters, *, name, use_bias):
        planes = num_planes(combine, image.shape[-1], [x.shape[-1] for x in features])
        initial = pytorch_defaults(9 * planes)
        return AttendedConv2D(
            filters, 3, combine=combine, use_bias=use_bias, name=name, **initial
        )(inputs)

    require_one_of(COMBINATIONS, combine=combine)
    return [image, *features], stem


def estimate(x, pooled, compatibility, *, name):
    """Attended sum over positions of a stage's maps: `v_k`, `(batch, channels)`.

    Args:
        x: Maps `(batch, h, w, c)`.
        pooled: Global feature `g`, `(batch, channels)`.
        compatibility: `"softmax"` or `"sigmoid"`.
        name: Of the stage.
    """
    require_one_of(("softmax", "sigmoid"), compatibility=compatibility)
    _, h, w, _ = x.shape
    channels = pooled.shape[-1]
    if x.shape[-1] != channels:
        x = conv1x1(x, channels, name=f"{name}_projection")
    x = layers.Reshape((h * w, channels), name=f"{name}_local")(x)
    g = layers.Reshape((1, channels), name=f"{name}_global")(pooled)
    scores = layers.Add(name=f"{name}_local_global")([x, g])
    # A softmax over positions does not see a bias.
    scores = _dense(
        scores, 1, name=f"{name}_compatibility", use_bias=compatibility == "sigmoid"
    )
    if compatibility == "softmax":
        weights = _softmax(scores, axis=1, name=f"{name}_positions")
    else:
        weights = layers.Activation(
            "sigmoid", dtype="float32", name=f"{name}_positions"
        )(scores)
    weights = layers.Reshape((h, w, 1), name=f"attention_{name}")(weights)
    weights = layers.Reshape((h * w,), name=f"attention_{name}_flat")(weights)
    x = layers.Dot(axes=1, name=f"{name}_estimate")([weights, x])
    return x if compatibility == "softmax" else x / float(h * w)


def merged(estimates, pooled, merge, combine):
    """What the classifier gets: the `v_k` alone, or weighted and with `g`."""
    require_one_of(("weighted", "concat"), merge=merge)
    if merge == "concat":
        return layers.Concatenate(name="estimates")(estimates)
    channels = pooled.shape[-1]
    x = layers.Concatenate(name="estimates")(estimates)
    x = layers.Reshape((len(estimates), channels), name="estimates_by_tap")(x)
    scores = layers.Flatten(name="tap_scores")(_dense(x, 1, name="tap_score"))
    weights = _softmax(scores, axis=-1, name="tap_weights")
    x = layers.Dot(axes=1, name="attended_feature")([weights, x])
    return combined(pooled, x, combine, name="attended_global")


def _softmax(x, *, axis, name):
    return layers.Softmax(axis=axis, dtype="float32", name=name)(x)
