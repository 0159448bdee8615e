"""Photographs and landmarks -> crops, by NumPy and OpenCV alone.

Points are `(x, y)` in pixels, where (0, 0) is the centre of the first pixel;
boxes are `[x, y, width, height]` between the same kind of points. "Left" is the
left of the image throughout.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike

from fer_tf.arguments import require
from fer_tf.faces.crop_spec import CropSpec

_INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}

# Five points as groups of points to average: eyes, nose, mouth corners.
_FIVE = {
    5: ((0,), (1,), (2,), (3,), (4,)),
    37: (range(13, 19), range(19, 25), (7,), (25,), (31,)),  # RAF-DB, Face++
    68: (range(36, 42), range(42, 48), (30,), (48,), (54,)),  # iBUG, CK+
}

# No intermediate picture is larger than this, so that landmarks from a broken
# annotation cannot ask for gigabytes.
_LARGEST_SIDE = 8192


def align(image: np.ndarray, landmarks: ArrayLike, spec: CropSpec) -> np.ndarray:
    """Crops a face so that its landmarks lie as near the template as possible.

    Args:
        image: uint8 RGB `(height, width, 3)`.
        landmarks: Five points `(5, 2)`, see `landmarks5`.
        spec: With the transform `"similarity"` or `"affine"`.

    Returns:
        uint8 `(size, size, 1)` or `(size, size, 3)`; black outside the image.

    Raises:
        ValueError: If the image or the landmarks are not as above, or the
            landmarks define no transform.

    >>> from fer_tf.faces.crop_spec import CROP_SPECS
    >>> photo = np.zeros((200, 300, 3), np.uint8)
    >>> landmarks = [(120, 80), (160, 80), (140, 100), (125, 120), (155, 120)]
    >>> align(photo, landmarks, CROP_SPECS["meen"]).shape
    (48, 48, 1)
    """
    return warp(image, align_matrix(landmarks, spec), spec)


def crop_box(image: np.ndarray, box: ArrayLike, spec: CropSpec) -> np.ndarray:
    """Square crop around a box `[x, y, width, height]`, widened by the margin.

    Takes and returns what `align` does; any transform of the spec will do.

    Raises:
        ValueError: Also if the box is empty or lies outside the image.

    >>> from fer_tf.faces.crop_spec import CROP_SPECS
    >>> photo = np.zeros((200, 300, 3), np.uint8)
    >>> crop_box(photo, [100, 50, 80, 90], CROP_SPECS["zhang2020"]).shape
    (112, 112, 3)
    """
    image = require_rgb(image)
    x, y, w, h = _check_points(box, "box", (4,))
    if not overlaps([(x, y), (x + w, y + h)], image.shape):
        raise ValueError(f"`box` lies outside the image. Received: box={list(box)}.")
    return warp(image, box_matrix(box, spec), spec)


def overlaps(points: ArrayLike, shape: Sequence[int]) -> bool:
    """Whether the rectangle around points `(n, 2)` shares a pixel with an image.

    Args:
        points: Image points; one that is not finite lies outside.
        shape: Of the image, height first.

    >>> overlaps([(90, 10), (120, 30)], (50, 100))
    True
    """
    points = np.asarray(points, np.float64)
    size = np.array((shape[1], shape[0]))
    low, high = points.min(axis=0), points.max(axis=0)
    return bool(((high > -0.5) & (low < size - 0.5)).all())


def whole(image: np.ndarray, spec: CropSpec) -> np.ndarray:
    """The whole image as a crop: for pictures that are crops of faces already.

    One that is not square is centred between black bars. Takes and returns
    what `align` does; any transform of the spec will do.

    >>> from fer_tf.faces.crop_spec import CROP_SPECS
    >>> whole(np.zeros((60, 50, 3), np.uint8), CROP_SPECS["gan2020"]).shape
    (224, 224, 3)
    """
    image = require_rgb(image)
    return warp(image, whole_matrix(image.shape[:2], spec), spec)


def align_matrix(landmarks: ArrayLike, spec: CropSpec) -> np.ndarray:
    """The `(2, 3)` matrix by which `align` maps image points to crop points.

    Raises:
        ValueError: If the landmarks are not five finite points or define no transform,
            or the spec's transform is not one by landmarks.
    """
    points = _check_points(landmarks, "landmarks", (5, 2))
    if spec.transform not in ("similarity", "affine"):
        raise ValueError(
            "`spec.transform` must be similarity or affine to align by landmarks. "
            f"Received: transform={spec.transform!r}."
        )
    fit = _similarity if spec.transform == "similarity" else _affine
    return fit(points, template_points(spec))


def box_matrix(box: ArrayLike, spec: CropSpec) -> np.ndarray:
    """The `(2, 3)` matrix by which `crop_box` maps image points to crop points.

    Raises:
        ValueError: If the box is not four finite numbers, or is empty.
    """
    x, y, w, h = _check_points(box, "box", (4,))
    require(w > 0 and h > 0, "have a positive width and height", box=list(box))
    side = max(w, h) * (1 + 2 * spec.margin)
    return _square_matrix((x + w / 2, y + h / 2), side, spec.size)


def whole_matrix(shape: Sequence[int], spec: CropSpec) -> np.ndarray:
    """The `(2, 3)` matrix by which `whole` maps the points of an image.

    Args:
        shape: The image's `(height, width)`.
        spec: Of the crop.
    """
    height, width = shape
    center = ((width - 1) / 2, (height - 1) / 2)
    return _square_matrix(center, max(height, width), spec.size)


def template_points(spec: CropSpec) -> np.ndarray:
    """The spec's template in pixels of the crop, float64 `(5, 2)`."""
    return np.asarray(spec.template, np.float64) * spec.size - 0.5


