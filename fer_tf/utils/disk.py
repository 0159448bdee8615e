"""Files about to be written: what is in their way, room for them, and their names."""

import contextlib
import os

_BLOCK = bytes(1 << 20)


def clear(path: str) -> None:
    """Removes what lies where a temporary file is to be written.

    It is what a killed run has left, or a link, which would be written through.
    """
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)


def require_room(path: str, size: int) -> None:
    """Raises unless a file of so many bytes can be written; `path` is removed again.

    For what HDF5 writes: where a disk fills up beneath it, the process ends in a
    memory fault.

    Raises:
        OSError: If there is no room, with `path` as its file name.

    Example:
        >>> require_room("weights.h5", 1_000)
    """
    try:
        with open(path, "wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, max(size, 1))
            else:
                for start in range(0, size, len(_BLOCK)):
                    file.write(_BLOCK[: size - start])
    except OSError as error:
        name_file(error, path)
        raise
    finally:
        clear(path)


def name_file(error: OSError, path: str) -> None:
    """Gives an error the name of the file that was to be written.

    A write that failed, unlike an open, does not say of what; HDF5 says it among much
    else, and a temporary name means nothing to a user.
    """
    # NumPy's "8 requested and 0 written" has no number.
    error.strerror = os.strerror(error.errno) if error.errno else str(error)
    error.filename = path
