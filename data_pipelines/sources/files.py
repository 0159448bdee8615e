"""Label files from outside: read in a stream, and trusted in nothing.

A file that is not what it must be raises a DataError; a row that is not becomes
a Reject, by file and line.
"""

import codecs
import csv
import hashlib
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from data_pipelines.sources.sample import (
    DataError,
    OptionError,
    OutOfRange,
    Source,
    resolve_inside,
)
from fer_tf.utils.hashing import sha256

# Longer than any owner's line (AffectNet's 68 points take 2 kB), and short
# enough that a file without line ends is not read into memory.
_LONGEST_LINE = 2**20
_LARGEST_ARRAY_FILE = 2**16
# Of a picture, the fingerprint reads four pieces of so many bytes.
_PIECE = 2**14
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


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


def require_outside(source: Source, path: str) -> None:
    """Refuses to write into the data: it would become a file of theirs.

    Args:
        source: Of the data.
        path: File or folder that is to be written.

    Raises:
        DataError: If it lies inside the source's folder, or is it.
    """
    if not source.folder:
        return
    inside = os.path.realpath(path) + os.sep
    if inside.startswith(os.path.realpath(source.folder) + os.sep):
        raise DataError(f"{path}: lies inside the source folder {source.folder}")


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


def number(text: str, what: str) -> float:
    """A finite number from text.

    Raises:
        DataError: If it is none; the message names `what`.
    """
    try:
        # Python reads "1_0" as ten.
        value = math.nan if "_" in text else float(text)
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
        OutOfRange: If it lies outside; the message names `what`.
    """
    if not -1 <= value <= 1:
        raise OutOfRange(f"{what} must lie in [-1, 1], is {value:g}")
    return value


def present(text: str, what: str) -> int:
    """Whether an action unit is present: 1, or 0.

    Raises:
        DataError: If it is neither; the message names `what`.
    """
    value = whole_number(text, what)
    if value not in (0, 1):
        raise OutOfRange(f"{what} must be 0 or 1, is {value}")
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


def numbers_file(root: str, name: str) -> list[float]:
    """All numbers of a small text file, separated by white space or commas.

    Raises:
        DataError: If the file holds anything else.
    """
    words = []
    for line in text_lines(root, name):
        words += line.replace(",", " ").split()
    return [number(word, name) for word in words]


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
    # NumPy's reader raises whatever it stumbles over in a damaged file: TokenError,
    # EOFError, MemoryError, ...
    try:
        array = np.load(path, allow_pickle=False)
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{name}: not a whole .npy file ({reason[:100]})") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biufSU":
        raise DataError(f"{name}: not an array of numbers or texts")
    if array.dtype.kind == "U":
        # Python ends in an error of its own over characters that there are none of.
        codes = np.atleast_1d(array).view(array.dtype.byteorder + "u4")
        if codes.size and codes.max() > sys.maxunicode:
            raise DataError(f"{name}: not an array of texts")
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
        size, some = _glance(os.path.join(root, path))
        digest.update(_line(path, size))
        digest.update(some)
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
        some = b""
        for part in range(4):
            file.seek(part * (size - _PIECE) // 3)
            some += file.read(_PIECE)
        return size, some


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
