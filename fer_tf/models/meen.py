"""Facial features as attention: VGG19, the face network, and Models 1 to 3.

Meen, Yoshioka and Inoue, "Facial Emotion Recognition using Facial Features as
an Attention Mechanism": every row of Table 1 (FER2013). A network trained to
tell faces from other pictures gives the maps; frozen, it is the submodel
`face_network` of Models 1 to 3. The maps attend to the image (Models 1 and 2,
Model 3 "separately") or to the features (the rest of Model 3).

Deviations, and what we chose where the paper is silent:
    - Windows of 44 px, scaled to [0, 1]; dropout 0.5 before the classifier: the
      public recipe's that the paper's training follows. One grey channel, where
      that recipe copies it three times.
    - Frozen face network, without gradients through it: the networks are called
      "independent" and gradients into it are never mentioned.
    - "(512, 5, 5)" fits one place only: the last activation before VGG19's
      fourth pooling. It is unbounded and we keep it so (`normalize`).
    - The maps are enlarged bilinearly. "Dot product" is the element-wise one,
      as in the attention branch network that the paper cites for Eq. 2.
    - Model 2 scores each map by one shared linear layer and takes the softmax
      over maps. 512 weights of about 1/512 make "all features" nearly vanish;
      that is the literal reading (`rescale`).
    - Model 3's taps follow "Learn to pay attention", which the paper names for
      the three stages: the activations before poolings 3 to 5. From there, too,
      come the projection to 512 channels and the linear compatibility with the
      global feature `g` (which a softmax over positions cancels; it matters for
      `compatibility="sigmoid"`). The softmax over the three results is Gupta et
      al.'s scoring, which the paper cites.
    - Model 3 "separately" weights its maps as Model 2 does ("all the features
      are weighted"), rescaled to a mean weight of 1.
    - Ours: `face_backbone="face_resnet29"` puts dlib's face-recognition network, of
      published weights, in the place of the face network.

Reference:
    - Attention branch network:
      [Fukui et al., 2018](https://arxiv.org/abs/1812.10025).
    - "Learn to pay attention":
      [Jetley et al., 2018](https://arxiv.org/abs/1804.02391), Sec. 3.
"""

import keras
from keras import layers

from fer_tf.arguments import require_one_of
from fer_tf.layers.bilinear_resize import BilinearResize
from fer_tf.layers.pixel_scaling import PixelScaling
from fer_tf.models import meen_attention
from fer_tf.models.densenet121 import densenet121_features
from fer_tf.models.face_resnet29 import face_resnet29_features
from fer_tf.models.pytorch_layers import dense
from fer_tf.models.resnet18 import resnet18_features
from fer_tf.models.variant import Variant, image_input
from fer_tf.models.vgg19 import vgg19_features

_INPUT_SHAPE = (44, 44, 1)
_MIN_SIZE = 32  # VGG19's five halvings
# name: (features, tap of Models 1 and 2, taps of Model 3). Where the paper used
# VGG19 only: the last stage of at least 5x5, and the last three stages.
_BACKBONES = {
    "vgg19": (vgg19_features, "block4", ("block3", "block4", "block5")),
    "resnet18": (resnet18_features, "stage4", ("stage2", "stage3", "stage4")),
    "densenet121": (densenet121_features, "stage4", ("stage2", "stage3", "stage4")),
}
# Likewise, a face network that somebody else trained. It sees faces enlarged to a size
# at which its maps are as large as VGG19's of 44 pixels.
_RECOGNITION = {"face_resnet29": ("conv128", ("conv64", "conv128", "conv256"))}
_RECOGNITION_SIZE = 96


