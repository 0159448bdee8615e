"""Faces and their five landmarks in photographs, by MTCNN.

The networks, weights, rules and results are those of the `mtcnn` package (Zhang et
al., 2016, https://arxiv.org/abs/1604.02878). It is faster: the scales of a picture go
through P-Net drawn on two sheets, R-Net and O-Net cut out their own candidates, and no
new size is traced again.
"""

from collections.abc import Sequence
from concurrent import futures

import numpy as np

from fer_tf.arguments import require
from fer_tf.face_types import DetectedFace
from fer_tf.faces import boxes as box_rules
from fer_tf.faces import pyramid
from fer_tf.faces.alignment import require_rgb
from fer_tf.utils.processes import require_own_process
from fer_tf.utils.stderr import quiet_imports

# Pixels of sheets, and patches, that pass a network together, and how many such calls
# run at the same time. They bound the memory for any number and size of pictures. With
# two threads, one draws while the other computes.
_SHEET_PIXELS = 1_500_000
_PATCHES = 32
_THREADS = 2


class MTCNNDetector:
    """Finds faces: `MTCNNDetector().detect(image)`.

    Args:
        min_face_size: Side in pixels of the smallest face to look for, at least
            12. The time grows with its inverse square.
        scale_factor: Ratio of one scale of the pyramid to the one before.
        thresholds: Least confidence after P-Net, R-Net and O-Net.
        max_side: A picture with a longer side is shrunk to it first, and the faces are
            scaled back; so its smallest face is larger.
        device: Where TensorFlow runs the networks.

    Raises:
        ValueError: If an argument is outside its range.

    >>> MTCNNDetector().detect(np.zeros((48, 64, 3), np.uint8))  # No face is there.
    []
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
        least, size = pyramid.WINDOW, min_face_size
        require(size >= least, f"be at least {least}", min_face_size=size)
        require(0 < scale_factor < 1, "be between 0 and 1", scale_factor=scale_factor)
        three = len(thresholds) == 3 and all(0 < t < 1 for t in thresholds)
        require(three, "be three numbers between 0 and 1", thresholds=thresholds)
        require(max_side >= 1, "be positive", max_side=max_side)
        require_own_process("a detector")
        # Here and not at the top: `import fer_tf.faces` is light. Quietly: a worker of
        # `prepare` imports TensorFlow, and asks for its devices, here first.
        with quiet_imports():
            import tensorflow as tf

            from fer_tf.faces import networks

            self._proposal_networks = {n: networks.proposal_network(n) for n in (3, 4)}
            self._refinement_network = networks.refinement_network()
            self._output_network = networks.output_network()
        self._tf, self._networks, self._device = tf, networks, device
        self._threads = futures.ThreadPoolExecutor(_THREADS)
        self._pyramid = (min_face_size, scale_factor)
        self._thresholds = tuple(thresholds)
        least, *_ = thresholds
        self._least_logit = tf.constant(np.log(least / (1 - least)), tf.float32)
        self._max_side = max_side

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
        shrunk = [pyramid.shrunk(image, self._max_side) for image in images]
        candidates = self._proposals(shrunk)
        tensors = [self._tf.constant(image) for image in shrunk]
        candidates = self._refined(tensors, candidates)
        outputs = self._outputs(tensors, candidates)
        return [
            _faces(original.shape, small.shape, *faces)
            for original, small, faces in zip(images, shrunk, outputs)
        ]

    def _side_by_side(self, function, jobs) -> list:
        """`function(*job)` of every job, in order; a few at a time."""

        def run(job):
            with self._tf.device(self._device):
                return function(*job)

        return list(self._threads.map(run, jobs))

    def _proposals(self, images) -> list[np.ndarray]:
        """P-Net: square candidate boxes of each picture."""
        alike = {}  # Sheet -> numbers of the pictures drawn on such a one.
        for number, image in enumerate(images):
            for sheet in pyramid.sheets(*image.shape[:2], *self._pyramid):
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
        sheets = self._networks.empty(shape)
        for place, image in zip(sheets, images):
            pyramid.draw(image, sheet, place)
        network = self._proposal_networks[sheet.channels]
        tensors = network(self._networks.tensor(sheets), self._least_logit)
        places, outputs = map(np.asarray, tensors)
        ends = np.searchsorted(places[:, 0], range(1, len(images)))
        results = []
        for where, what in zip(np.split(places, ends), np.split(outputs, ends)):
            candidates = []
            for level in sheet.levels:
                boxes, confidences = box_rules.proposed(where[:, 1:], what, level)
                if len(boxes):
                    kept = box_rules.suppress(boxes, 0.5)
                    candidates.append((boxes[kept], confidences[kept]))
            results.append(candidates)
        return results

    def _merged(self, candidates) -> np.ndarray:
        """Candidates of one picture, of all levels."""
        candidates = candidates or [(np.zeros((0, 4)), np.zeros(0, np.float32))]
        boxes, confidences = map(np.concatenate, zip(*candidates))
        boxes = boxes[box_rules.by_confidence(confidences)]
        return box_rules.squared(boxes[box_rules.suppress(boxes, 0.7)])

    def _refined(self, images, candidates) -> list[np.ndarray]:
        """R-Net: fewer and better square boxes of each picture."""
        results = self._run(self._refinement_network, images, candidates)
        refined = []
        for boxes, (offsets, confidences) in zip(candidates, results):
            boxes, confidences = _confident(
                box_rules.refined(boxes, offsets), confidences, self._thresholds[1]
            )[:2]
            refined.append(box_rules.squared(boxes[box_rules.suppress(boxes, 0.7)]))
        return refined

    def _outputs(self, images, candidates):
        """O-Net: boxes, confidences and landmarks of each picture's faces."""
        results = self._run(self._output_network, images, candidates)
        outputs = []
        for boxes, (offsets, fractions, confidences) in zip(candidates, results):
            boxes, confidences, landmarks = _confident(
                box_rules.refined(boxes, offsets),
                confidences,
                self._thresholds[2],
                box_rules.landmark_points(boxes, fractions),
            )
            kept = box_rules.suppress(boxes, 0.7, over_smaller=True)
            outputs.append((boxes[kept], confidences[kept], landmarks[kept]))
        return outputs

    def _run(self, network, images, candidates):
        """Passes the candidates of every picture through a network."""
        jobs, owners = [], []
        for number, (image, boxes) in enumerate(zip(images, candidates)):
            parts = max(1, -(-len(boxes) // _PATCHES))
            jobs += [(network, image, part) for part in np.array_split(boxes, parts)]
            owners += [number] * parts
        outputs = [[] for _ in images]
        for owner, output in zip(owners, self._side_by_side(self._seen, jobs)):
            outputs[owner].append(output)
        return [[np.concatenate(column) for column in zip(*parts)] for parts in outputs]

    def _seen(self, network, image, boxes):
        """A network's outputs for some boxes of a picture."""
        if not len(boxes):
            return [np.zeros((0, *shape[1:])) for shape in network.output_shapes]
        height, width = image.shape[:2]
        fractions = np.zeros((_bucket(len(boxes)), 4), np.float32)
        # Divided by the size, although the network multiplies by the size less
        # 1: so does the `mtcnn` package.
        sizes = (height, width, height, width)
        fractions[: len(boxes)] = boxes[:, [1, 0, 3, 2]] / sizes
        size = network.inputs[0].shape[1]
        patches = self._networks.patches(image, self._tf.constant(fractions), size)
        outputs = network(patches)
        return [np.asarray(output)[: len(boxes)] for output in outputs]


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
