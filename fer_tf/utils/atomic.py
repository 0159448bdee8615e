"""Files that appear whole or not at all."""

import contextlib
import errno
import json
import os
import shutil
import socket

from fer_tf.utils.disk import clear, name_file

try:
    import fcntl
except ImportError:  # Not on Windows.
    fcntl = None

# On a shared folder, processes of two machines may have the same number.
_HOST = socket.gethostname()


@contextlib.contextmanager
def replacing(path: str):
    """Yields a temporary path that becomes `path` if the block succeeds.

    The temporary file lies beside `path` and keeps its extension, by which some writers
    choose the format. On any error it is removed, and `path` stays as it was.

    Raises:
        OSError: If it cannot be written, with `path` as its file name.

    Example:
        >>> with replacing("names.txt") as temporary:
        ...     with open(temporary, "w") as file:
        ...         _ = file.write("whole")
        >>> open("names.txt").read()
        'whole'
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".part-{_HOST}-{os.getpid()}-{name}")
    try:
        clear(temporary)
        yield temporary
        # Windows flushes only what is open for writing.
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        clear(temporary)
        if isinstance(error, OSError) and error.filename in (None, temporary):
            name_file(error, path)
        raise


@contextlib.contextmanager
def new_folder(path: str):
    """Yields a temporary folder that becomes `path` if the block succeeds.

    It lies beside `path`, and is removed on any error.

    Raises:
        FileExistsError: If `path` is there and not an empty folder.
    """
    folder, name = os.path.split(os.path.abspath(path))
    if os.path.lexists(path) and (not os.path.isdir(path) or os.listdir(path)):
        raise FileExistsError(errno.EEXIST, "exists and is not an empty folder", path)
    temporary = os.path.join(folder, f".part-{os.getpid()}-{name}")
    # A killed run may have left one.
    shutil.rmtree(temporary, ignore_errors=True)
    os.makedirs(temporary)
    try:
        yield temporary
        os.replace(temporary, os.path.join(folder, name))
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError) and error.filename is None:
            name_file(error, path)
        raise


@contextlib.contextmanager
def locked(path: str):
    """Locks a folder for this process by a file in it, which is removed afterwards.

    Does nothing on Windows, which has no such locks and removes no open file.

    Raises:
        OSError: If another process holds it.
    """
    if fcntl is None:
        yield
        return
    with _held(path):
        try:
            yield
        finally:
            # Removed while locked: afterwards it may be another process's.
            with contextlib.suppress(OSError):
                os.remove(path)


def _held(path):
    """The lock file, open and locked."""
    while True:
        file = open(path, "w", encoding="utf-8", opener=_without_links)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
            file.close()  # Replaced since it was opened.
        except FileNotFoundError:
            file.close()  # Removed by the process that held it.
        except OSError as error:
            file.close()
            folder = os.path.dirname(path)
            raise OSError(f"{folder}: another process is at work here") from error


def _without_links(path, flags):
    """Opens a file but follows no link, since that would empty a file elsewhere."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def write_text(path: str, text: str) -> None:
    """Writes a UTF-8 text file, atomically."""
    with replacing(path) as temporary:
        # File names need not be valid text. Invalid characters are escaped.
        with open(temporary, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)


def read_json(path: str) -> dict:
    """Reads a file of `write_json`; a missing file is an empty dict.

    Raises:
        ValueError: If it is damaged.
    """
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        try:
            return json.load(file)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: not valid JSON ({error})") from error


def write_json(path: str, value) -> None:
    """Writes indented JSON with a final newline, atomically.

    Example:
        >>> write_json("facts.json", {"faces": 2})
        >>> read_json("facts.json")
        {'faces': 2}
    """
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
