"""Reads published weight files and assigns them, each variable exactly once.

A weight file is untrusted: what is read here is numbers, never code. HDF5 files
may hold links to other files, data stored outside the file and objects; each is
an error, and so is every name, shape or value that is not expected.
"""

import contextlib
import os
import re
from collections.abc import Iterable, Mapping

import keras
import numpy as np

from fer_tf.utils.hashing import sha256
from fer_tf.utils.hdf5_files import open_numbers


def check_sha256(path: str | os.PathLike, expected: str | None = None) -> None:
    """Prints a file's digest; compares it where one is expected.

    The line has the form of `sha256sum`, so `sha256sum --check` reads it.

    Raises:
        ValueError: If the digest is not `expected`.

    Example:
        >>> with open("weights.h5", "wb") as file:
        ...     _ = file.write(b"abc")
        >>> check_sha256("weights.h5")
        ba7816bf8f01cfea...15ad  weights.h5
    """
    digest = sha256(path)
    print(f"{digest}  {os.fspath(path)}")
    if expected is not None and digest != expected.strip().lower():
        raise ValueError(
            f"The sha256 of {os.fspath(path)} must be {expected}. Received: {digest}."
        )


def read_h5(path: str | os.PathLike) -> dict[str, dict[str, np.ndarray]]:
    """Reads a weight file that Keras 2 wrote (`save_weights` or `save`, .h5).

    Args:
        path: HDF5 file whose root, or whose group `model_weights`, lists its
            layers in the attribute `layer_names`.

    Returns:
        `{layer: {weight: array}}`, in the file's order, with layers that have
        no weights left out. A weight is the last part of its name without the
        output number: "kernel" for `conv1/7x7_s2/kernel:0`.

    Raises:
        ValueError: If the file is not such a file, holds anything that
            `fer_tf.utils.hdf5_files` refuses, values that are not finite, or one name
            twice.
    """
    with open_numbers(path) as (file, _), _named(path):
        root = file
        if "layer_names" not in file.attrs and "model_weights" in file:
            root = file["model_weights"]
        layers, read = {}, set()
        for layer in _names(root, "layer_names"):
            if layer in layers:
                raise ValueError(f"lists the layer {layer!r} twice")
            layers[layer] = _weights_of(_member(root, layer), layer, read)
    return {layer: weights for layer, weights in layers.items() if weights}


def read_safetensors(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads a safetensors file: `{name: array}`.

    Needs the package `safetensors` (the extra `fer-tf[convert]`).

    Raises:
        ImportError: If `safetensors` is not installed.
        ValueError: If it is no such file, or a value is not finite.
    """
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "Reading safetensors needs `pip install safetensors`."
        ) from error
    try:
        tensors = safetensors.numpy.load_file(path)
    except OSError:
        raise
    except Exception as error:
        # Of a type that NumPy lacks, such as F8, it is AttributeError or KeyError.
        raise ValueError(
            f"{os.fspath(path)} must be a safetensors file of numbers that NumPy "
            f"has. Received: {error!r}."
        ) from error
    with _named(path):
        return {name: _finite(array, name) for name, array in tensors.items()}


def assign(
    model: keras.Model,
    values: Mapping[str, np.ndarray] | Iterable[tuple[str, np.ndarray]],
    *,
    only: str = ".*",
) -> list[str]:
    """Assigns every weight of a model, or of a part of it, exactly once.

    Nothing is assigned unless everything fits.

    Args:
        model: Built model.
        values: Variable path to array, as a mapping or as pairs.
        only: Regular expression that matches, from its start, the paths of the
            weights to assign: the backbone's, when a head is to stay.

    Returns:
        The paths assigned, in the model's order.

    Raises:
        ValueError: If a weight has no value, a value no weight, two values or
            two weights have one path, a shape differs, or `only` matches none.

    Example:
        >>> image = keras.Input((2,))
        >>> head = keras.layers.Dense(1, use_bias=False, name="head")(image)
        >>> assign(keras.Model(image, head), {"head/kernel": np.ones((2, 1))})
        ['head/kernel']
    """
    pairs = values.items() if isinstance(values, Mapping) else values
    arrays, twice = {}, []
    for path, value in pairs:
        if path in arrays:
            twice.append(path)
        arrays[path] = value
    weights = {}
    for weight in model.weights:
        if re.match(only, weight.path):
            if weight.path in weights:
                twice.append(weight.path)
            weights[weight.path] = weight
    problems = [
        *([] if weights else [f"no weight matches {only!r}"]),
        *(f"{path} is assigned twice" for path in twice),
        *(f"{path} is missing" for path in weights if path not in arrays),
        *(f"{path} is unexpected" for path in arrays if path not in weights),
        *(
            f"{path} must have shape {tuple(weights[path].shape)}, "
            f"received {np.shape(arrays[path])}"
            for path in weights
            if path in arrays and tuple(weights[path].shape) != np.shape(arrays[path])
        ),
    ]
    if problems:
        rest = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise ValueError(f"Weights do not fit: {'; '.join(problems[:5])}{rest}.")
    for path, weight in weights.items():
        weight.assign(arrays[path])
    return list(weights)


@contextlib.contextmanager
def _named(path):
    """Puts the name of the file before the message of an error."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None


def _weights_of(group, layer, read):
    """`{weight: array}` of a layer's group; refuses an array that was `read` before."""
    weights = {}
    for full_name in _names(group, "weight_names"):
        name = re.sub(r":\d+$", "", full_name).rsplit("/", 1)[-1]
        if name in weights:
            raise ValueError(f"layer {layer!r} holds {name!r} twice")
        array = _member(group, full_name)
        if getattr(getattr(array, "dtype", None), "kind", None) != "f":
            raise ValueError(f"{full_name!r} must hold floating-point numbers")
        if array.name in read:
            raise ValueError(f"{array.name!r} is listed twice")
        read.add(array.name)
        weights[name] = _finite(array[()], full_name)
    return weights


def _member(group, name):
    """A member of a group, which must be there because a list names it."""
    if name not in group:
        raise ValueError(f"{name!r} is listed, but not in the file")
    return group[name]


def _names(group, attribute):
    """A list of names; Keras splits long ones: `layer_names0`, `layer_names1`."""
    keys = set(group.attrs)
    chunks = []
    if attribute in keys:
        chunks = [attribute]
    else:
        while f"{attribute}{len(chunks)}" in keys:
            chunks.append(f"{attribute}{len(chunks)}")
    if not chunks:
        raise ValueError(
            f"an HDF5 weight file of Keras 2 must list its {attribute!r}; "
            f"{group.name!r} does not"
        )
    names = [name for key in chunks for name in np.ravel(group.attrs[key])]
    if not all(isinstance(name, (bytes, str)) for name in names):
        raise ValueError(f"{group.name!r}: {attribute!r} must be names")
    return [n.decode("utf-8") if isinstance(n, bytes) else n for n in names]


def _finite(array, name):
    if not np.isfinite(array).all():
        raise ValueError(f"{name!r} must be finite, and holds NaN or infinity")
    return array
