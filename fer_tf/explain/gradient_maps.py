"""Maps from gradients: Grad-CAM, guided backpropagation and their product.

Gan et al., "Multiple Attention Network for Facial Expression Recognition", IEEE
Access 2020, compare their networks by Grad-CAM and guided Grad-CAM (Figs. 5-8).
Both work here for every model and every output.

Where the paper says nothing:
    - It does not name the layer of Grad-CAM. We take the last feature map, which is
      `conv5_3` after its ReLU in the networks of that paper.
    - Maps are not normalised; whoever draws them chooses the scale.

References:
    - [Selvaraju et al., 2017](https://arxiv.org/abs/1610.02391), Eqs. 1-2 and
      Sec. 3.2.
    - [Springenberg et al., 2015](https://arxiv.org/abs/1412.6806), Sec. 3.4.
"""

import contextlib

import keras
import numpy as np
from keras import ops

from fer_tf.explain.gradients import value_and_gradients
from fer_tf.explain.outputs import as_arrays, score_function
from fer_tf.explain.own_attention import attention

_LEAST_SIDE = 4
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
    """Computes every map of a model in one call.

    Args:
        model: Functional model.
        images: float32 `(batch, height, width, channels)` in 0..255, or a dict
            of inputs with the images as `"image"`.
        task: Name of the output to explain; see `grad_cam`.
        target: Index within that output, one for all images or one for each; see
            `grad_cam`.
        layer: Name of the layer whose maps Grad-CAM weighs; see `grad_cam`.

    Returns:
        `"target"` int `(batch,)`; `"score"`, the explained value, `(batch,)`;
        `"grad_cam"` `(batch, height, width)`; `"guided_backpropagation"` and
        `"guided_grad_cam"` `(batch, height, width, channels)`; and everything that
        `attention` returns.

    Raises:
        ValueError: If the task, the target or the layer does not exist.

    Example:
        >>> import keras, numpy as np
        >>> from fer_tf import explain
        >>> image = keras.Input((8, 8, 1), name="image")
        >>> x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3)(image))
        >>> model = keras.Model(image, {"expression": keras.layers.Dense(7)(x)})
        >>> sorted(explain.explain(model, np.ones((2, 8, 8, 1)), target=3))
        ['grad_cam', 'guided_backpropagation', 'guided_grad_cam', 'score', 'target']
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
    """Computes where the evidence for a class lies.

    `w_k = mean_xy dy_c / dA_k`, `CAM = relu(sum_k w_k A_k)`, enlarged to the
    image by bilinear interpolation.

    Args:
        model: Functional model.
        images: As in `explain`.
        task: Name of the output; by default "expression", or the first output if
            the model has no such.
        target: Index of the class (its logit before the softmax), the dimension or
            the action unit, one for all images or one for each; by default the
            largest value.
        layer: Name of the layer whose output is A; by default the last feature map.

    Returns:
        float32 `(batch, height, width)`, non-negative, not normalised.

    Raises:
        ValueError: If the task, the target or the layer does not exist.

    Example:
        >>> import keras, numpy as np
        >>> from fer_tf import explain
        >>> image = keras.Input((8, 8, 1), name="image")
        >>> x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3)(image))
        >>> model = keras.Model(image, {"expression": keras.layers.Dense(7)(x)})
        >>> explain.grad_cam(model, np.ones((2, 8, 8, 1)), target=3).shape
        (2, 8, 8)
    """
    return _grad_cam(model, images, task, target, layer)[0]


def guided_backpropagation(
    model: keras.Model,
    images: np.ndarray | dict[str, np.ndarray],
    *,
    task: str | None = None,
    target: int | np.ndarray | None = None,
) -> np.ndarray:
    """Computes which pixels speak for a class.

    It is the gradient with respect to the image, except that a ReLU passes a
    gradient on only where both the gradient and the ReLU's input are positive.
    Sigmoid gates are differentiated as usual; frozen masks pass no gradient.

    The model must not be called from another thread meanwhile: its layers'
    calls are replaced for as long as this runs.

    Args:
        model: Functional model.
        images: As in `explain`.
        task: Name of the output; see `grad_cam`.
        target: Index within that output; see `grad_cam`.

    Returns:
        float32 `(batch, height, width, channels)`.

    Raises:
        ValueError: If the task or the target does not exist.
    """
    inputs = as_arrays(images)
    score = score_function(model, task, target, len(inputs["image"]))

    def function(image):
        return score({**inputs, "image": image})

    with contextlib.ExitStack() as stack:
        for rectifier in _rectifiers(model):
            stack.enter_context(_followed_by(rectifier, _positive_gradients))
        _, (gradient,) = value_and_gradients(function, [inputs["image"]])
    return gradient


def last_feature_map(model: keras.Model) -> str:
    """Name of the layer that Grad-CAM uses by default.

    It is the last layer with sides of at least 4 that is a convolution with a kernel
    above 1 x 1, a rectifier or a sum: a coarser map says little of where on a face. A
    network that has only coarser ones gives its last with a height or width above 1.

    Raises:
        ValueError: If the model has no such layer.

    Example:
        >>> import fer_tf
        >>> from fer_tf import explain
        >>> explain.last_feature_map(fer_tf.create_model("multitask_cnn", width=0.125))
        'stage3_conv3'
    """
    maps = []
    for layer in reversed(model.layers):
        spatial = isinstance(layer, _CONVOLUTIONS) and max(layer.kernel_size) > 1
        joins = isinstance(layer, keras.layers.Add) or _is_rectifier(layer)
        shape = getattr(layer.output, "shape", ())
        if (spatial or joins) and len(shape) == 4 and max(shape[1:3]) > 1:
            if min(shape[1:3]) >= _LEAST_SIDE:
                return layer.name
            maps.append(layer.name)
    if maps:
        return maps[0]
    raise ValueError(f"Model {model.name!r} has no feature maps; name a `layer`.")


def _grad_cam(model, images, task, target, layer):
    """The maps, and `{"target", "score"}`."""
    inputs = as_arrays(images)
    image = inputs["image"]
    score = score_function(model, task, target, len(image))
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


@contextlib.contextmanager
def _followed_by(layer, function):
    """Within the block, `layer` returns `function` of its usual output."""
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


def _rectifiers(model):
    """Every layer within a model whose last step is a ReLU, once each."""
    rectifiers, seen, stack = [], set(), [model]
    while stack:
        layer = stack.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if _is_rectifier(layer):
            rectifiers.append(layer)
        for value in vars(layer).values():
            children = value if isinstance(value, list | tuple) else (value,)
            stack.extend(c for c in children if isinstance(c, keras.layers.Layer))
    return rectifiers


def _is_rectifier(layer):
    if isinstance(layer, keras.layers.ReLU):
        return not layer.negative_slope and not layer.threshold
    return (
        isinstance(layer, _MAY_RECTIFY) and layer.activation is keras.activations.relu
    )
