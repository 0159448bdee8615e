"""dlib's face-recognition network: 29 convolutions, 128 numbers that name a face.

Davis King's `dlib_face_recognition_resnet_model_v1` (2017): ResNet-34 with fewer
blocks and half the filters. He released the weights into the public domain (CC0).
Crops of 150 pixels of the same person have embeddings less than 0.6 apart; on
Labeled Faces in the Wild that is right for 99.38 % of the pairs.

Its photographs: about three million faces of 7,485 people. About half are from
FaceScrub and VGG-Face (well-known people, found by web search), the others were
collected from the internet by its author. That these people agreed is not recorded,
nor is their age, gender or origin. `face_recognition`, the Python package that made the
network known, warns that it mixes up children and may fit some ethnic groups less well.

Deviations, and what we add:
    - `face_embedding` is the network as it is used: each normalisation is folded into
      its convolution, as the published file has it. `batch_norm=True` builds the
      network as it was trained, for training from scratch.
    - A map of fewer than 3 pixels is padded before a convolution of stride 2, where
      dlib's network ends with an error: crops of 96 pixels have an embedding too.
    - `face_resnet29`, ours, classifies expressions. It leaves out the last block,
      whose maps are 2 x 2 or less below 150 pixels, repeats a grey face in three
      channels, and normalises the pooled feature: as the weights leave it, a usual
      learning rate ends in NaN.

Reference:
    - [dlib-models](https://github.com/davisking/dlib-models): what it was trained on.
    - [dlib](http://dlib.net/dnn_face_recognition_ex.cpp.html): the graph.
    - [He et al., 2016](https://arxiv.org/abs/1512.03385).
"""

import keras
from keras import initializers, layers

from fer_tf.layers.batch_normalization import BatchNormalization
from fer_tf.layers.color_normalization import ColorNormalization
from fer_tf.layers.padded_add import PaddedAdd
from fer_tf.models.variant import Variant, image_input, scaled

MEAN_RGB = (122.782, 117.001, 104.298)
EMBEDDING_SIZE = 128
# (filters, blocks) of each stage; before them, all but the first have a halving block.
_STAGES = ((32, 3), (64, 3), (128, 2), (256, 2))
# The smallest crops that leave a pixel before and after the last block's halving.
_MIN_SIZE, _MIN_EMBEDDING_SIZE = 39, 71


def face_resnet29_features(
    image, *, width: float = 1.0, batch_norm: bool = False, last_block: bool = False
) -> tuple[dict, object]:
    """Adds the convolutional part to a graph.

    Args:
        image: Symbolic `(batch, height, width, 1 or 3)`, grey or RGB in 0..255.
        width: Factor on all widths, for small builds.
        batch_norm: Whether each convolution has a batch normalisation, not a bias.
        last_block: Whether the block that the embedding is made from is there.

    Returns:
        Pair: `{"conv32": ..., "conv256": ...}`, the maps of each stage (35, 17, 8 and
        4 pixels of a crop of 150; 22, 11, 5 and 2 of 96), and the pooled feature
        `(batch, 256 * width)`.
    """
    if image.shape[-1] == 1:
        image = layers.Concatenate(name="rgb")([image] * 3)
    x = ColorNormalization(MEAN_RGB, std=(256.0,) * 3, name="normalization")(image)
    x = _conv(x, scaled(32, width), batch_norm, size=7, strides=2, name="conv32_down")
    x = layers.ReLU(name="conv32_down_relu")(x)
    x = layers.MaxPooling2D(3, 2, name="pool")(x)
    taps = {}
    for filters, blocks in _STAGES:
        channels, stage = scaled(filters, width), f"conv{filters}"
        if filters > 32:
            x = _block(x, channels, batch_norm, halve=True, name=f"{stage}_down")
        for block in range(1, blocks + 1):
            x = _block(x, channels, batch_norm, name=f"{stage}_{block}")
        taps[stage] = x
    if last_block:
        x = _block(x, channels, batch_norm, halve=True, name="conv256_down_out")
    return taps, layers.GlobalAveragePooling2D(name="average")(x)


