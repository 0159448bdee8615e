"""Label files from outside: read in a stream, and trusted in nothing.

A file that is not what it must be raises a DataError; a row that is not becomes
a Reject, by file and line.
"""

import csv
import hashlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from data_pipelines.sources.sample import DataError, OptionError

# Longer than any owner's line (AffectNet's 68 points take 2 kB), and short
# enough that a file without line ends is not read into memory.
_LONGEST_LINE = 2**20
_LARGEST_ARRAY_FILE = 2**16


def check_options(
    dataset: str, allowed: Mapping[str, tuple[str, ...]], given: Mapping[str, object]
) -> dict[str, str | None]:
    """Options of a source, complete; one that is not given is None.

    Raises:
        OptionError: If an option or its value is unknown.
    """
    for key, value in given.items():
        if key not in allowed:
            known = ", ".join(allowed) or "none"
            raise OptionError(f"{dataset} has no option {key!r}; it has: {known}")
        if str(value) not in allowed[key]:
            raise OptionError(
                f"{dataset}: {key} must be one of {', '.join(allowed[key])}. "
                f"Received: {key}={value}"
            )
    return {key: str(given[key]) if key in given else None for key in allowed}


def text_lines(path: str, name: str) -> Iterator[str]:
    """Lines of a text file, without their ends; bad UTF-8 becomes U+FFFD.

    Args:
        path: Where the file is.
        name: What messages call it.

    Raises:
        DataError: If a line is longer than any owner's.
    """
    with open(path, "rb") as file:
        number = 0
        while line := file.readline(_LONGEST_LINE + 1):
            number += 1
            if len(line) > _LONGEST_LINE:
                raise DataError(f"{name}, line {number}: longer than 1 MiB")
            encoding = "utf-8-sig" if number == 1 else "utf-8"
            yield line.decode(encoding, "replace").rstrip("\r\n")


def csv_rows(path: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV that are not empty, with the number of the line each ends on.

    Raises:
        DataError: If it cannot be a CSV.
    """
    # Kept line ends let a quoted field hold one.
    reader = csv.reader(line + "\n" for line in text_lines(path, name))
    try:
        for row in reader:
            if row:
                yield reader.line_num, [field.strip() for field in row]
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num}: {error}") from error


def number(text: str, what: str) -> float:
    """A finite number from text.

    Raises:
        DataError: If it is none; the message names `what`.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{what} must be a number, is {text[:40]!r}")
    return value


def whole_number(text: str, what: str) -> int:
    """A whole number from text ("3", "3.0", "  3.0000000e+00").

    Raises:
        DataError: If it is none; the message names `what`.
    """
    value = number(text, what)
    if value != int(value):
        raise DataError(f"{what} must be a whole number, is {text[:40]!r}")
    return int(value)


def in_circumplex(value: float, what: str) -> float:
    """A valence or an arousal in [-1, 1].

    Raises:
        DataError: If it lies outside; the message names `what`.
    """
    if not -1 <= value <= 1:
        raise DataError(f"{what} must lie in [-1, 1], is {value:g}")
    return value


def points(values, count: int, what: str) -> list[list[float]]:
    """`count` points `[x, y]` from a flat list of numbers, or of texts.

    Raises:
        DataError: If there are more or fewer, one is not finite, or they lie on
            a single spot; the message names `what`.
    """
    values = list(values)
    if len(values) != 2 * count:
        raise DataError(
            f"{what}: {len(values)} numbers where there must be {2 * count}"
        )
    try:
        found = np.array(values, np.float64).reshape(count, 2)
    except ValueError as error:
        raise DataError(f"{what}: not all are numbers") from error
    if not np.isfinite(found).all():
        raise DataError(f"{what}: a point is not finite")
    if not np.ptp(found, axis=0).any():
        raise DataError(f"{what}: the points lie on a single spot")
    return found.tolist()


def numbers_file(path: str, name: str) -> list[float]:
    """All numbers of a small text file, separated by white space or commas.

    Raises:
        DataError: If the file holds anything else.
    """
    words = []
    for line in text_lines(path, name):
        words += line.replace(",", " ").split()
    return [number(word, name) for word in words]


def array_file(path: str, name: str) -> np.ndarray:
    """The array of a small `.npy` file; objects are never unpickled.

    Raises:
        DataError: If it is not one.
    """
    try:
        if os.path.getsize(path) > _LARGEST_ARRAY_FILE:
            raise DataError(f"{name}: too large for an annotation")
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"{name}: no such file") from error
    except (ValueError, OSError, EOFError, MemoryError) as error:
        raise DataError(f"{name}: {str(error).splitlines()[0]}") from error
    if not isinstance(array, np.ndarray):
        raise DataError(f"{name}: not a .npy file")
    return array


class Seen:
    """Which names came before, in about a hundred bytes a name."""

    def __init__(self):
        self._digests = set()

    def add(self, name: str) -> bool:
        """Notes a name; returns whether it is new."""
        digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8)
        size = len(self._digests)
        self._digests.add(int.from_bytes(digest.digest(), "big"))
        return len(self._digests) > size


def fingerprint(
    root: str,
    *,
    contents: Iterable[str] = (),
    listed: Iterable[str] = (),
    names: Iterable[str] = (),
    text: str = "",
) -> str:
    """sha256 of what decides a source's samples.

    Args:
        root: Folder of the data set.
        contents: Relative paths of files that count with all their bytes.
        listed: Of files that count with their name and size.
        names: Names that count as they are.
        text: Whatever else decides, such as options.
    """
    digest = hashlib.sha256(text.encode())
    for path in contents:
        with open(os.path.join(root, path), "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(_line(path, content))
    for path in listed:
        # Of a link, the link itself: it may lead nowhere.
        size = os.lstat(os.path.join(root, path)).st_size
        digest.update(_line(path, size))
    for name in names:
        digest.update(_line(name, ""))
    return digest.hexdigest()


def _line(name, value):
    return f"{name}\0{value}\n".encode("utf-8", "surrogateescape")


def folders(root: str) -> list[str]:
    """Names of the folders directly in a folder, sorted, without hidden ones."""
    with os.scandir(root) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        )


def find(root: str, *names: str) -> str | None:
    """Relative path of the first of `names` in `root` or a folder directly in it.

    Owners ship archives, and where a user unpacks each of them is not ours to
    say; one level is looked through, in sorted order.
    """
    if not os.path.isdir(root):
        return None
    for folder in ["", *folders(root)]:
        for name in names:
            path = f"{folder}/{name}" if folder else name
            if os.path.exists(os.path.join(root, path)):
                return path
    return None
