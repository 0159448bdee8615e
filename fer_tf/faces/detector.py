"""Faces and their five landmarks in photographs, by MTCNN.

The networks, weights and rules are those of the `mtcnn` package (Zhang et al.,
2016, https://arxiv.org/abs/1604.02878), and so are the faces found; but all
scales of a picture pass P-Net on one canvas, the candidates of all pictures
pass R-Net and O-Net together, and nothing is traced again for another size.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from fer_tf.faces import boxes as box_rules
from fer_tf.faces import pyramid

# Pixels of canvases, and patches, that pass a network together: what bounds
# the memory, whatever number and size of pictures is given.
_CANVAS_PIXELS = 3_000_000
_PATCHES = 256


class MTCNNDetector:
    """Finds faces: `MTCNNDetector().detect(image)`.

    Args:
        min_face_size: Side in pixels of the least face to look for, at least
            12. The time grows with its inverse square.
        scale_factor: Ratio of one scale of the pyramid to the one before.
        thresholds: Least confidence after P-Net, R-Net and O-Net.
        max_side: A picture with a longer side is shrunk to it first, and what
            is found is scaled back; so its least face is larger.
        device: Where TensorFlow runs the networks.

    Raises:
        ValueError: If an argument is outside its range.
    """

    def __init__(
        self,
        min_face_size: float = 20,
        *,
        scale_factor: float = 0.709,
        thresholds: Sequence[float] = (0.6, 0.7, 0.8),
        max_side: int = 2048,
        device: str = "CPU:0",
    ):
        if min_face_size < pyramid.WINDOW:
            raise ValueError(
                f"`min_face_size` must be at least {pyramid.WINDOW}. "
                f"Received: min_face_size={min_face_size}."
            )
        if not 0 < scale_factor < 1:
            raise ValueError(
                "`scale_factor` must be between 0 and 1. "
                f"Received: scale_factor={scale_factor}."
            )
        if len(thresholds) != 3 or not all(0 < t < 1 for t in thresholds):
            raise ValueError(
                "`thresholds` must be three numbers between 0 and 1. "
                f"Received: thresholds={thresholds}."
            )
        if max_side < 1:
            raise ValueError(
                f"`max_side` must be positive. Received: max_side={max_side}."
            )
        # Here and not at the top: `import fer_tf.faces` is light.
        import tensorflow as tf

        from fer_tf.faces import networks

        self._tf, self._device, self._crop = tf, device, networks.crop
        self._proposal_network = networks.proposal_network()
        self._refinement_network = networks.refinement_network()
        self._output_network = networks.output_network()
        self._pyramid = (min_face_size, scale_factor)
        self._thresholds = tuple(thresholds)
        self._max_side = max_side

    def detect(self, images):
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
        """
        if isinstance(images, list | tuple):
            return self._detect([_check_image(image) for image in images])
        return self._detect([_check_image(images)])[0]

    def _detect(self, images) -> list[list[dict]]:
        if not images:
            return []
        shrunk = [_shrunk(image, self._max_side) for image in images]
        with self._tf.device(self._device):
            candidates = self._proposals(shrunk)
            tensors = [self._tf.constant(image[None]) for image in shrunk]
            candidates = self._refined(tensors, candidates)
            found = self._outputs(tensors, candidates)
        return [
            _faces(original.shape, small.shape, *faces)
            for original, small, faces in zip(images, shrunk, found)
        ]

    def _proposals(self, images) -> list[np.ndarray]:
        """P-Net: square candidate boxes of each picture."""
        groups = {}  # Pictures whose canvases have one shape.
        for index, image in enumerate(images):
            levels, shape = pyramid.layout(*image.shape[:2], *self._pyramid)
            groups.setdefault(shape, []).append((index, levels))
        proposals = [np.zeros((0, 4))] * len(images)
        for (rows, columns), members in groups.items():
            if not rows:
                continue
            step = max(1, _CANVAS_PIXELS // (rows * columns))
            for start in range(0, len(members), step):
                part = members[start : start + step]
                canvases = np.zeros((len(part), rows, columns, 4), np.float32)
                for canvas, (index, levels) in zip(canvases, part):
                    pyramid.draw(images[index], levels, canvas)
                outputs = self._proposal_network(self._tf.constant(canvases)).numpy()
                for output, (index, levels) in zip(outputs, part):
                    proposals[index] = self._propose(output, levels)
        return proposals

    def _propose(self, output, levels) -> np.ndarray:
        """Candidates of one picture, of all levels of its canvas."""
        threshold = np.log(self._thresholds[0] / (1 - self._thresholds[0]))
        boxes, confidences = [np.zeros((0, 4))], [np.zeros(0, np.float32)]
        for level in levels:
            found, scores = box_rules.proposed(output, level, threshold)
            if len(found):
                kept = box_rules.suppress(found, 0.5)
                boxes.append(found[kept])
                confidences.append(scores[kept])
        boxes = np.concatenate(boxes)
        boxes = boxes[box_rules.by_confidence(np.concatenate(confidences))]
        return box_rules.squared(boxes[box_rules.suppress(boxes, 0.7)])

    def _refined(self, images, candidates) -> list[np.ndarray]:
        """R-Net: fewer and better square boxes of each picture."""
        results = self._run(self._refinement_network, images, candidates, 24)
        refined = []
        for boxes, (offsets, confidences) in zip(candidates, results):
            boxes, confidences = _confident(
                box_rules.refined(boxes, offsets), confidences, self._thresholds[1]
            )[:2]
            refined.append(box_rules.squared(boxes[box_rules.suppress(boxes, 0.7)]))
        return refined

    def _outputs(self, images, candidates):
        """O-Net: boxes, confidences and landmarks of each picture's faces."""
        results = self._run(self._output_network, images, candidates, 48)
        found = []
        for boxes, (offsets, fractions, confidences) in zip(candidates, results):
            boxes, confidences, landmarks = _confident(
                box_rules.refined(boxes, offsets),
                confidences,
                self._thresholds[2],
                box_rules.landmark_points(boxes, fractions),
            )
            kept = box_rules.suppress(boxes, 0.7, over_smaller=True)
            found.append((boxes[kept], confidences[kept], landmarks[kept]))
        return found

    def _run(self, network, images, candidates, size):
        """Passes all candidates through a network, and sorts by picture again."""
        counts = [len(boxes) for boxes in candidates]
        ends = np.cumsum(counts)
        rows = _bucket(ends[-1])
        patches = np.zeros((rows, size, size, 3), np.float32)
        for image, boxes, end in zip(images, candidates, ends):
            if len(boxes):
                patches[end - len(boxes) : end] = self._crop(image, boxes, size)
        parts = []
        for start in range(0, rows, _PATCHES):
            part = self._tf.constant(patches[start : start + _PATCHES])
            parts.append([output.numpy() for output in network(part)])
        outputs = [np.concatenate(column)[: ends[-1]] for column in zip(*parts)]
        return list(zip(*(np.split(output, ends[:-1]) for output in outputs)))


def _bucket(count) -> int:
    """The next number of a few: a new batch size costs a network some time."""
    if count > _PATCHES:
        return -(-count // _PATCHES) * _PATCHES
    step = max(1, 1 << max(0, int(count - 1).bit_length() - 3)) if count else 1
    return max(1, -(-count // step) * step)


def _check_image(image) -> np.ndarray:
    shape, dtype = getattr(image, "shape", None), getattr(image, "dtype", None)
    if dtype != np.uint8 or len(shape) != 3 or shape[2] != 3:
        raise ValueError(
            "An image must be uint8 RGB of the shape (height, width, 3). "
            f"Received: shape={shape}, dtype={dtype}."
        )
    return np.asarray(image)


def _shrunk(image, max_side) -> np.ndarray:
    """The picture, made smaller if a side is longer than allowed."""
    height, width = image.shape[:2]
    ratio = max_side / max(height, width, 1)
    if ratio >= 1:
        return image
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _confident(boxes, confidences, threshold, *others):
    """Rows above a threshold, from the most confident."""
    order = box_rules.by_confidence(confidences)
    order = order[confidences[order] > threshold]
    return [rows[order] for rows in (boxes, confidences, *others)]


def _faces(shape, small_shape, boxes, confidences, landmarks) -> list[dict]:
    """Faces as dicts, in pixels of the picture that was given."""
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
