"""Operations of a model for one image, counted from its graph."""

import math

import keras
from keras import layers

from fer_tf.layers.attended_conv2d import AttendedConv2D
from fer_tf.layers.region_attention import RegionAttention

_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose)


def flops_per_image(model: keras.Model) -> int:
    """Floating-point operations of one image's forward pass.

    Each multiply-add of a convolution, a dense layer or a recurrent cell counts as two.
    Operations on single values (normalisation, activations, pooling) are not counted,
    as is usual. Layers that compute a result in a shorter way (`GroupedConv2D`,
    `AttendedConv2D`, `RegionAttention`) count as the plain computation, so that the
    rates of two implementations can be compared.

    Args:
        model: Functional model whose inputs have known sizes. Models inside it
            are counted as often as they are called, and so are shared layers.

    Raises:
        ValueError: If the model is not functional, a size is unknown, or a
            layer has a matrix of weights that no rule here counts.

    Example:
        >>> features = keras.Input((8,))
        >>> flops_per_image(keras.Model(features, layers.Dense(4)(features)))
        64
    """
    # The configuration lists the calls of this model alone, with their shapes.
    called = {layer.name: layer for layer in model.layers}
    entries = model.get_config().get("layers", [])
    if not all("inbound_nodes" in entry for entry in entries) or not entries:
        raise ValueError(f"{model.name!r} must be a functional model.")
    return sum(
        _layer_flops(called[entry["name"]], _first_shape(node))
        for entry in entries
        if entry["name"] in called
        for node in entry["inbound_nodes"]
    )


def _layer_flops(layer, shape):
    """Operations of one call on an input of `shape`, batch included."""
    if isinstance(layer, keras.Model):
        return flops_per_image(layer)
    if isinstance(layer, layers.Bidirectional):
        return sum(
            _layer_flops(half, shape)
            for half in (layer.forward_layer, layer.backward_layer)
        )
    if not any(len(weight.shape) > 1 for weight in layer.weights):
        return 0
    if isinstance(layer, layers.RNN):
        steps = shape[1]
        kernels = (layer.cell.kernel, layer.cell.recurrent_kernel)
        return 2 * _product([steps], layer) * sum(map(_size, kernels))
    if isinstance(layer, layers.Dense):
        return 2 * _product(shape[1:-1], layer) * _size(layer.kernel)
    if isinstance(layer, RegionAttention):
        once = _size(layer.reduce[0]) + _size(layer.expand[0])
        return 2 * (_product(shape[1:-1], layer) * _size(layer.buffer[0]) + once)
    if isinstance(layer, AttendedConv2D):  # "same", as over full-size planes
        return 2 * _product(shape[1:-1], layer) * _size(layer.kernel)
    # Every place of the output, or of a transposed convolution's input, meets
    # the whole kernel once; each kernel already spans one group's channels.
    if isinstance(layer, _TRANSPOSED):
        return 2 * _product(shape[1:-1], layer) * _size(layer.kernel)
    places = layer.compute_output_shape(shape)[1:-1]
    if isinstance(layer, _DEPTHWISE + _CONVOLUTIONS):
        return 2 * _product(places, layer) * _size(layer.kernel)
    raise ValueError(
        f"Cannot count the layer {layer.name!r}, a {type(layer).__name__}."
    )


def _size(kernel):
    return math.prod(kernel.shape)


def _product(sizes, layer):
    if any(size is None for size in sizes):
        raise ValueError(
            f"The layer {layer.name!r} must have inputs of known size. "
            f"Received: {tuple(sizes)}."
        )
    return math.prod(sizes)


def _first_shape(node):
    """Shape of the first tensor among the arguments of a call."""
    pending = [node["args"], node["kwargs"]]
    while pending:
        value = pending.pop(0)
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                return tuple(value["config"]["shape"])
            value = list(value.values())
        if isinstance(value, list | tuple):
            pending = [*value, *pending]
    return ()
