"""The parts of a drawn face that its action units move."""

import cv2
import numpy as np

from data_pipelines.synthetic.faces import DrawnFace
from data_pipelines.synthetic.labels import PRESENT

# Part of the face -> landmarks, and the action units that move it.
_REGIONS = {
    "brows": (range(17, 27), (1, 2, 4, 9)),
    "left_eye": (range(36, 42), (5, 6, 7)),
    "right_eye": (range(42, 48), (5, 6, 7)),
    "nose": (range(27, 36), (9,)),
    "mouth": (range(48, 68), (9, 12, 15, 17, 20, 23, 25, 26)),
}


def moving_regions(face: DrawnFace) -> np.ndarray:
    """Where present action units move the face: brows, eyes, nose, mouth.

    Returns:
        bool `(size, size)`; all False for a neutral face and a non-face.

    >>> from data_pipelines.synthetic import SyntheticOptions, draw
    >>> moving_regions(draw(0, SyntheticOptions(size=48))).shape
    (48, 48)
    """
    mask = np.zeros(face.image.shape[:2], np.uint8)
    if not face.is_face:
        return mask.astype(bool)
    for points, units in _REGIONS.values():
        strongest = max(face.au_intensities[f"AU{n}"] for n in units)
        if strongest >= PRESENT:
            hull = cv2.convexHull(face.landmarks[list(points)])
            cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 1)
    # Skin around a part moves with it.
    reach = max(3, 2 * round(0.03 * mask.shape[0]) + 1)
    return cv2.dilate(mask, np.ones((reach, reach), np.uint8)).astype(bool)
