"""A source's picture -> the crop that its record holds.

MTCNN finds the face, or the owner's annotation says where it is, or the whole picture
is the face (pictures that are crops already). A picture in which no face is found is
never dropped silently: the caller chooses what happens to it, and it is counted.
"""

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from data_pipelines.sources.errors import DataError
from data_pipelines.sources.sample import Sample
from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CropSpec

DETECTORS = ("mtcnn", "annotated", "none")
ON_NO_FACE = ("whole", "box", "skip", "error")
# Pictures that are searched together: at most so many, or about so many pixels.
_BATCH = 16
_BATCH_PIXELS = 32_000_000


@dataclasses.dataclass(frozen=True)
class Cropping:
    """How the pictures of a data set are cropped.

    Attributes:
        crop_spec: Recipe of the crop.
        detector: `mtcnn`; `annotated`: by the owner's landmarks, else the
            owner's box; `none`: the whole picture, scaled.
        on_no_face: What happens where no face is found: the `whole` picture,
            `box` (the annotated box, else the owner's landmarks, else the whole
            picture), `skip` (a reject with its reason), or `error`.
    """

    crop_spec: CropSpec
    detector: str = "none"
    on_no_face: str = "box"

    def crops(
        self, pictures: Iterable[tuple[Sample, np.ndarray]], how: Counter
    ) -> Iterator[tuple[Sample, np.ndarray, np.ndarray | None]]:
        """Crops pictures in order; their landmarks move into the crop.

        Args:
            pictures: Samples with their pictures, uint8 `(h, w)` or RGB.
            how: Is counted up by `aligned`, `box`, `landmarks`, `whole` and
                `skip`.

        Yields:
            The sample, its picture, and its crop: uint8 `(size, size,
            channels)`, or None where it is skipped.

        Raises:
            DataError: If no face is found and that is an error.
        """
        pictures = ((_plausible(sample, image), image) for sample, image in pictures)
        for sample, image, points in self._located(pictures):
            way, matrix = self._matrix(sample, image, points)
            how[way] += 1
            if matrix is None:
                yield sample, image, None
                continue
            if sample.landmarks is not None:
                moved = alignment.transform_points(sample.landmarks, matrix)
                sample = dataclasses.replace(sample, landmarks=moved)
            yield sample, image, self._warp(image, matrix, way)

    def _located(self, pictures):
        """The pictures with the five points to align by, or None."""
        if self.detector != "mtcnn":
            for sample, image in pictures:
                points = sample.landmarks if self.detector == "annotated" else None
                yield (
                    sample,
                    image,
                    (None if points is None else alignment.landmarks5(points)),
                )
            return
        from fer_tf.faces import MTCNNDetector

        detector = MTCNNDetector()
        for batch in _batches(pictures):
            detections = detector.detect([_rgb(image) for _, image in batch])
            for (sample, image), faces in zip(batch, detections):
                face = _chosen(faces, sample.box)
                yield sample, image, face and face["landmarks"]

    def _matrix(self, sample, image, points):
        """The way a picture is cropped, and the matrix into the crop."""
        spec = self.crop_spec
        if self.detector == "none":
            return "whole", alignment.whole_matrix(image.shape[:2], spec)
        if points is not None and alignment.overlaps(points, image.shape):
            # Points on a line define no transform: as if there were none.
            with contextlib.suppress(ValueError):
                return "aligned", alignment.align_matrix(points, spec)
        annotated = self.detector == "annotated" and sample.box is not None
        choice = "box" if annotated else self.on_no_face
        if choice == "error":
            raise DataError(f"{sample.name}: no face found (--on_no_face=error)")
        if choice == "skip":
            return "skip", None
        if choice == "box" and sample.box is not None:
            return "box", alignment.box_matrix(sample.box, spec)
        if choice == "box" and sample.landmarks is not None:
            # CK+: no boxes, but 68 points in every frame. A whole frame would leave
            # a small face, and Gan et al.'s regions have the size of a crop.
            with contextlib.suppress(ValueError):
                points = alignment.landmarks5(sample.landmarks)
                return "landmarks", alignment.align_matrix(points, spec)
        return "whole", alignment.whole_matrix(image.shape[:2], spec)

    def _warp(self, image, matrix, way):
        spec = self.crop_spec
        as_stored = image.ndim == 2 and spec.color == "grey"
        if way == "whole" and as_stored and image.shape == (spec.size, spec.size):
            return image[..., None]  # Untouched.
        return alignment.warp(_rgb(image), matrix, spec)


def _plausible(sample, image):
    """The sample without a box or points that lie outside its picture.

    They would give a label to a black crop, or lead away from the face in the picture.
    """
    is_inside = lambda points: alignment.overlaps(points, image.shape)
    if sample.box is not None:
        x, y, w, h = sample.box
        if not is_inside([(x, y), (x + w, y + h)]):
            sample = dataclasses.replace(sample, box=None)
    if sample.landmarks is not None and not is_inside(sample.landmarks):
        sample = dataclasses.replace(sample, landmarks=None)
    return sample


def _rgb(image):
    return np.repeat(image[..., None], 3, axis=-1) if image.ndim == 2 else image


def _chosen(faces, box):
    """The face that the label is about: nearest the annotated box, or largest."""
    if not faces:
        return None
    if box is None:
        return max(faces, key=lambda face: face["box"][2] * face["box"][3])
    x, y, w, h = box
    center = np.array([x + w / 2, y + h / 2])

    def distance(face):
        fx, fy, fw, fh = face["box"]
        return np.linalg.norm(np.array([fx + fw / 2, fy + fh / 2]) - center)

    nearest = min(faces, key=distance)
    # A face far from the box is somebody else's.
    return nearest if distance(nearest) < max(w, h) / 2 else None


def enough(images: Sequence[np.ndarray]) -> bool:
    """Whether a batch is full: its pictures are searched for faces together."""
    pixels = sum(image.shape[0] * image.shape[1] for image in images)
    return len(images) == _BATCH or pixels >= _BATCH_PIXELS


def _batches(pictures):
    batch = []
    for sample, image in pictures:
        batch.append((sample, image))
        if enough([image for _, image in batch]):
            yield batch
            batch = []
    if batch:
        yield batch
