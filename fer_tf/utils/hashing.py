"""sha256: of files, to identify data and weights; of names, to deal them out."""

import hashlib
import os


def sha256(path: str | os.PathLike) -> str:
    """sha256 of a file, as hex.

    Example:
        >>> with open("file", "wb") as file:
        ...     _ = file.write(b"abc")
        >>> sha256("file")[:12]
        'ba7816bf8f01'
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tenth(name: str) -> int:
    """The tenth, 0 to 9, that a name falls into; the same on every machine.

    Example:
        >>> [tenth(name) for name in ("S005", "S010", "S011")]
        [1, 3, 9]
    """
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10
