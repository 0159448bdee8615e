"""Pictures in which no face is found, and those that should show none."""

import numpy as np

from data_pipelines.checks.findings import Findings
from data_pipelines.preparation import cropping


class FaceSearch:
    """Searches pictures for faces with MTCNN, several at a time.

    In crops that a face fills many are not found, and in those of 48 pixels most:
    their number tells of damage only beside that of another copy.
    """

    def __init__(self, findings: Findings):
        from fer_tf.faces import MTCNNDetector

        self._detector, self._findings, self._waiting = MTCNNDetector(), findings, []

    def add(self, name: str, image, is_face: bool | None) -> None:
        """Takes a picture, uint8 `(h, w)` or RGB."""
        self._waiting.append((name, _rgb(image), is_face))
        if cropping.enough([image for _, image, _ in self._waiting]):
            self.finish()

    def finish(self) -> None:
        """Searches the pictures that are left."""
        if not self._waiting:
            return
        images = [image for _, image, _ in self._waiting]
        detections = self._detector.detect(images)
        for (name, _, is_face), faces in zip(self._waiting, detections):
            if is_face is False and faces:
                self._findings.add("unexpected_face", name)
            elif is_face is not False and not faces:
                self._findings.add("no_face", name)
        self._waiting.clear()


def _rgb(image):
    image = image if image.ndim == 3 else image[..., None]
    return image if image.shape[-1] == 3 else np.repeat(image, 3, axis=-1)
