"""Weight files, of weights alone or of a whole model, read safely; and written halved.

Of a stranger's weights only the numbers are read, into a model of ours. The file tells
how large a network it can fill; a card that describes a larger one is refused before
the network takes time or memory. A whole model is read in Keras' safe mode.
"""

import contextlib
import math
import os
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable

import keras
import numpy as np

from fer_tf.utils.hdf5_files import Holdings, open_numbers

MAX_BYTES = 4 << 30
"""Largest size of a file of weights; the papers' largest model takes 0.6 GB."""

# The members of a `.keras` file and their largest sizes.
_INNER_WEIGHTS = "model.weights.h5"
_MEMBERS = {
    _INNER_WEIGHTS: MAX_BYTES,
    "config.json": 16 << 20,
    "metadata.json": 1 << 20,
}
# Keras does not compress members. One that unpacks to more than this is a bomb.
_MAX_EXPANSION = 100


def read_weights(path: str, build: Callable[[], keras.Model]) -> keras.Model:
    """Builds a model and loads a `.weights.h5` file into it.

    Args:
        path: Of the file.
        build: Makes the model, with fresh weights.

    Raises:
        ValueError: If the file is damaged, reaches outside itself, or does not
            fit the model; before the model takes memory if it is much larger.
    """
    with open_numbers(path) as (_, holdings):
        pass
    with _room_for(holdings):
        model = build()
    try:
        with warnings.catch_warnings(record=True) as noted:
            warnings.simplefilter("always", UserWarning)
            model.load_weights(path)
    except Exception as error:
        raise ValueError(
            f"{path}: does not fit the model {model.name!r} ({first_line(error)})"
        ) from error
    for warning in noted:
        # Keras only warns if a layer keeps its random weights.
        if issubclass(warning.category, UserWarning):
            raise ValueError(
                f"{path}: does not fit the model {model.name!r} ({warning.message})"
            )
    check_finite(path, model)
    return model


def write_halved(path: str, model: keras.Model) -> None:
    """Writes a `.weights.h5` file of float16 numbers; `read_weights` reads it.

    Raises:
        ValueError: If a weight is beyond float16's range, 65504.
    """
    import h5py

    with tempfile.TemporaryDirectory() as folder:
        whole = os.path.join(folder, _INNER_WEIGHTS)
        model.save_weights(whole)
        with h5py.File(whole) as source, h5py.File(path, "w") as target:

            def copy(name, item):
                if isinstance(item, h5py.Group):
                    copied = target.create_group(name)
                else:
                    copied = target.create_dataset(name, data=_halved(item, name))
                copied.attrs.update(item.attrs)

            target.attrs.update(source.attrs)
            source.visititems(copy)


def _halved(item, name):
    """An array of a file in float16, if it is of floating-point numbers."""
    values = item[()]
    if values.dtype.kind != "f":
        return values
    with np.errstate(over="ignore"):
        halved = values.astype("float16")
    if not np.isfinite(halved).all():
        raise ValueError(f"{name} holds numbers beyond float16's range, 65504")
    return halved


def read_whole(path: str) -> keras.Model:
    """Loads a whole model from a `.keras` file, never running code from it.

    Raises:
        ValueError: If the file is damaged, unpacks to more than it may, or holds
            what Keras' safe mode refuses, such as a `Lambda` layer.
    """
    try:
        holdings = _check_archive(path)
        with _room_for(holdings):
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        line = first_line(error).removeprefix(f"{path}: ")
        raise ValueError(f"{path}: cannot be loaded safely ({line})") from error
    check_finite(path, model)
    return model


def check_finite(path: str, model: keras.Model) -> None:
    """Raises a ValueError if a weight is NaN or infinite."""
    for weight in model.weights:
        if not np.isfinite(weight.numpy()).all():
            raise ValueError(f"{path}: {weight.path} is NaN or infinite")


def _check_archive(path):
    """The `Holdings` of a `.keras` file, once its members are known to be no bombs."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        if sorted(names) != sorted(_MEMBERS):
            raise ValueError(f"must hold {', '.join(_MEMBERS)}, holds {names[:5]}")
        for member in members:
            stored, unpacked = member.compress_size, member.file_size
            if (
                unpacked > _MEMBERS[member.filename]
                or unpacked > _MAX_EXPANSION * max(stored, 1)
            ):  # fmt: skip
                raise ValueError(
                    f"{member.filename} would unpack {stored:,} to {unpacked:,} bytes"
                )
        with tempfile.TemporaryFile() as file:
            with archive.open(_INNER_WEIGHTS) as member:
                shutil.copyfileobj(member, file)
            with open_numbers(file, path) as (_, holdings):
                return holdings


@contextlib.contextmanager
def _room_for(holdings: Holdings):
    """Stops the building of a model that has more weights than a file can fill.

    On TensorFlow that happens before the excess weight takes memory. On other backends
    every model is built.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    # A model that is only somewhat too large gets a message on where it does not fit.
    numbers = 2 * holdings.numbers + 100_000
    arrays = 2 * holdings.arrays + 100
    shapes = tf.Graph()

    def create(next_creator, **arguments):
        nonlocal numbers, arrays
        value = arguments["initial_value"]
        if callable(value):
            with shapes.as_default():  # A graph computes shapes, but no values.
                value = value()
        numbers, arrays = numbers - math.prod(value.shape), arrays - 1
        if numbers < 0 or arrays < 0:
            raise ValueError(
                f"the network is larger than its file, which holds "
                f"{holdings.numbers:,} numbers in {holdings.arrays:,} arrays"
            )
        if value.dtype.is_floating:  # The file holds it, so nothing is drawn.
            arguments["initial_value"] = lambda: tf.zeros(value.shape, value.dtype)
        return next_creator(**arguments)

    with tf.variable_creator_scope(create):
        yield


def first_line(error: Exception) -> str:
    """The first line of an error's message that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].startswith("A total of"):
        del lines[0]
    return lines[0][:1000] if lines else type(error).__name__