def vgg19_fer(
    *,
    input_shape: tuple[int, int, int] = _INPUT_SHAPE,
    num_classes: int = 7,
    backbone: str = "vgg19",
    width: float = 1.0,
    dropout_rate: float = 0.5,
    name: str = "vgg19_fer",
) -> keras.Model:
    """Builds the paper's baseline: an expression classifier without attention.

    Args:
        input_shape: `(height, width, channels)`; sides of at least 32.
        num_classes: Number of expressions.
        backbone: `"vgg19"`, or `"resnet18"` or `"densenet121"`, which the paper
            tried too.
        width: Factor on all widths, for small builds.
        dropout_rate: Dropout before the classifier.
        name: Model name.

    Returns:
        Functional model from `image` in 0..255 to `{"expression": logits
        (batch, num_classes)}`.

    Raises:
        ValueError: If the backbone is unknown or the image too small.

    Example:
        >>> vgg19_fer(width=0.125).output["expression"].shape
        (None, 7)
    """
    image = _input(input_shape)
    _, x = _backbone(backbone)[0](_scale(image), width=width)
    x = _head(x, num_classes, dropout_rate, name="expression")
    return keras.Model(image, {"expression": x}, name=name)


def face_network(
    *,
    input_shape: tuple[int, int, int] = _INPUT_SHAPE,
    backbone: str = "vgg19",
    width: float = 1.0,
    dropout_rate: float = 0.5,
    name: str = "face_network",
) -> keras.Model:
    """Builds the face / non-face classifier whose maps are the attention.

    Arguments as for `vgg19_fer`, whose architecture it shares.

    Returns:
        Functional model from `image` in 0..255 to `{"is_face": logits
        (batch, 2)}`, in the order no, yes.

    Example:
        >>> face_network(width=0.125).output["is_face"].shape
        (None, 2)
    """
    image = _input(input_shape)
    _, outputs = _face_graph(image, backbone, width, dropout_rate)
    return keras.Model(image, outputs, name=name)


def meen_model1(
    *,
    input_shape: tuple[int, int, int] = _INPUT_SHAPE,
    num_classes: int = 7,
    maps: str = "all",
    combine: str = "residual_product",
    normalize: str = "none",
    weighting: str | None = None,
    rescale: bool = False,
    tap: str | None = None,
    backbone: str = "vgg19",
    face_backbone: str | None = None,
    width: float = 1.0,
    dropout_rate: float = 0.5,
    name: str = "meen_model1_all",
) -> keras.Model:
    """Builds Model 1 (Sec. 3.1); with `weighting`, Model 2 (Sec. 3.2).

    The maps `F` of a frozen face network are enlarged to `U` and combined with
    the image, which an expression network then classifies.

    Args:
        input_shape: `(height, width, channels)`; sides of at least 32.
        num_classes: Number of expressions.
        maps: `"all"`; `"average"`, over channels; or `"conv"`, a trained 1x1
            convolution to one map.
        combine: `"concat"`, `"product"` (Eq. 1: `U * img`) or
            `"residual_product"` (Eq. 2: `(1 + U) * img`). Several maps make a
            product plane with each of the image's channels.
        normalize: Of `F`: `"none"`, `"max"` (each map by its maximum) or
            `"sigmoid"`.
        weighting: None; or `"channel"`, `"squeeze"` or `"spatial"`, as
            `fer_tf.models.meen_attention.weigh` describes them.
        rescale: Whether weights average 1 instead of summing to 1. An average
            of maps weighted by channel is a weighted average either way.
        tap: Layer group of the face network that gives `F`; `"block4"` for
            VGG19.
        backbone: Of both networks, as in `vgg19_fer`.
        face_backbone: Of the face network, if another: `"face_resnet29"`, dlib's, in
            full width. Its weights are published (`fer_tf.convert.dlib_face`).
        width: Factor on all widths, for small builds.
        dropout_rate: Dropout before the classifier.
        name: Model name.

    Returns:
        Functional model from `image` in 0..255 to `{"expression": logits
        (batch, num_classes)}`. Its layer `face_features` outputs the maps that
        attend, `(batch, h, w, maps)`, and where there is one map,
        `attention_map` the enlarged one and `attended_image` the combination.

    Raises:
        ValueError: If an argument has an unknown value or the image is too
            small.

    Example:
        >>> model = meen_model1(maps="average", width=0.125)
        >>> model.get_layer("attended_image").output.shape
        (None, 44, 44, 1)
    """
    image = _input(input_shape)
    features, default_tap, _ = _backbone(backbone)
    if face_backbone:
        default_tap, _ = _recognition(face_backbone)
    taps = (tap or default_tap,)
    (x,) = _face_taps(image, taps, face_backbone or backbone, width)
    x = meen_attention.normalized(x, normalize, name="face")
    x = meen_attention.weigh(x, weighting, rescale or maps == "average", name="face")
    x = meen_attention.reduced(x, maps, name="face")
    x = layers.Identity(name="face_features")(x)
    if maps == "all":
        x, stem = meen_attention.attend_planes(_scale(image), [x], combine)
        _, x = features(x, width=width, stem=stem)
    else:
        x = meen_attention.attend(_scale(image), x, combine)
        _, x = features(x, width=width)
    x = _head(x, num_classes, dropout_rate, name="expression")
    return keras.Model(image, {"expression": x}, name=name)


