"""MTCNN's rules: from a picture's pyramid to its faces, whatever runs the networks.

Zhang et al., 2016, https://arxiv.org/abs/1604.02878, as the `mtcnn` package has them.
The scales of a picture go through P-Net drawn on two sheets; R-Net and O-Net are given
patches of the candidates. By NumPy and OpenCV alone.
"""

import dataclasses
from collections.abc import Sequence
from concurrent import futures
from typing import Any, Protocol

import numpy as np

from fer_tf.arguments import require
from fer_tf.face_types import DetectedFace
from fer_tf.faces import boxes as box_rules
from fer_tf.faces import pyramid
from fer_tf.faces.alignment import require_rgb
from fer_tf.utils.processes import require_own_process

# Pixels of sheets, and patches, that pass a network together, and how many such calls
# run at the same time. They bound the memory for any number and size of pictures. With
# two threads, one draws while the other computes.
_SHEET_PIXELS = 1_500_000
_PATCHES = 32
_THREADS = 2

# The outputs of R-Net and O-Net for no patch.
_NOTHING_REFINED = (np.zeros((0, 4)), np.zeros(0))
_NO_FACE = (np.zeros((0, 4)), np.zeros((0, 10)), np.zeros(0))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What decides which faces are found.

    Attributes:
        min_face_size: Side in pixels of the smallest face to look for, at least
            12. The time grows with its inverse square.
        scale_factor: Ratio of one scale of the pyramid to the one before.
        thresholds: Least confidence after P-Net, R-Net and O-Net.
        overlaps: Intersection over union above which a less confident box goes: among
            P-Net's of one scale and of all, R-Net's, and O-Net's, where it is the
            intersection over the smaller box.
        max_side: A picture with a longer side is shrunk to it first, and the faces are
            scaled back; so its smallest face is larger.

    Raises:
        ValueError: If one is outside its range.

    >>> Settings(min_face_size=40).thresholds
    (0.6, 0.7, 0.8)
    """

    min_face_size: float = 20
    scale_factor: float = 0.709
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.8)
    overlaps: tuple[float, float, float, float] = (0.5, 0.7, 0.7, 0.7)
    max_side: int = 2048

    def __post_init__(self):
        least, size, factor = pyramid.WINDOW, self.min_face_size, self.scale_factor
        require(size >= least, f"be at least {least}", min_face_size=size)
        require(0 < factor < 1, "be between 0 and 1", scale_factor=factor)
        for name, count in (("thresholds", "three"), ("overlaps", "four")):
            values = tuple(getattr(self, name))
            object.__setattr__(self, name, values)  # JSON gives lists.
            wanted = {"three": 3, "four": 4}[count]
            fits = len(values) == wanted and all(0 < value < 1 for value in values)
            require(fits, f"be {count} numbers between 0 and 1", **{name: values})
        require(self.max_side >= 1, "be positive", max_side=self.max_side)


class Networks(Protocol):
    """What runs the three networks; called from two threads at once."""

    def canvas(self, shape: tuple[int, ...]) -> np.ndarray:
        """A float32 array for sheets, to be filled and given to `propose` once."""

    def propose(
        self, sheets: np.ndarray, least_logit: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """P-Net: `(n, 3)` places (sheet, row, column) of faces, and `(n, 5)` outputs.

        Args:
            sheets: float32 `(batch, rows, columns, channels)` of `pyramid.draw`.
            least_logit: Of a face.
        """

    def held(self, image: np.ndarray) -> Any:
        """A picture in the form that `refine` and `output` take."""

    def refine(self, image: Any, boxes: np.ndarray) -> Sequence[np.ndarray]:
        """R-Net: offsets `(n, 4)` and confidences `(n,)`.

        Args:
            image: From `held`.
            boxes: float32 `(n, 4)`: top, left, bottom, right, as fractions.
        """

    def output(self, image: Any, boxes: np.ndarray) -> Sequence[np.ndarray]:
        """O-Net: offsets `(n, 4)`, landmarks `(n, 10)` and confidences `(n,)`."""


class Cascade:
    """Finds faces with three networks, by MTCNN's rules.

    Args:
        networks: What runs them.
        settings: What decides which faces are found.
    """

    def __init__(self, networks: Networks, settings: Settings):
        self.settings = settings
        self._networks = networks
        self._threads = futures.ThreadPoolExecutor(_THREADS)
        least, *_ = settings.thresholds
        self._least_logit = np.float32(np.log(least / (1 - least)))

    def detect(
        self, images: np.ndarray | Sequence[np.ndarray]
    ) -> list[DetectedFace] | list[list[DetectedFace]]:
        """Finds the faces of one picture or of several.

        Args:
            images: uint8 RGB `(height, width, 3)`, or a list of such arrays,
                which need not have one size.

        Returns:
            A list of faces, from the most confident, or for a list of pictures
            a list of such lists. A face is a dict: `"box"`, four whole numbers
            `[x, y, width, height]` within the picture; `"confidence"`; and
            `"landmarks"`, float64 `(5, 2)`, left eye, right eye, nose, left
            and right mouth corner, where left is the left of the picture.

        Raises:
            ValueError: If a picture has another shape or type.
            RuntimeError: In a fork of the process that made this.
        """
        if isinstance(images, list | tuple):
            return self._detect([require_rgb(i, may_be_empty=True) for i in images])
        return self.detect([images])[0]

    def _detect(self, images) -> list[list[DetectedFace]]:
        require_own_process("a detector")
        max_side = self.settings.max_side
        shrunk = [pyramid.shrunk(image, max_side) for image in images]
        return self._confirmed(images, shrunk, self._proposals(shrunk))

    def follow(
        self, image: np.ndarray, boxes: Sequence[Sequence[float]]
    ) -> list[DetectedFace]:
        """Finds faces again where they were a moment ago, and no others.

        The picture's pyramid, which takes most of the time of `detect`, is left out.

        Args:
            image: uint8 RGB `(height, width, 3)`, the next frame of a video.
            boxes: `[x, y, width, height]` of the faces in the frame before.

        Returns:
            As `detect` of one picture. A face that has moved by about half its width
            or more is not found.

        Raises:
            ValueError: If the picture has another shape or type.
            RuntimeError: In a fork of the process that made this.
        """
        require_own_process("a detector")
        image = require_rgb(image, may_be_empty=True)
        small = pyramid.shrunk(image, self.settings.max_side)
        near = np.array(boxes, float).reshape(-1, 4)
        near[:, 2:] += near[:, :2]
        near *= small.shape[1] / max(image.shape[1], 1)
        return self._confirmed([image], [small], [box_rules.squared(near)])[0]

    def _confirmed(self, images, shrunk, candidates) -> list[list[DetectedFace]]:
        """The faces among the candidates of each picture."""
        held = [self._networks.held(image) for image in shrunk]
        candidates = self._refined(held, candidates)
        outputs = self._outputs(held, candidates)
        return [
            _faces(original.shape, small.shape, *faces)
            for original, small, faces in zip(images, shrunk, outputs)
        ]

    def _side_by_side(self, function, jobs) -> list:
        """`function(*job)` of every job, in order; a few at a time."""
        return list(self._threads.map(lambda job: function(*job), jobs))

    def _proposals(self, images) -> list[np.ndarray]:
        """P-Net: square candidate boxes of each picture."""
        alike = {}  # Sheet -> numbers of the pictures drawn on such a one.
        levels = (self.settings.min_face_size, self.settings.scale_factor)
        for number, image in enumerate(images):
            for sheet in pyramid.sheets(*image.shape[:2], *levels):
                alike.setdefault(sheet, []).append(number)
        jobs = []
        # From the finest levels: it decides between equally confident boxes.
        for sheet in sorted(alike, key=lambda sheet: -sheet.levels[0].scale):
            step = max(1, _SHEET_PIXELS // (sheet.height * sheet.width))
            for start in range(0, len(alike[sheet]), step):
                jobs.append((sheet, alike[sheet][start : start + step]))
        propose = lambda sheet, part: self._proposed(sheet, [images[n] for n in part])
        proposals = [[] for _ in images]
        for (_, numbers), boxes in zip(jobs, self._side_by_side(propose, jobs)):
            for number, candidates in zip(numbers, boxes):
                proposals[number] += candidates
        return [self._merged(candidates) for candidates in proposals]

    def _proposed(self, sheet, images) -> list[list]:
        """Boxes and confidences of each picture on each level of a sheet."""
        shape = (len(images), sheet.height, sheet.width, sheet.channels)
        sheets = self._networks.canvas(shape)
        for place, image in zip(sheets, images):
            pyramid.draw(image, sheet, place)
        places, outputs = self._networks.propose(sheets, self._least_logit)
        ends = np.searchsorted(places[:, 0], range(1, len(images)))
        results = []
        for where, what in zip(np.split(places, ends), np.split(outputs, ends)):
            candidates = []
            for level in sheet.levels:
                boxes, confidences = box_rules.proposed(where[:, 1:], what, level)
                if len(boxes):
                    kept = box_rules.suppress(boxes, self.settings.overlaps[0])
                    candidates.append((boxes[kept], confidences[kept]))
            results.append(candidates)
        return results

    def _merged(self, candidates) -> np.ndarray:
        """Candidates of one picture, of all levels."""
        candidates = candidates or [(np.zeros((0, 4)), np.zeros(0, np.float32))]
        boxes, confidences = map(np.concatenate, zip(*candidates))
        boxes = boxes[box_rules.by_confidence(confidences)]
        kept = box_rules.suppress(boxes, self.settings.overlaps[1])
        return box_rules.squared(boxes[kept])

    def _refined(self, images, candidates) -> list[np.ndarray]:
        """R-Net: fewer and better square boxes of each picture."""
        refine = self._networks.refine
        results = self._run(refine, _NOTHING_REFINED, images, candidates)
        refined = []
        for boxes, (offsets, confidences) in zip(candidates, results):
            boxes, confidences = _confident(
                box_rules.refined(boxes, offsets),
                confidences,
                self.settings.thresholds[1],
            )[:2]
            kept = box_rules.suppress(boxes, self.settings.overlaps[2])
            refined.append(box_rules.squared(boxes[kept]))
        return refined

    def _outputs(self, images, candidates):
        """O-Net: boxes, confidences and landmarks of each picture's faces."""
        results = self._run(self._networks.output, _NO_FACE, images, candidates)
        outputs = []
        for boxes, (offsets, fractions, confidences) in zip(candidates, results):
            boxes, confidences, landmarks = _confident(
                box_rules.refined(boxes, offsets),
                confidences,
                self.settings.thresholds[2],
                box_rules.landmark_points(boxes, fractions),
            )
            most = self.settings.overlaps[3]
            kept = box_rules.suppress(boxes, most, over_smaller=True)
            outputs.append((boxes[kept], confidences[kept], landmarks[kept]))
        return outputs

    def _run(self, network, nothing, images, candidates):
        """Passes the candidates of every picture through a network."""
        jobs, owners = [], []
        for number, (image, boxes) in enumerate(zip(images, candidates)):
            parts = max(1, -(-len(boxes) // _PATCHES))
            split = np.array_split(boxes, parts)
            jobs += [(network, nothing, image, part) for part in split]
            owners += [number] * parts
        outputs = [[] for _ in images]
        for owner, output in zip(owners, self._side_by_side(_seen, jobs)):
            outputs[owner].append(output)
        return [[np.concatenate(column) for column in zip(*parts)] for parts in outputs]


def _seen(network, nothing, image, boxes):
    """A network's outputs for some boxes of a picture."""
    if not len(boxes):
        return nothing
    height, width = image.shape[:2]
    fractions = np.zeros((_bucket(len(boxes)), 4), np.float32)
    # Divided by the size, although the patches' sampling multiplies by the size less
    # 1: so does the `mtcnn` package.
    sizes = (height, width, height, width)
    fractions[: len(boxes)] = boxes[:, [1, 0, 3, 2]] / sizes
    return [output[: len(boxes)] for output in network(image, fractions)]


def _bucket(count) -> int:
    """The next of a few batch sizes: each new size costs a network some time."""
    step = 1 << max(0, int(count - 1).bit_length() - 3)
    return -(-count // step) * step


def _confident(boxes, confidences, threshold, *others):
    """Rows above a threshold, from the most confident."""
    order = box_rules.by_confidence(confidences)
    order = order[confidences[order] > threshold]
    return [rows[order] for rows in (boxes, confidences, *others)]


def _faces(shape, small_shape, boxes, confidences, landmarks) -> list[DetectedFace]:
    """Faces as dicts, in pixels of the original picture."""
    limits = np.array([shape[1], shape[0]])
    ratios = limits / np.maximum((small_shape[1], small_shape[0]), 1)
    corners = np.clip(boxes.reshape(-1, 2, 2) * ratios, 0, limits - 1)
    # Point p of the smaller picture is p + 1/2 away from its edge.
    landmarks = (landmarks + 0.5) * ratios - 0.5
    sizes = corners[:, 1] - corners[:, 0]
    rounded = np.concatenate([corners[:, 0], sizes], axis=1).round().astype(int)
    return [
        {"box": box.tolist(), "confidence": float(confidence), "landmarks": points}
        for box, confidence, points in zip(rounded, confidences, landmarks)
    ]
