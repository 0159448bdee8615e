"""The photograph that commands use if none is named."""

import os

import cv2
import numpy as np


def astronaut() -> np.ndarray:
    """scikit-image's photograph of Eileen Collins, uint8 RGB.

    Raises:
        ValueError: If scikit-image is not installed.
    """
    try:
        from skimage import data
    except ImportError as error:
        raise ValueError(
            "the astronaut's photograph comes with scikit-image, the extra `demo`: "
            "pip install -e '.[demo]', or give photographs of your own"
        ) from error
    return data.astronaut()


def write_astronaut(folder: str) -> str:
    """Writes the photograph into a folder as `astronaut.png`; returns its path."""
    path = os.path.join(folder, "astronaut.png")
    cv2.imwrite(path, astronaut()[..., ::-1])
    return path