def transform_points(points: ArrayLike, matrix: ArrayLike) -> np.ndarray:
    """Points `(n, 2)` mapped by a `(2, 3)` matrix, float64 `(n, 2)`.

    >>> transform_points([(1, 2)], [[2, 0, 10], [0, 2, 20]]).tolist()
    [[12.0, 24.0]]
    """
    matrix = np.asarray(matrix, np.float64)
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def landmarks5(points: ArrayLike) -> np.ndarray:
    """Eye centres, nose tip and mouth corners of any set of points that we read.

    Args:
        points: `(68, 2)` in the order of iBUG and CK+, `(37, 2)` of RAF-DB's
            automatic annotation, or `(5, 2)` already.

    Returns:
        float64 `(5, 2)`. An eye's centre is the mean of its outline.

    Raises:
        ValueError: If it is another number of points.

    >>> landmarks5(np.arange(136).reshape(68, 2))[0].tolist()  # Points 36 to 41.
    [77.0, 78.0]
    """
    points = _check_count(points)
    return np.stack([points[list(group)].mean(axis=0) for group in _FIVE[len(points)]])


def to_color(image: np.ndarray, color: str) -> np.ndarray:
    """RGB `(height, width, 3)` as `"rgb"`, or `"grey"` with one channel.

    Grey is 0.299 R + 0.587 G + 0.114 B; equal channels keep their value.
    """
    if color == "rgb":
        return image
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]


