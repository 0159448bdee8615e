"""Full disks: room asked for before it is needed, and errors that say of what."""

import os

_BLOCK = bytes(1 << 20)


def require_room(path: str, size: int) -> None:
    """Raises unless a file of so many bytes can be written; `path` is removed again.

    For what HDF5 writes: where a disk fills up beneath it, the process ends in a
    memory fault.

    Raises:
        OSError: If there is no room, with `path` as its file name.
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
        if os.path.exists(path):
            os.remove(path)


def name_file(error: OSError, path: str) -> None:
    """Gives an error the name of the file that was to be written.

    A write that failed, unlike an open, does not say of what; HDF5 says it among much
    else, and a temporary name means nothing to a user.
    """
    # NumPy's "8 requested and 0 written" has no number.
    error.strerror = os.strerror(error.errno) if error.errno else str(error)
    error.filename = path
