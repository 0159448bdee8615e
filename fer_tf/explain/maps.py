"""What a model looks at, as arrays: Grad-CAM, and the model's own attention.

Gan et al., "Multiple Attention Network for Facial Expression Recognition", IEEE
Access 2020, compare their networks by Grad-CAM and guided Grad-CAM (Figs. 5-8).
Both work here for every model and every output, and so does reading the
attention that a model has by construction.

Deviations, and what the paper leaves open:
    - The layer of Grad-CAM is not named: the last feature map, which is
      `conv5_3` after its ReLU in the networks of that paper.
    - Maps are not normalised; whoever draws them chooses the scale.

References:
    - [Selvaraju et al., 2017](https://arxiv.org/abs/1610.02391), Eqs. 1-2 and
      Sec. 3.2.
    - [Springenberg et al., 2015](https://arxiv.org/abs/1412.6806), Sec. 3.4.
"""

import contextlib
import re

import keras
import numpy as np
from keras import ops

from fer_tf.explain.gradients import value_and_gradients

# Layers whose output says where a model looks, and what it is called outside.
_ATTENTION = {
    r"attention\d_mask|level_attention": r"\g<0>",  # 2Att-2Mt
    r"(block|stage)\d_face|face_features|attention_map": r"\g<0>",  # Meen, 1, 2
    r"attention_(block|stage)\d|tap_weights": r"\g<0>",  # Meen, Model 3
    r"used_masks|rasnet_masks": "region_masks",  # Gan
    r"region_weights": r"\g<0>",  # Gan
    r"conv\d_\d_spatial_gate": r"\g<0>",  # CBAM
}

_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
_MAY_RECTIFY = (*_CONVOLUTIONS, keras.layers.Dense, keras.layers.Activation)


def explain(
    model: keras.Model,
    images: np.ndarray | dict[str, np.ndarray],
    *,
    task: str | None = None,
    target: int | np.ndarray | None = None,
    layer: str | None = None,
) -> dict[str, np.ndarray]:
    """Everything below, in one call.

    Args:
        model: Functional model; `task`, `target` and `layer` as in `grad_cam`.
        images: float32 `(batch, height, width, channels)` in 0..255, or a dict
            of inputs with the images as `"image"`.
        task: Name of the output that is explained.
        target: Index, or one an image, within that output.
        layer: Name of the layer whose maps Grad-CAM weighs.

    Returns:
        `"target"` int `(batch,)`; `"score"`, the explained value, `(batch,)`;
        `"grad_cam"` `(batch, height, width)`; `"guided_backpropagation"` and
        `"guided_grad_cam"` `(batch, height, width, channels)`; and what
        `attention` returns.

    Raises:
        ValueError: If the task, the target or the layer does not exist.
    """
    cam, values = _grad_cam(model, images, task, target, layer)
    guided = guided_backpropagation(model, images, task=task, target=values["target"])
    return {
        **attention(model, images),
        **values,
        "grad_cam": cam,
        "guided_backpropagation": guided,
        "guided_grad_cam": guided * cam[..., None],
    }


def grad_cam(
    model: keras.Model,
    images: np.ndarray | dict[str, np.ndarray],
    *,
    task: str | None = None,
    target: int | np.ndarray | None = None,
    layer: str | None = None,
) -> np.ndarray:
    """Where the evidence for a class lies.

    `w_k = mean_xy dy_c / dA_k`, `CAM = relu(sum_k w_k A_k)`, enlarged to the
    image by bilinear interpolation.

    Args:
        model: Functional model.
        images: As in `explain`.
        task: Name of the output, "expression" or else the first if None.
        target: Index of the class (logits before the softmax), the dimension,
            or the action unit, one for all images or one each; the largest
            value if None.
        layer: Name of the layer of the maps A; the last feature map if None.

    Returns:
        float32 `(batch, height, width)`, non-negative, not normalised.

    Raises:
        ValueError: If the task, the target or the layer does not exist.
    """
    return _grad_cam(model, images, task, target, layer)[0]