def face_embedding(
    *,
    input_shape: tuple[int, int, int] = (150, 150, 3),
    width: float = 1.0,
    batch_norm: bool = False,
    name: str = "face_embedding",
) -> keras.Model:
    """Builds the whole network: a face to 128 numbers.

    It means something with the published weights only: `fer_tf.convert.dlib_face`.

    Args:
        input_shape: Of the crop; sides of at least 71. It was trained on 150.
        width: Factor on all widths but the embedding's, for small builds.
        batch_norm: As in `face_resnet29_features`.
        name: Model name.

    Returns:
        Functional model from `image` in 0..255 to `{"embedding": (batch, 128)}`.

    Raises:
        ValueError: If the crop is too small.

    Example:
        >>> face_embedding(width=0.25).output["embedding"].shape
        (None, 128)
    """
    image = image_input(input_shape, smallest=_MIN_EMBEDDING_SIZE)
    _, x = face_resnet29_features(
        image, width=width, batch_norm=batch_norm, last_block=True
    )
    x = layers.Dense(EMBEDDING_SIZE, use_bias=False, dtype="float32", name="embedding")(
        x
    )
    return keras.Model(image, {"embedding": x}, name=name)


def face_resnet29(
    *,
    input_shape: tuple[int, int, int] = (96, 96, 1),
    num_classes: int = 7,
    enlarge: int = 1,
    width: float = 1.0,
    batch_norm: bool = False,
    dropout_rate: float = 0.5,
    name: str = "face_resnet29",
) -> keras.Model:
    """Builds an expression classifier on the network without its last block.

    Args:
        input_shape: `(height, width, channels)`; sides of at least 39.
        num_classes: Number of expressions.
        enlarge: Factor by which the face is brought up to size first. A network that
            learned from small faces then sees a photograph as small as those.
        width: Factor on all widths, for small builds.
        batch_norm: False for published weights, True to train from scratch.
        dropout_rate: Dropout before the classifier.
        name: Model name.

    Returns:
        Functional model from `image` in 0..255 to `{"expression": logits
        (batch, num_classes)}`.

    Raises:
        ValueError: If the crop is too small.

    Example:
        >>> face_resnet29(width=0.25).output["expression"].shape
        (None, 7)
    """
    image = image_input(input_shape, smallest=_MIN_SIZE)
    x = image
    if enlarge > 1:
        x = layers.UpSampling2D(enlarge, interpolation="bilinear", name="enlarge")(x)
    _, x = face_resnet29_features(x, width=width, batch_norm=batch_norm)
    x = BatchNormalization(momentum=0.9, epsilon=1e-5, name="expression_bn")(x)
    x = layers.Dropout(dropout_rate, name="dropout")(x)
    x = layers.Dense(num_classes, dtype="float32", name="expression")(x)
    return keras.Model(image, {"expression": x}, name=name)


def _block(x, filters, batch_norm, *, name, halve=False):
    """Two 3x3 convolutions beside the input, or beside its average by 2 x 2."""
    y = x
    if halve:
        y = _at_least_three(y, name=f"{name}_pad")
        x = layers.AveragePooling2D(2, name=f"{name}_shortcut")(x)
    strides = 2 if halve else 1
    y = _conv(y, filters, batch_norm, strides=strides, name=f"{name}_conv1")
    y = layers.ReLU(name=f"{name}_relu1")(y)
    y = _conv(y, filters, batch_norm, name=f"{name}_conv2")
    x = PaddedAdd(name=f"{name}_add")([x, y])
    return layers.ReLU(name=f"{name}_relu2")(x)


def _conv(x, filters, batch_norm, *, name, size=3, strides=1):
    """Convolution with a bias or a batch normalisation; strided ones do not pad."""
    x = layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        use_bias=not batch_norm,
        kernel_initializer=initializers.VarianceScaling(
            2.0, "fan_out", "untruncated_normal"
        ),
        name=name,
    )(x)
    if not batch_norm:
        return x
    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def _at_least_three(x, *, name):
    missing = [(0, max(0, 3 - side)) for side in x.shape[1:3]]
    return layers.ZeroPadding2D(missing, name=name)(x) if any(missing[0]) else x


VARIANTS = {
    "face_resnet29": Variant(face_resnet29),
    "face_embedding": Variant(face_embedding),
}
