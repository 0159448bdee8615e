"""Whether the files of a source are still the same ones."""

import hashlib
import os
from collections.abc import Iterable

from data_pipelines.sources.paths import resolve_inside
from fer_tf.utils.hashing import sha256

# Of a picture, the fingerprint reads four pieces of so many bytes.
_PIECE = 2**14


def of_files(
    root: str,
    *,
    contents: Iterable[str] = (),
    listed: Iterable[str] = (),
    text: str = "",
) -> str:
    """sha256 of what decides a source's samples, the same on every machine.

    Of pictures, which may be millions, the size and 64 KiB count: all of a crop, of
    a larger one four pieces, spread evenly. Another photograph is always noticed,
    an edit of some pixels in an uncompressed file of the same size need not be. The
    time of the last change does not count, in which copies differ.

    Args:
        root: Folder of the data set.
        contents: Relative paths of files that count with all their bytes.
        listed: Of pictures, which count with their name, their size and some bytes.
        text: Whatever else decides, such as options.
    """
    digest = hashlib.sha256(text.encode())
    for path in contents:
        digest.update(_line(path, sha256(resolve_inside(root, path))))
    for path in listed:
        size, content = _glance(os.path.join(root, path))
        digest.update(_line(path, size))
        digest.update(content)
    return digest.hexdigest()


def _glance(path):
    """Size of a file, and all of its bytes or four pieces of them."""
    if not os.path.isfile(path):
        # Such as a link that leads nowhere: `load` will say so.
        return os.lstat(path).st_size, b""
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= 4 * _PIECE:
            return size, file.read(4 * _PIECE)
        content = b""
        for part in range(4):
            file.seek(part * (size - _PIECE) // 3)
            content += file.read(_PIECE)
        return size, content


def _line(name, value):
    return f"{name}\0{value}\n".encode("utf-8", "surrogateescape")
