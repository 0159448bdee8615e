"""Before a file is written: clears its path, checks for room, names it in errors."""

import contextlib
import os

_BLOCK = bytes(1 << 20)


def clear(path: str) -> None:
    """Removes the file of a temporary path, which a killed run may have left.

    A link there would otherwise be followed, and the file behind it overwritten.
    """
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)


def require_room(path: str, size: int) -> None:
    """Raises unless a file of `size` bytes can be written; `path` is removed again.

    HDF5 needs this: if the disk fills up while it writes, the process crashes.

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

    A failed write, unlike a failed open, does not name the file. HDF5 names it in the
    middle of a long message, and a temporary name means nothing to a user.
    """
    # NumPy's "8 requested and 0 written" has no number.
    error.strerror = os.strerror(error.errno) if error.errno else str(error)
    error.filename = path
