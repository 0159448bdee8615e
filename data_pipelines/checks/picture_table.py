"""The facts that verification keeps about each picture of a data set."""

import array
import hashlib
import tempfile

import cv2
import numpy as np

from fer_tf.utils.disk import name_file

SIDE = 24
"""Side of a thumbnail."""

_DIGEST = 16
# A picture with less contrast than this shows nothing.
_FLAT = 8


def thumbnail(image: np.ndarray) -> np.ndarray:
    """A small grey copy, uint8 `(SIDE, SIDE)`, of uint8 grey or RGB."""
    grey = image if image.ndim == 2 else image[..., 0]
    if image.ndim == 3 and image.shape[-1] == 3:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def digest(image: np.ndarray) -> bytes:
    """16 bytes that differ between different pictures."""
    hashed = hashlib.blake2b(repr(image.shape).encode(), digest_size=_DIGEST)
    hashed.update(np.ascontiguousarray(image))
    return hashed.digest()


def is_blank(thumbs: np.ndarray) -> np.ndarray:
    """Whether thumbnails, `(..., SIDE, SIDE)`, have next to no contrast."""
    low, high = thumbs.min(axis=(-2, -1)), thumbs.max(axis=(-2, -1))
    return high - low < _FLAT


class PictureTable:
    """A row per picture: 27 bytes in memory; name and thumbnail in temporary files.

    Attributes:
        split_names: Name of each number in `splits`.
        label_names: Of each number in `labels`.
    """

    def __init__(self):
        self._names, self._thumbs = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self._offsets, self._digests = array.array("q"), bytearray()
        self._splits, self._labels = array.array("B"), array.array("H")
        self.split_names: list[str] = []
        self.label_names: list[str] = []

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, name, split, label, picture_digest, thumb) -> None:
        """Appends a row."""
        self._offsets.append(self._names.tell())
        try:
            self._names.write(name.encode("utf-8", "backslashreplace") + b"\n")
            self._thumbs.write(thumb.tobytes())
        except OSError as error:  # The disk is full.
            name_file(error, tempfile.gettempdir())
            raise
        self._digests += picture_digest
        self._splits.append(_number(self.split_names, split))
        self._labels.append(_number(self.label_names, label))

    @property
    def splits(self) -> np.ndarray:
        """uint8 `(n,)`."""
        return np.array(self._splits, np.uint8)

    @property
    def labels(self) -> np.ndarray:
        """uint16 `(n,)`."""
        return np.array(self._labels, np.uint16)

    @property
    def digests(self) -> np.ndarray:
        """uint64 `(n, 2)`."""
        return np.frombuffer(bytes(self._digests), np.uint64).reshape(-1, 2)

    def thumbs(self) -> np.ndarray:
        """uint8 `(n, SIDE, SIDE)`, mapped from the disk."""
        self._thumbs.flush()
        shape = len(self), SIDE, SIDE
        return np.memmap(self._thumbs, np.uint8, "r", shape=shape)

    def describe(self, row: int) -> str:
        """A row in words; no row may be added after this."""
        split = self.split_names[self._splits[row]]
        label = self.label_names[self._labels[row]]
        return f"{self.name(row)} ({split}, {label})"

    def name(self, row: int) -> str:
        """A row's name; no row may be added after this."""
        self._names.seek(self._offsets[row])
        return self._names.readline().decode().rstrip("\n")


def _number(names, name):
    if name not in names:
        names.append(name)
    return names.index(name)