def meen_model3(
    *,
    input_shape: tuple[int, int, int] = _INPUT_SHAPE,
    num_classes: int = 7,
    source: str = "separately",
    combine: str = "product",
    maps: str = "all",
    normalize: str = "none",
    weighting: str | None = "channel",
    rescale: bool = True,
    compatibility: str = "softmax",
    merge: str = "weighted",
    taps: tuple[str, ...] | None = None,
    backbone: str = "vgg19",
    face_backbone: str | None = None,
    width: float = 1.0,
    dropout_rate: float = 0.5,
    name: str = "meen_model3_separately",
) -> keras.Model:
    """Builds Model 3 (Sec. 3.3): attention from several stages.

    With face maps `A_k`, the expression network's own maps `E_k` and its global
    feature `g`, the attended features are

        P_k = A_k ("facial") | E_k ("emotion", "separately")
              | A_k and E_k combined ("combination")
        L_k = P_k projected to the channels of g
        a_k = softmax over positions of u_k . (L_k + g),   v_k = sum a_k L_k
        b   = softmax over k of s . v_k,                   f = sum b_k v_k

    and `f` combined with `g` is classified. "separately" also lets all the
    `A_k` attend to the image first, as Models 1 and 2 do.

    Args:
        input_shape: `(height, width, channels)`; sides of at least 32.
        num_classes: Number of expressions.
        source: `"facial"`, `"emotion"`, `"combination"` or `"separately"`. No
            face network is built for `"emotion"`.
        combine: As in `meen_model1`, of every pair that is combined.
        maps: For `"separately"`: `"all"`, or `"average"`, one map per stage,
            summed with softmax weights of the stages.
        normalize: Of the `A_k`, as in `meen_model1`.
        weighting: For `"separately"`, of the `A_k`, as in `meen_model1`.
        rescale: As in `meen_model1`.
        compatibility: `"softmax"`, or `"sigmoid"`: independent positions, then
            their mean.
        merge: `"weighted"` as above, or `"concat"`: the classifier gets every
            `v_k` and no `g`, as in "Learn to pay attention".
        taps: Stages; `("block3", "block4", "block5")` for VGG19.
        backbone: Of both networks, as in `vgg19_fer`.
        face_backbone: Of the face network, if another: `"face_resnet29"`, dlib's, in
            full width. Its weights are published (`fer_tf.convert.dlib_face`).
        width: Factor on all widths, for small builds.
        dropout_rate: Dropout before the classifier.
        name: Model name.

    Returns:
        Functional model from `image` in 0..255 to `{"expression": logits
        (batch, num_classes)}`. Layers `attention_<tap>` output the `a_k`,
        `(batch, h, w, 1)`, and `tap_weights` the `b`, `(batch, taps)`.

    Raises:
        ValueError: If an argument has an unknown value or the image is too
            small.

    Example:
        >>> model = meen_model3(source="emotion", width=0.125)
        >>> model.get_layer("attention_block4").output.shape
        (None, 5, 5, 1)
    """
    require_one_of(("facial", "emotion", "combination", "separately"), source=source)
    require_one_of(("all", "average"), maps=maps)
    image = _input(input_shape)
    features, _, default_taps = _backbone(backbone)
    taps = tuple(taps or default_taps)
    if face_backbone and source == "combination":
        raise ValueError(
            "`face_backbone` has maps of other widths than the expression network, so "
            "that `source` may not be combination."
        )
    facial = []
    if source != "emotion":
        face_taps = taps
        if face_backbone:
            _, face_taps = _recognition(face_backbone)
        facial = _face_taps(image, face_taps, face_backbone or backbone, width)
        facial = [
            meen_attention.normalized(x, normalize, name=tap)
            for tap, x in zip(taps, facial)
        ]
    x, arguments = _scale(image), {}
    if source == "separately":
        rescale = rescale or maps == "average"
        facial = [
            meen_attention.weigh(x, weighting, rescale, name=tap)
            for tap, x in zip(taps, facial)
        ]
        if maps == "all":
            x, arguments["stem"] = meen_attention.attend_planes(x, facial, combine)
        else:
            facial = meen_attention.weighted_average(facial, taps, input_shape[:2])
            x = meen_attention.attend(x, facial, combine)
    own, pooled = features(x, width=width, **arguments)
    own = [own[tap] for tap in taps]
    attended = [
        meen_attention.estimate(x, pooled, compatibility, name=tap)
        for tap, x in zip(taps, _attended_stages(source, taps, facial, own, combine))
    ]
    x = meen_attention.merged(attended, pooled, merge, combine)
    x = _head(x, num_classes, dropout_rate, name="expression")
    return keras.Model(image, {"expression": x}, name=name)


