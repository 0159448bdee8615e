"""Gradients with respect to arrays, on every backend: `keras.ops` has none."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops


def value_and_gradients(
    function: Callable, arrays: Sequence[np.ndarray]
) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """Evaluates a function of tensors and differentiates it.

    Args:
        function: Takes one float32 tensor for each array and returns a scalar,
            which is differentiated, and a dict of tensors, which is not.
        arrays: Where; float32.

    Returns:
        The dict, and one gradient for each array, 0 where the scalar does not
        depend on it.

    Raises:
        NotImplementedError: If the Keras backend has no gradients.
    """
    backend = keras.backend.backend()
    if backend not in _BACKENDS:
        raise NotImplementedError(
            f"The Keras backend must be one of {', '.join(_BACKENDS)}. "
            f"Received: {backend}."
        )
    arrays = [np.asarray(array, np.float32) for array in arrays]
    values, gradients = _BACKENDS[backend](function, arrays)
    return (
        {name: ops.convert_to_numpy(value) for name, value in values.items()},
        [
            np.zeros_like(array) if grad is None else ops.convert_to_numpy(grad)
            for array, grad in zip(arrays, gradients)
        ],
    )


def _tensorflow(function, arrays):
    import tensorflow as tf

    tensors = [tf.constant(array) for array in arrays]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensors)
        scalar, values = function(*tensors)
    return values, tape.gradient(scalar, tensors)


def _jax(function, arrays):
    import jax

    # Compiled as one: an eager call would compile operation by operation.
    differentiate = jax.jit(jax.grad(function, tuple(range(len(arrays))), has_aux=True))
    gradients, values = differentiate(*map(ops.convert_to_tensor, arrays))
    return values, gradients


def _torch(function, arrays):
    import torch

    tensors = [ops.convert_to_tensor(array).requires_grad_() for array in arrays]
    scalar, values = function(*tensors)
    gradients = torch.autograd.grad(scalar, tensors, allow_unused=True)
    return {name: value.detach() for name, value in values.items()}, gradients


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
