"""Whether a face has the detail that a reading needs."""

import cv2
import numpy as np

from fer_tf.face_types import Face

# Pixels of a side of the crops that the smallest networks read.
_SIDE = 48

# What the shipped model made of 100 London faces (50 people, neutral and smiling),
# after a Gaussian blur of so many pixels of the 48, or at so many pixels of height: the
# median sharpness, the share it read rightly, and its mean probability.
#
#               sharp   blur 1   blur 1.5   blur 2 | 48 px   32 px   24 px   16 px
#   sharpness    0.89     0.34       0.26     0.22 |  0.61    0.41    0.30    0.20
#   right        0.78     0.84       0.67     0.58 |  0.77    0.82    0.77    0.71
#   probability  0.72     0.62       0.44     0.34 |  0.71    0.69    0.57    0.38
#
# Of 19 faces in everyday photographs, one is out of focus: 0.32. The others have 0.67
# and more.
LEAST_SHARPNESS = 0.35


def sharpness(image: np.ndarray, box: list[int]) -> float:
    """How much detail a face has at the scale of the smallest networks.

    It is the deviation of the Laplacian over that of the grey values, of the box at
    48 x 48 pixels. It does not change with brightness or contrast. A face that is
    smaller is enlarged, and has as little detail as a blurred one.

    Args:
        image: uint8 RGB `(height, width, 3)`.
        box: `[x, y, width, height]` of the face.

    Returns:
        From 0, for a face without any detail, to about 1 for a sharp one.

    Example:
        >>> import numpy as np
        >>> from fer_tf.faces.sharpness import sharpness
        >>> ramp = np.repeat(np.arange(60, dtype=np.uint8)[:, None], 60, 1)
        >>> sharpness(np.dstack([ramp] * 3), [0, 0, 48, 48]) < 0.1
        True
    """
    x, y, w, h = (round(value) for value in box)
    part = image[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)]
    if not part.size:
        return 0.0
    enlarges = min(part.shape[:2]) < _SIDE
    grey = cv2.resize(
        cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), (_SIDE, _SIDE),
        interpolation=cv2.INTER_LINEAR if enlarges else cv2.INTER_AREA,
    ).astype(np.float32)  # fmt: skip
    # The deviation of a plain patch, a grey value at most, is noise.
    return float(cv2.Laplacian(grey, cv2.CV_32F).std() / max(grey.std(), 1.0))


def doubt(face: Face) -> str:
    """Why the reading of a face is in doubt, in a word; empty if it is not.

    Args:
        face: From `fer_tf.Predictor`.

    Returns:
        `"small"` or `"blurred"` where its `sharpness` is below `LEAST_SHARPNESS`;
        `"unsure"` where its key `unsure` says so; or `""`.

    Example:
        >>> from fer_tf.faces.sharpness import doubt
        >>> doubt({"box": [0, 0, 90, 90], "sharpness": 0.2, "unsure": True})
        'blurred'
    """
    if face.get("sharpness", 1.0) < LEAST_SHARPNESS:
        return "small" if min(face["box"][2:]) < _SIDE else "blurred"
    return "unsure" if face.get("unsure") else ""