def _attended_stages(source, taps, facial, own, combine):
    """The `P_k` of Model 3, from the face maps and the expression network's own."""
    if source == "facial":
        return facial
    if source != "combination":
        return own
    return [
        meen_attention.combined(e, a, combine, name=f"{tap}_combined")
        for tap, a, e in zip(taps, facial, own)
    ]


def _input(input_shape):
    return image_input(input_shape, smallest=_MIN_SIZE)


def _scale(image):
    return PixelScaling(low=0.0, high=1.0, name="rescale")(image)


def _backbone(name):
    require_one_of(_BACKBONES, backbone=name)
    return _BACKBONES[name]


def _recognition(name):
    require_one_of(_RECOGNITION, face_backbone=name)
    return _RECOGNITION[name]


def _face_graph(image, backbone, width, dropout_rate=0.5):
    """Maps by tap, and the outputs, of a face network."""
    if backbone in _RECOGNITION:
        sides = (_RECOGNITION_SIZE, _RECOGNITION_SIZE)
        taps, x = face_resnet29_features(BilinearResize(*sides, name="enlarged")(image))
        return taps, {"features": x}
    taps, x = _backbone(backbone)[0](_scale(image), width=width)
    return taps, {"is_face": _head(x, 2, dropout_rate, name="is_face")}


def _face_taps(image, taps, backbone, width):
    """Maps of a frozen face network, in the order of `taps`.

    The submodel holds the whole network, head included, so that its weights are
    `face_network`'s, in the same order.
    """
    inputs = keras.Input(image.shape[1:], name="image")
    maps, outputs = _face_graph(inputs, backbone, width)
    for tap in taps:
        require_one_of(maps, tap=tap)
    network = keras.Model(
        inputs,
        {**outputs, **{tap: maps[tap] for tap in taps}},
        name="face_network",
    )
    network.trainable = False
    outputs = network(image)
    return [meen_attention.detached(outputs[tap], name=tap) for tap in taps]


def _head(x, units, dropout_rate, *, name):
    x = layers.Dropout(dropout_rate, name="dropout")(x)
    return dense(x, units, dtype="float32", name=name)


VARIANTS: dict[str, Variant] = {
    "vgg19_fer": Variant(vgg19_fer),
    "face_network": Variant(face_network),
    # The best combination of each row, as Sec. 4.3 tells.
    "meen_model1_all": Variant(meen_model1),
    "meen_model1_average": Variant(meen_model1, {"maps": "average"}),
    "meen_model1_conv": Variant(meen_model1, {"maps": "conv"}),
    "meen_model2_all": Variant(
        meen_model1, {"weighting": "channel", "combine": "concat"}
    ),
    "meen_model2_average": Variant(
        meen_model1, {"weighting": "channel", "maps": "average"}
    ),
    **{
        f"meen_model3_{source}": Variant(meen_model3, {"source": source})
        for source in ("facial", "emotion", "combination", "separately")
    },
}
