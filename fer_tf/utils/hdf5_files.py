"""HDF5 files from strangers: only numbers, all of them in the file itself.

A file that refers to other files, or that declares more data than it has bytes, is
refused with a message of one line. Keras refuses most of this too, but not in the
oldest version that we support.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

# The papers' largest network has some 700 arrays, each in a group of its own.
_MAX_OBJECTS = 20_000


class Holdings(NamedTuple):
    """How much an HDF5 file holds: numbers in all, and arrays."""

    numbers: int
    arrays: int


@contextlib.contextmanager
def open_numbers(
    file: str | os.PathLike | BinaryIO, where: str | None = None
) -> Iterator[tuple]:
    """Opens an HDF5 file once every object in it has been checked.

    Weights are stored uncompressed, so a file cannot declare more data than it has
    bytes. This is checked before anything is read.

    Args:
        file: Path, or a binary file.
        where: What messages call it; the path by default.

    Yields:
        The `h5py.File` and its `Holdings`.

    Raises:
        ValueError: If the file is damaged, holds anything but numbers, holds links, two
            names of one object or data outside the file, or declares too much.
    """
    import h5py

    where = where or os.fspath(file)
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(h5py.File(file, "r"))
            holdings = _check(opened, _size(file))
        except _Refused as error:
            raise ValueError(f"{where}: {error}") from None
        except Exception as error:
            # The error that h5py raises depends on where the damage is.
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(f"{where}: not a readable HDF5 file ({line})") from None
        yield opened, holdings


class _Refused(ValueError):
    """What a file must not hold."""


def _size(file):
    if isinstance(file, (str, os.PathLike)):
        return os.path.getsize(file)
    return file.seek(0, os.SEEK_END)


def _check(file, room):
    """Checks every object of a file, and returns its `Holdings`."""
    import h5py

    declared, numbers, arrays, seen, groups = 0, 0, 0, set(), [file]
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
            if len(seen) > _MAX_OBJECTS:
                raise _Refused(f"holds more than {_MAX_OBJECTS:,} arrays and groups")
            if isinstance(item, h5py.Group):
                groups.append(item)
                continue
            _check_array(item, where)
            declared += item.nbytes
            numbers, arrays = numbers + item.size, arrays + 1
            if declared > room:
                raise _Refused(f"{where} declares more bytes than the file has")
    return Holdings(numbers, arrays)


def _check_array(item, where):
    """Raises unless an object is an array of numbers, stored in this file."""
    import h5py

    # An array without a dataspace has no shape.
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        raise _Refused(f"{where} holds no numbers")
    if item.external or item.is_virtual:
        raise _Refused(f"{where} lies outside the file, and is refused")
    try:
        kind = item.dtype.kind
    except TypeError:  # A type that NumPy does not have.
        kind = None
    if kind not in ("f", "i", "u"):
        raise _Refused(f"{where} holds no numbers")
