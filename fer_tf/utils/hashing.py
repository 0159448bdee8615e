"""sha256 of files, which identifies data and weights."""

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