def warp(image: np.ndarray, matrix: ArrayLike, spec: CropSpec) -> np.ndarray:
    """Crop of an image under a `(2, 3)` matrix from image to crop points.

    Where the crop would shrink the image, a larger crop that does not is sampled first
    and then averaged, so that nothing aliases.
    """
    image, matrix = _region(require_rgb(image), np.asarray(matrix, np.float64), spec)
    shrink = 1 / max(np.linalg.svd(matrix[:, :2], compute_uv=False)[-1], 1e-9)
    times = int(np.clip(np.ceil(shrink - 1e-6), 1, max(1, _LARGEST_SIDE // spec.size)))
    # Point p of the crop is point times * (p + 1/2) - 1/2 of the larger one.
    larger = matrix * times
    larger[:, 2] += (times - 1) / 2
    side = spec.size * times
    crop = cv2.warpAffine(
        image,
        larger,
        (side, side),
        flags=_INTERPOLATIONS[spec.interpolation],
        borderMode=cv2.BORDER_CONSTANT,
    )
    if times > 1:
        crop = cv2.resize(crop, (spec.size, spec.size), interpolation=cv2.INTER_AREA)
    crop = to_color(crop, spec.color)
    if spec.channel_order == "bgr" and spec.color == "rgb":
        crop = np.ascontiguousarray(crop[..., ::-1])
    return crop


def _region(image, matrix, spec):
    """The part of an image that a crop shows, and the matrix from that part.

    It is framed by one repeated pixel, so that black begins outside the image:
    interpolating with black would darken the rim of a crop.
    """
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]) + 1e-15 * np.eye(3))
    side = spec.size
    corners = np.array([(x, y) for x in (-1, side) for y in (-1, side)])
    points = transform_points(corners, inverse[:2])
    limits = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(points.min(axis=0)) - 2, 0, limits - 1).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + 3, low + 1, limits).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    part = cv2.copyMakeBorder(part, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    return part, np.column_stack(
        [matrix[:, :2], transform_points([low - 1], matrix)[0]]
    )


def _similarity(source, target) -> np.ndarray:
    """Least-squares rotation, scale and shift, `(2, 3)`.

    With points as complex numbers it is the regression w = a z + b, whose
    solution is closed and never a reflection.
    """
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    centered = z - z.mean()
    spread = np.vdot(centered, centered).real
    a = np.vdot(centered, w) / spread if spread > 0 else 0
    require(abs(a) >= 1e-9, "not coincide", landmarks=source.tolist())
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def _affine(source, target) -> np.ndarray:
    """Least-squares affine map, `(2, 3)`."""
    design = np.column_stack([source, np.ones(len(source))])
    # Relative to the landmarks' extent, independent of their place in the image.
    spread = np.linalg.svd(source - source.mean(axis=0), compute_uv=False)
    plane = spread[1] > 1e-6 * max(spread[0], 1e-6)
    require(plane, "not lie on a line", landmarks=source.tolist())
    return np.linalg.lstsq(design, target, rcond=None)[0].T


def _square_matrix(center, side, size) -> np.ndarray:
    """Maps the square of a side around a centre to the crop, edge to edge."""
    scale = size / side
    shift = (size - 1) / 2 - scale * np.asarray(center, np.float64)
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def require_rgb(image, *, may_be_empty: bool = False) -> np.ndarray:
    """The picture, if it is one that the detector and `align` take.

    Raises:
        ValueError: If it is none, with its shape and type.
    """
    shape, dtype = getattr(image, "shape", None), getattr(image, "dtype", None)
    fits = dtype == np.uint8 and len(shape) == 3 and shape[2] == 3
    if not fits or (0 in shape and not may_be_empty):
        raise ValueError(
            "`image` must be uint8 RGB of the shape (height, width, 3). "
            f"Received: shape={shape}, dtype={dtype}."
        )
    return np.asarray(image)


def _check_points(points, name, shape) -> np.ndarray:
    """Numbers as float64, if they are finite and shaped as asked."""
    array = np.asarray(points, np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(
            f"`{name}` must be finite numbers of the shape {shape}. "
            f"Received: {name}={np.asarray(points).tolist()}."
        )
    return array


def _check_count(points) -> np.ndarray:
    """Points as float64 `(n, 2)`, if we know that many."""
    array = np.asarray(points, np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or len(array) not in _FIVE:
        raise ValueError(
            f"`points` must have the shape (n, 2) with n one of {sorted(_FIVE)}. "
            f"Received: shape={array.shape}."
        )
    return array
