"""Weight files from strangers: numbers go into a model that we built, or nothing.

Every way in which an HDF5 or `.keras` file can reach beyond itself, or hold more
than it seems to, is an error of one line. Keras refuses most of it too, but not in
the oldest version that we run on.
"""

import os
import warnings

import keras
import numpy as np

# Keras finds our layers in a `.keras` file once the models have been imported.
from fer_tf import models  # noqa: F401

MAX_BYTES = 4 << 30
"""What a file of weights may take; the papers' largest model takes 0.6 GB."""


def read_weights(path: str, model: keras.Model) -> None:
    """Loads a `.weights.h5` file into a model.

    Raises:
        ValueError: If the file is damaged, reaches outside itself, or does not
            fit the model.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            _check(file, os.path.getsize(path))
    except (OSError, RuntimeError, KeyError) as error:
        # What h5py says of a damaged file depends on where the damage is.
        raise ValueError(f"{path}: not a readable HDF5 file ({_line(error)})") from None
    except _Refused as error:
        raise ValueError(f"{path}: {error}") from None
    try:
        with warnings.catch_warnings(record=True) as noted:
            warnings.simplefilter("always", UserWarning)
            model.load_weights(path)
    except Exception as error:
        raise ValueError(
            f"{path}: does not fit the model {model.name!r} ({_line(error)})"
        ) from error
    for warning in noted:
        # Keras warns where it leaves a layer with the random weights it had.
        if issubclass(warning.category, UserWarning):
            raise ValueError(
                f"{path}: does not fit the model {model.name!r} ({warning.message})"
            )
    check_finite(path, model)


def read_whole(path: str) -> keras.Model:
    """Loads a whole model from a `.keras` file, never running code from it.

    Raises:
        ValueError: If the file is damaged, or holds what Keras' safe mode refuses,
            such as a `Lambda` layer.
    """
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise ValueError(f"{path}: cannot be loaded safely ({_line(error)})") from error
    check_finite(path, model)
    return model


def check_finite(path: str, model: keras.Model) -> None:
    """Raises a ValueError if a weight is NaN or infinite."""
    for weight in model.weights:
        if not np.isfinite(weight.numpy()).all():
            raise ValueError(f"{path}: {weight.path} is NaN or infinite")


class _Refused(ValueError):
    """What a file must not hold."""


def _check(file, room):
    """Raises unless every object of an HDF5 file is its own and is what it says."""
    import h5py

    declared, seen, groups = 0, set(), [file]
    while groups:
        group = groups.pop()
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise _Refused(f"{where} is a link to elsewhere, and is refused")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise _Refused(f"{where} is another name of something named before")
            seen.add(address)
            if isinstance(item, h5py.Group):
                groups.append(item)
                continue
            if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiu":
                raise _Refused(f"{where} holds no numbers")
            if item.external or item.is_virtual:
                raise _Refused(f"{where} lies outside the file, and is refused")
            # Keras stores weights as they are: nothing compressed, nothing left out.
            declared += item.nbytes
            if declared > room:
                raise _Refused(f"{where} declares more bytes than the file has")


def _line(error):
    """The line of a message that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].startswith("A total of"):
        return lines[1]
    return lines[0] if lines else type(error).__name__
