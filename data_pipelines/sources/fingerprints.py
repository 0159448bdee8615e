"""Fingerprints: whether the files of a source are still the same."""

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
    """sha256 of everything that decides a source's samples, the same on every machine.

    There may be millions of pictures, so only the size and 64 KiB of each count: a
    crop as a whole, a larger file as four pieces, spread evenly. Another photograph is
    always noticed; an edit of a few pixels in an uncompressed file of the same size
    may not be. The time of the last change does not count: it differs between copies.

    Args:
        root: Folder of the data set.
        contents: Relative paths of files that count with all their bytes.
        listed: Relative paths of pictures, which count with their name, their size and
            some bytes.
        text: Everything else that decides, such as options.
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
