"""For pictures that are crops of faces already: nothing is searched."""

import cv2
import numpy as np

from fer_tf.face_types import DetectedFace
from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CropSpec


class WholePicture:
    """A detector for pictures that are crops already: each picture is one face.

    The crop is `alignment.whole`'s, as `trainers.prepare --detector=none` makes it.

    Args:
        spec: The crop spec of the model that reads the faces.

    >>> from fer_tf.faces.crop_spec import CROP_SPECS
    >>> crop = np.zeros((60, 50, 3), np.uint8)
    >>> WholePicture(CROP_SPECS["meen"]).detect([crop])[0][0]["confidence"]
    1.0
    """

    def __init__(self, spec: CropSpec):
        self.spec = spec

    def detect(self, images: list[np.ndarray]) -> list[list[DetectedFace]]:
        """One face for each picture, as `MTCNNDetector.detect` returns them.

        Its landmarks are those of the spec's template; its confidence is 1.
        """
        return [[self._face(*image.shape[:2])] for image in images]

    def _face(self, height, width):
        matrix = alignment.whole_matrix((height, width), self.spec)
        back = cv2.invertAffineTransform(matrix)
        points = alignment.template_points(self.spec)
        return {
            "box": [0, 0, width, height],
            "confidence": 1.0,
            "landmarks": alignment.transform_points(points, back),
        }
