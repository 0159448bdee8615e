"""MTANet: one network for valence and arousal, action units and expressions.

[Zhang and Gu, 2020](https://arxiv.org/abs/2002.00606), "Facial Affect
Recognition in the Wild Using Multi-Task Learning Convolutional Network".
Reproduces the three backbones of its Table I on aligned 112 x 112 faces.

Deviations, and readings where the paper is silent:

- "An average pooling and max pooling layer with dropout and ReLU" giving a
  "1024-d feature map after concatenation" is read as two branches, each global
  pooling, dense 512, ReLU, dropout. Dense layers before the concatenation are
  not named, but nothing else takes 2048 channels to 1024.
- The dropout rate, 0.5, is ours.
- ReLU comes before dropout; the other order is the same function.
- Valence and arousal are linear, to be clipped where they are written;
  `valence_arousal_activation="tanh"` bounds them.
- ResNeXt-50 is the 32x4d of torchvision, and CBAM sits where its authors put it.
- The dense layers of branches and heads start as PyTorch's, in which the paper was
  trained; the gates of SE and CBAM as He's and Glorot's.
- SENet-50 starts from VGGFace2 in the paper: `fer_tf.convert.se_resnet50` loads
  those weights. What the ResNeXts start from is not said: here, nothing.
- The row "Baseline" is the challenge's own, not a model of this paper.
"""

import functools

import keras
from keras import layers

from fer_tf.arguments import require_one_of
from fer_tf.models.pytorch_layers import dense
from fer_tf.models.resnext50 import resnext50_features
from fer_tf.models.se_resnet50 import se_resnet50_features
from fer_tf.models.variant import Variant, scaled

BACKBONES = {
    "senet50": se_resnet50_features,
    "resnext50": resnext50_features,
    "resnext50_cbam": functools.partial(resnext50_features, cbam=True),
}


def mtanet(
    *,
    backbone: str = "senet50",
    input_shape: tuple[int, int, int] = (112, 112, 3),
    num_classes: int = 7,
    num_action_units: int = 8,
    head_hidden: tuple[int, ...] = (),
    valence_arousal_activation: str | None = None,
    dropout_rate: float = 0.5,
    width: float = 1.0,
    name: str | None = None,
) -> keras.Model:
    """Builds MTANet.

    Args:
        backbone: `senet50`, `resnext50` or `resnext50_cbam`.
        input_shape: `(height, width, 3)`, sides of at least 32.
        num_classes: Number of expressions.
        num_action_units: Number of action units.
        head_hidden: Widths of hidden layers in every head; the paper tried
            some without effect.
        valence_arousal_activation: None, or `tanh`.
        dropout_rate: Rate in both branches.
        width: Factor on all widths, for small builds.
        name: Defaults to `mtanet_` and the backbone.

    Returns:
        Functional model from `image`, RGB in 0..255, to `expression` logits
        `(batch, num_classes)`, `valence_arousal` `(batch, 2)` and
        `action_units` logits `(batch, num_action_units)`, all float32.

    Raises:
        ValueError: If the backbone or the activation is unknown, or the images
            do not fit.

    Example:
        >>> model = mtanet(backbone="senet50", input_shape=(32, 32, 3), width=0.125)
        >>> model(np.zeros((2, 32, 32, 3)))["action_units"].shape
        TensorShape([2, 8])
    """
    require_one_of(BACKBONES, backbone=backbone)
    activation = valence_arousal_activation
    require_one_of((None, "tanh"), valence_arousal_activation=activation)
    image = keras.Input(input_shape, name="image")
    x = BACKBONES[backbone](image, width=width)
    x = layers.Concatenate(name="shared")(
        [
            _branch(pooling(name=f"{branch}_pool")(x), width, dropout_rate, name=branch)
            for branch, pooling in (
                ("average", layers.GlobalAveragePooling2D),
                ("max", layers.GlobalMaxPooling2D),
            )
        ]
    )
    heads = {
        "expression": (num_classes, None),
        "valence_arousal": (2, activation),
        "action_units": (num_action_units, None),
    }
    outputs = {
        task: _head(x, units, activation, hidden=head_hidden, width=width, name=task)
        for task, (units, activation) in heads.items()
    }
    return keras.Model(image, outputs, name=name or f"mtanet_{backbone}")


def _branch(x, width, dropout_rate, *, name):
    """Dense 512, ReLU, dropout."""
    x = dense(x, scaled(512, width), activation="relu", name=f"{name}_dense")
    return layers.Dropout(dropout_rate, name=f"{name}_dropout")(x)


def _head(x, units, activation, *, hidden, width, name):
    """Hidden layers if there are any, then the output in float32."""
    for i, hidden_units in enumerate(hidden, start=1):
        hidden_units = scaled(hidden_units, width)
        x = dense(x, hidden_units, activation="relu", name=f"{name}_hidden{i}")
    return dense(x, units, activation=activation, dtype="float32", name=name)


VARIANTS: dict[str, Variant] = {
    f"mtanet_{backbone}": Variant(mtanet, {"backbone": backbone})
    for backbone in ("resnext50", "resnext50_cbam", "senet50")
}
