"""Patches of a picture, by NumPy: what `tf.image.crop_and_resize` samples."""

import numpy as np

# Becomes 0 in MTCNN's networks.
_MIDDLE_GREY = 127.5


def patches(image: np.ndarray, boxes: np.ndarray, size: int) -> np.ndarray:
    """Cuts boxes out of a picture, resized by bilinear sampling.

    OpenCV's `remap` would be faster, but rounds places to 1/32 of a pixel, which moves
    boxes by whole pixels.

    Args:
        image: uint8 `(height, width, 3)`.
        boxes: float32 `(n, 4)`: top, left, bottom, right, as fractions of the height
            and width less 1.
        size: Side of the results.

    Returns:
        float32 `(n, size, size, 3)`, 0..255; middle grey outside the picture.

    Example:
        >>> image = np.arange(4, dtype=np.uint8).reshape(2, 2, 1).repeat(3, axis=2)
        >>> whole = np.array([[0, 0, 1, 1]], np.float32)
        >>> patches(image, whole, 3)[0, :, :, 0].tolist()
        [[0.0, 0.5, 1.0], [1.0, 1.5, 2.0], [2.0, 2.5, 3.0]]
    """
    tops, lefts, bottoms, rights = boxes.T
    y0, y1, ys, within_y = _places(tops, bottoms, image.shape[0], size)
    x0, x1, xs, within_x = _places(lefts, rights, image.shape[1], size)
    rows = lambda y: y[:, :, None]
    columns = lambda x: x[:, None, :]
    at = lambda y, x: image[rows(y), columns(x)].astype(np.float32)
    along = columns(xs)[..., None]
    above = at(y0, x0)
    above += (at(y0, x1) - above) * along
    below = at(y1, x0)
    below += (at(y1, x1) - below) * along
    above += (below - above) * rows(ys)[..., None]
    above[~(rows(within_y) & columns(within_x))] = _MIDDLE_GREY
    return above


def _places(starts, ends, count, size):
    """Where samples lie along one side: pixels before and after, and the way between.

    In float32, as TensorFlow computes it.
    """
    most = np.float32(count - 1)
    steps = (ends - starts) * most / np.float32(size - 1)
    places = starts[:, None] * most + np.arange(size, dtype=np.float32) * steps[:, None]
    within = (places >= 0) & (places <= most)
    places = np.clip(places, 0, most)
    before = np.floor(places)
    after = np.ceil(places).astype(np.intp)
    return before.astype(np.intp), after, places - before, within