def guided_backpropagation(
    model: keras.Model,
    images: np.ndarray | dict[str, np.ndarray],
    *,
    task: str | None = None,
    target: int | np.ndarray | None = None,
) -> np.ndarray:
    """Which pixels speak for a class, through rectifiers that only let through.

    The gradient with respect to the image, where every ReLU passes a gradient
    on only if it is positive and so was the ReLU's input. Gates by sigmoids
    stay as they are, and so do frozen masks, which pass no gradient.

    The model must not be called from another thread meanwhile: its layers'
    calls are replaced for as long as this runs.

    Args:
        model: Functional model; the other arguments as in `grad_cam`.
        images: As in `explain`.
        task: Name of the output.
        target: Index, or one an image, within that output.

    Returns:
        float32 `(batch, height, width, channels)`.

    Raises:
        ValueError: If the task or the target does not exist.
    """
    inputs = _inputs(images)
    score = _score(model, _task(model, task), target, len(inputs["image"]))

    def function(image):
        return score({**inputs, "image": image})

    with contextlib.ExitStack() as stack:
        for rectifier in _rectifiers(model):
            stack.enter_context(_followed_by(rectifier, _positive_gradients))
        _, (gradient,) = value_and_gradients(function, [inputs["image"]])
    return gradient


def guided_grad_cam(
    model: keras.Model,
    images: np.ndarray | dict[str, np.ndarray],
    *,
    task: str | None = None,
    target: int | np.ndarray | None = None,
    layer: str | None = None,
) -> np.ndarray:
    """`guided_backpropagation` times `grad_cam`; arguments and shape as there."""
    cam, values = _grad_cam(model, images, task, target, layer)
    guided = guided_backpropagation(model, images, task=task, target=values["target"])
    return guided * cam[..., None]


