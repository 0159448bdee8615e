"""Faces of a video's frames: a search now and then, and followed in between."""

from collections.abc import Sequence

import numpy as np

from fer_tf.arguments import require
from fer_tf.face_types import DetectedFace, Detector


class Follower:
    """Finds the faces of frames that come in order.

    Every n-th frame is searched, and the first of each shot. In the others the faces
    are looked for where they were in the frame before, by the detector's last two
    networks. A frame in which one is lost is searched too: it has moved, or is gone.
    A new face is not seen before the next search.

    Args:
        detector: What finds the faces.
        search_every: Which frames are searched: every n-th.

    Raises:
        ValueError: If `search_every` is less than 1, or more and the detector has no
            `follow`.

    Example:
        >>> import numpy as np
        >>> from fer_tf.faces import MTCNNDetector
        >>> from fer_tf.video.following import Follower
        >>> frames = [np.zeros((48, 64, 3), np.uint8)] * 3
        >>> Follower(MTCNNDetector(), 5).detect(frames, [False] * 3)
        [[], [], []]
    """

    def __init__(self, detector: Detector, search_every: int = 1):
        require(search_every >= 1, "be at least 1", search_every=search_every)
        if search_every > 1:
            require(
                hasattr(detector, "follow"),
                "be 1 with a detector that cannot follow",
                search_every=search_every,
            )
        self._detector, self._search_every = detector, search_every
        self._since, self._last = 0, []

    def detect(
        self, images: list[np.ndarray], new_shot: Sequence[bool]
    ) -> list[list[DetectedFace]]:
        """The faces of the next frames, as `MTCNNDetector.detect` gives them.

        Args:
            images: uint8 RGB, of one size.
            new_shot: Whether each is the first of a shot.
        """
        if self._search_every == 1:
            return self._detector.detect(images)  # All of them together.
        return [self._next(*frame) for frame in zip(images, new_shot)]

    def _next(self, image, new_shot):
        if new_shot or self._since % self._search_every == 0:
            faces, self._since = self._detector.detect([image])[0], 0
        else:
            boxes = [face["box"] for face in self._last]
            faces = self._detector.follow(image, boxes) if boxes else []
            if len(faces) < len(boxes):
                faces, self._since = self._detector.detect([image])[0], 0
        self._since, self._last = self._since + 1, faces
        return faces
