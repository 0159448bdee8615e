"""Faces and non-faces, for Meen et al.'s face-classification network.

Meen et al. built their set from Caltech, VGGFace2, CK+ and Places and did not
release it. This source reads any such set, as an npz with `image` (uint8
`(n, h, w)` or `(n, h, w, 3)`) and `is_face` (n), or as folders `face/` and
`nonface/`.
"""

import functools
import os
import zipfile
from collections.abc import Iterator

import numpy as np

from data_pipelines.sources import fingerprints, paths
from data_pipelines.sources.errors import DataError, clip
from data_pipelines.sources.sample import Reject, Sample
from data_pipelines.sources.source import Source
from fer_tf.dataset_facts import PEOPLE_UNRECORDED, DatasetFacts
from fer_tf.utils.hashing import sha256

# A member that unpacks to more than this, and to a hundred times its size, is a bomb.
_BOMB_SIZE, _BOMB_RATIO = 2**32, 100
_FOLDERS = {"face": True, "nonface": False}


class FaceNonface(Source):
    """Source of pictures with and without a face.

    A fifth of the pictures, by a hash of their pixels, is held out: a tenth
    as `validation`, a tenth as `test`.

    Raises:
        DataError: If neither layout is there.
    """

    name = "facenonface"
    facts = DatasetFacts(
        title="Faces and non-faces",
        pictures="Pictures of faces, and pictures without one, of any origin.",
        labels="Face or not.",
        people=PEOPLE_UNRECORDED,
        terms="Those of the sets that its pictures were taken from.",
        flaws="Nobody has checked that the pictures without a face hold none.",
    )
    citation = ""
    default_crop = "meen"
    default_detector = "none"
    published = None

    def __init__(self, root: str):
        self.root = root
        self.folder = root if os.path.isdir(root) else None
        self.layout = "npz" if os.path.isfile(root) else "folders"
        if self.layout == "npz":
            self._check_npz()
            return
        if not all(os.path.isdir(os.path.join(root, name)) for name in _FOLDERS):
            raise DataError(f"{root}: no npz, and no folders face/ and nonface/ here")

    @functools.cached_property
    def fingerprint(self) -> str:
        if self.layout == "npz":
            return sha256(self.root)
        return fingerprints.of_files(self.root, listed=self._files())

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the pictures in file order."""
        if self.layout == "npz":
            for index, is_face in enumerate(self._load_npz()["is_face"]):
                yield Sample(
                    sample_id=f"{index:06d}", frame=index, is_face=bool(is_face)
                )
            return
        for path in self._files():
            is_face = _FOLDERS[path.split("/")[0]]
            try:
                paths.check_name(path)
                yield Sample(sample_id=path, path=path, is_face=is_face)
            except DataError as error:
                yield Reject.of(path, error)

    def load(self, sample: Sample) -> tuple[Sample, np.ndarray]:
        """Reads one picture."""
        if self.layout == "npz":
            return sample, self._load_npz()["image"][sample.frame]
        return super().load(sample)

    def _files(self):
        for folder in _FOLDERS:
            yield from paths.list_files(self.root, folder)

    def _check_npz(self):
        image, is_face = (self._load_npz()[key] for key in ("image", "is_face"))
        fits = image.ndim == 3 or (image.ndim == 4 and image.shape[-1] == 3)
        if image.dtype != np.uint8 or not fits:
            raise DataError(
                f"{self.root}: `image` must be uint8 (n, h, w) or (n, h, w, 3). "
                f"Received: {image.dtype} {image.shape}"
            )
        if is_face.shape != image.shape[:1] or not np.isin(is_face, (0, 1)).all():
            raise DataError(
                f"{self.root}: `is_face` must hold a 0 or 1 for each of the "
                f"{len(image)} pictures. Received: shape {is_face.shape}"
            )

    def _load_npz(self):
        try:
            # A file that is no npz makes these raise many kinds of errors.
            status = os.stat(self.root)
            return _read_npz(self.root, status.st_size, status.st_mtime_ns)
        except Exception as error:
            reason = clip(str(error) or type(error).__name__, 100)
            raise DataError(
                f"{self.root}: not an npz with `image` and `is_face` ({reason})"
            ) from error


@functools.lru_cache(maxsize=1)
def _read_npz(path, size, modified):
    """The arrays of a file of this size and time: read once in every process.

    A source is sent to the workers again with each chunk.
    """
    _check_size(path)
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in ("image", "is_face")}


def _check_size(path):
    """Refuses files that are made to fill the memory, before they are unpacked."""
    with zipfile.ZipFile(path) as file:
        for member in file.infolist():
            ratio = member.file_size / max(member.compress_size, 1)
            if member.file_size > _BOMB_SIZE and ratio > _BOMB_RATIO:
                raise DataError(f"{member.filename} unpacks to too much")