def attention(
    model: keras.Model, images: np.ndarray | dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The attention that a model computes on its way; empty if it has none.

    Args:
        model: Functional model.
        images: As in `explain`.

    Returns:
        By model, float32 and, but for Meen's face maps, in [0, 1]:
            - 2Att-2Mt: `"attention1_mask"` ..., the residual attention's masks,
              `(batch, h, w, channels)`; `"level_attention"`, Eq. 3's weights,
              `(batch, levels, levels)`.
            - Meen et al.: `"block4_face"` ..., what the frozen face network
              gives, `(batch, h, w, maps)`; `"face_features"`, what of it
              attends to the image, and `"attention_map"`, enlarged, where it is
              one map. Model 3: `"attention_block3"` ... `(batch, h, w, 1)`,
              which sum to 1, and the stages' `"tap_weights"`.
            - Gan et al.: `"region_masks"` `(batch, h, w, 8)` in the order of
              `fer_tf.faces.region_masks.REGIONS`, and their `"region_weights"`
              `(batch, 8)`.
            - CBAM: `"conv2_1_spatial_gate"` ..., `(batch, h, w, 1)`.
    """
    found = {
        re.sub(pattern, name, layer.name): layer.output
        for layer in model.layers
        for pattern, name in _ATTENTION.items()
        if re.fullmatch(pattern, layer.name)
    }
    if not found:
        return {}
    outputs = keras.Model(model.input, found)(
        _as_model_input(model, _inputs(images)), training=False
    )
    return {
        name: ops.convert_to_numpy(ops.cast(value, "float32"))
        for name, value in outputs.items()
    }


def last_feature_map(model: keras.Model) -> str:
    """Name of the layer that Grad-CAM looks at where none is given.

    The last of the model's convolutions of several pixels, rectifiers and sums
    that still has a height and a width.

    Raises:
        ValueError: If the model has none.
    """
    for layer in reversed(model.layers):
        spatial = isinstance(layer, _CONVOLUTIONS) and max(layer.kernel_size) > 1
        joins = isinstance(layer, keras.layers.Add) or _is_rectifier(layer)
        shape = getattr(layer.output, "shape", ())
        if (spatial or joins) and len(shape) == 4 and max(shape[1:3]) > 1:
            return layer.name
    raise ValueError(f"Model {model.name!r} has no feature maps; give `layer`.")


def _grad_cam(model, images, task, target, layer):
    """The maps, and `{"target", "score"}`."""
    inputs = _inputs(images)
    image = inputs["image"]
    score = _score(model, _task(model, task), target, len(image))
    watched = model.get_layer(layer or last_feature_map(model))
    if len(watched.output.shape) != 4:
        raise ValueError(
            "`layer` must give (batch, height, width, channels). "
            f"Received: layer={layer!r} of shape {watched.output.shape}."
        )

    # A zero that is added to the maps has their gradient, wherever they go.
    def function(delta):
        maps = []

        def tap(x):
            maps.append(x)
            return x + ops.cast(delta, x.dtype)

        with _followed_by(watched, tap):
            scalar, values = score(inputs)
        return scalar, {**values, "maps": ops.stop_gradient(maps[0])}

    delta = np.zeros((len(image), *watched.output.shape[1:]), np.float32)
    values, (gradient,) = value_and_gradients(function, [delta])
    weights = gradient.mean((1, 2), keepdims=True)
    maps = values.pop("maps").astype(np.float32)
    cam = np.maximum((weights * maps).sum(-1, keepdims=True), 0)
    cam = ops.image.resize(cam, image.shape[1:3], interpolation="bilinear")
    return ops.convert_to_numpy(cam)[..., 0], values


def _score(model, task, target, batch):
    """Function from inputs to the sum over the batch of the explained values."""
    size = model.output[task].shape[-1]
    if target is not None:
        target = np.broadcast_to(np.asarray(target), (batch,)).astype("int32")
        if target.size and not 0 <= target.min() <= target.max() < size:
            raise ValueError(
                f"`target` must be in 0..{size - 1} for {task!r}. "
                f"Received: target={target.tolist()}."
            )

    def score(inputs):
        output = model(_as_model_input(model, inputs), training=False)[task]
        # Masks are summed over their pixels.
        output = ops.reshape(output, (batch, -1, size))
        output = ops.sum(ops.cast(output, "float32"), axis=1)
        index = ops.argmax(output, axis=-1) if target is None else target
        chosen = ops.sum(output * ops.one_hot(index, size, dtype="float32"), axis=-1)
        values = {"target": ops.convert_to_tensor(index), "score": chosen}
        return ops.sum(chosen), values

    return score


def default_task(model: keras.Model) -> str:
    """The output that is explained unless another is asked for.

    The expression, or else the first that the model was trained for.
    """
    card = getattr(model, "card", None)
    tasks = [name for name in model.output if card is None or card.reads(name)]
    return "expression" if "expression" in tasks else tasks[0]


def _task(model, task):
    if task is None:
        return default_task(model)
    if task not in model.output:
        raise ValueError(
            f"`task` must be one of {', '.join(model.output)}. Received: task={task!r}."
        )
    return task


def _inputs(images):
    inputs = images if isinstance(images, dict) else {"image": images}
    return {name: np.asarray(value, np.float32) for name, value in inputs.items()}


def _as_model_input(model, inputs):
    # Keras takes tensors or arrays, not one of each.
    inputs = {name: ops.convert_to_tensor(value) for name, value in inputs.items()}
    return inputs if isinstance(model.input, dict) else inputs["image"]


@contextlib.contextmanager
def _followed_by(layer, function):
    """While it is open, `layer` returns `function` of what it computes."""
    original = layer.call
    layer.call = lambda *args, **kwargs: function(original(*args, **kwargs))
    try:
        yield
    finally:
        del layer.call  # The class's own method shows again.


@ops.custom_gradient
def _positive_gradients(x):
    def gradient(*args, upstream=None):
        if upstream is None:
            (upstream,) = args
        return ops.relu(upstream)

    return x, gradient


def _rectifiers(layer):
    """Every layer within `layer` whose last step is a ReLU, once each."""
    found, seen, stack = [], set(), [layer]
    while stack:
        layer = stack.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if _is_rectifier(layer):
            found.append(layer)
        for value in vars(layer).values():
            children = value if isinstance(value, list | tuple) else (value,)
            stack.extend(c for c in children if isinstance(c, keras.layers.Layer))
    return found


def _is_rectifier(layer):
    if isinstance(layer, keras.layers.ReLU):
        return not layer.negative_slope and not layer.threshold
    return (
        isinstance(layer, _MAY_RECTIFY) and layer.activation is keras.activations.relu
    )
