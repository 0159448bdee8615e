"""Label files from strangers: read as a stream, with every value checked.

A file that is not as expected raises a DataError. A row that is not becomes a Reject,
named by file and line.
"""

import codecs
import csv
import hashlib
import os
import sys
from collections.abc import Iterator

import numpy as np

from data_pipelines.sources import label_values
from data_pipelines.sources.errors import DataError
from data_pipelines.sources.paths import resolve_inside

# Longer than any owner's line (AffectNet's 68 points take 2 kB), and short
# enough that a file without line ends is not read into memory.
_LONGEST_LINE = 2**20
_LARGEST_ARRAY_FILE = 2**16
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_lines(root: str, name: str) -> Iterator[str]:
    """Lines of a text file, without their ends; bad UTF-8 becomes U+FFFD.

    Args:
        root: Folder of the data set.
        name: Relative path of the file, and what messages call it.

    Raises:
        DataError: If it is no text file inside the folder, or a line is longer
            than any owner's.
    """
    path = resolve_inside(root, name)
    # Opening a pipe would wait for ever.
    if not os.path.isfile(path):
        raise DataError(f"{name}: not a file")
    with open(path, "rb") as file:
        number = 0
        while line := file.readline(_LONGEST_LINE + 1):
            number += 1
            if len(line) > _LONGEST_LINE:
                raise DataError(f"{name}, line {number}: longer than 1 MiB")
            if number == 1 and line.startswith(_UTF16):
                raise DataError(f"{name}: is UTF-16; save it as UTF-8")
            encoding = "utf-8-sig" if number == 1 else "utf-8"
            yield line.decode(encoding, "replace").rstrip("\r\n")


def numbered_lines(root: str, name: str) -> Iterator[tuple[str, str]]:
    """`("labels.csv, line 7", text)` of each line that is not blank."""
    for number, text in enumerate(text_lines(root, name), 1):
        if text.strip():
            yield f"{name}, line {number}", text


def csv_fields(text: str, width: int | None = None) -> list[str]:
    """The fields of one line of a CSV, without surrounding spaces.

    No owner's field holds a line end, so a line is a row: a stray quotation mark
    spoils its own line and no other.

    Raises:
        DataError: If it is no such line, or has not `width` fields.
    """
    if "\ufffd" in text:
        raise DataError("not valid UTF-8")
    try:
        (fields,) = csv.reader([text], strict=True)
    except csv.Error as error:
        raise DataError(f"not a row of a CSV: {error}") from error
    if width is not None and len(fields) != width:
        raise DataError(f"{len(fields)} fields, not {width}")
    return [field.strip() for field in fields]


def numbers_file(root: str, name: str) -> list[float]:
    """All numbers of a small text file, separated by white space or commas.

    Raises:
        DataError: If the file holds anything else.
    """
    words = []
    for line in text_lines(root, name):
        words += line.replace(",", " ").split()
    return [label_values.number(word, name) for word in words]


def array_file(root: str, name: str) -> np.ndarray:
    """The array of a small `.npy` file; objects are never unpickled.

    Raises:
        DataError: If it is not one.
    """
    path = resolve_inside(root, name)
    if not os.path.isfile(path):
        raise DataError(f"{name}: no such file")
    if os.path.getsize(path) > _LARGEST_ARRAY_FILE:
        raise DataError(f"{name}: too large for an annotation")
    # NumPy's reader raises many kinds of errors over a damaged file: TokenError,
    # EOFError, MemoryError, ...
    try:
        array = np.load(path, allow_pickle=False)
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{name}: not a whole .npy file ({reason[:100]})") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biufSU":
        raise DataError(f"{name}: not an array of numbers or texts")
    if array.dtype.kind == "U":
        # Python crashes over code points beyond its largest.
        codes = np.atleast_1d(array).view(array.dtype.byteorder + "u4")
        if codes.size and codes.max() > sys.maxunicode:
            raise DataError(f"{name}: not an array of texts")
    return array


class Seen:
    """The names that came before, in about a hundred bytes a name."""

    def __init__(self):
        self._digests = set()

    def add(self, name: str) -> bool:
        """Notes a name; returns whether it is new."""
        digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8)
        size = len(self._digests)
        self._digests.add(int.from_bytes(digest.digest(), "big"))
        return len(self._digests) > size
