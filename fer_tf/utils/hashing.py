"""sha256 of files: what the data and the weights are known by."""

import hashlib


def sha256(path: str) -> str:
    """sha256 of a file, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
