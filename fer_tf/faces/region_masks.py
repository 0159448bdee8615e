"""Ground-truth masks of the eight facial regions of Gan et al.

Paper: "Multiple Attention Network for Facial Expression Recognition", IEEE
Access 2020, Sec. III-A.1, Table 2 and Eq. 4.

Deviations, and what the paper leaves open:
    - Table 2 gives eyes with brows 0.36 W x 0.72 H and mouth with nose
      0.36 W x 0.54 H. Two eyes do not fit a strip that narrow, so width and
      height are taken as swapped; `region_sizes="literal"` keeps the print.
    - Figure 4, which shows the eight landmarks, is lost. Table 2 implies that
      l2 and l5 are the outer, l3 and l4 the inner eye corners; l8, with l1 the
      middle of mouth and nose, is taken as the bottom of the lower lip.
    - Eq. 4 compares a cell's index with a coordinate, which shifts masks by
      half a cell against the pixels the cell covers. That is the default;
      `cell_anchor="center"` compares the cell's centre.
"""

import numpy as np

from fer_tf.arguments import require_one_of

REGIONS = (
    "whole",
    "eyes_brows",
    "mouth_nose",
    "left_eye",
    "right_eye",
    "nose",
    "left_mouth_corner",
    "right_mouth_corner",
)

# l1..l8 in longer lists: nose tip, left eye outer and inner, right eye inner
# and outer, mouth corners, lower lip. "Left" is the picture's left.
_INDICES = {
    8: (0, 1, 2, 3, 4, 5, 6, 7),
    37: (7, 13, 16, 19, 22, 25, 31, 34),  # RAF-DB's automatic points.
    68: (30, 36, 39, 42, 45, 48, 54, 57),  # iBUG's, also of CK+.
}

# The two landmarks whose mean is the centre of regions 2..8, from 0.
_CENTRES = ((1, 4), (0, 7), (1, 2), (3, 4), (0, 0), (5, 5), (6, 6))
_SMALL = (0.27, 0.27)
_SIZES = {  # Width and height as fractions of the image's, regions 2 and 3.
    "swapped": ((0.72, 0.36), (0.54, 0.36)),
    "literal": ((0.36, 0.72), (0.36, 0.54)),
}


def eight_landmarks(points: np.ndarray) -> np.ndarray:
    """Picks l1..l8 out of a list of facial points.

    Five points have eye centres in place of corners, which gives the same
    centres of regions, and no lower lip: it is put below the mouth by 0.8 of
    the way from nose to mouth.

    Args:
        points: `(..., n, 2)` of (x, y). `n` is 5 (eyes, nose, mouth corners),
            8, 37 (RAF-DB) or 68 (iBUG, CK+).

    Returns:
        `(..., 8, 2)` float64.

    Raises:
        ValueError: If `points` has another shape.
    """
    points = np.asarray(points, np.float64)
    count = points.shape[-2] if points.ndim >= 2 and points.shape[-1] == 2 else None
    if count == 5:
        eye_left, eye_right, nose, mouth_left, mouth_right = np.moveaxis(points, -2, 0)
        mouth = (mouth_left + mouth_right) / 2
        lip = mouth + 0.8 * (mouth - nose)
        return np.stack(
            [nose, eye_left, eye_left, eye_right, eye_right]
            + [mouth_left, mouth_right, lip],
            axis=-2,
        )
    if count not in _INDICES:
        raise ValueError(
            "`points` must have shape (..., n, 2) with n of 5, 8, 37 or 68. "
            f"Received: shape={points.shape}."
        )
    return points[..., _INDICES[count], :]


def region_boxes(
    points: np.ndarray,
    *,
    image_size: tuple[int, int] = (224, 224),
    region_sizes: str = "swapped",
) -> np.ndarray:
    """Centre and size of each region, Table 2.

    Args:
        points: As `eight_landmarks` takes them, in pixels of the crop.
        image_size: Height and width of the crop.
        region_sizes: `"swapped"`, or `"literal"` for the sizes as printed.

    Returns:
        `(..., 8, 4)` of (x, y, w, h), in the order of `REGIONS`.

    Raises:
        ValueError: If `region_sizes` or the shape of `points` is another.
    """
    require_one_of(_SIZES, region_sizes=region_sizes)
    landmarks = eight_landmarks(points)
    scale = np.array(image_size[::-1], np.float64)  # (W, H)
    pairs = np.array(_CENTRES)
    centres = (landmarks[..., pairs[:, 0], :] + landmarks[..., pairs[:, 1], :]) / 2
    sizes = np.array(_SIZES[region_sizes] + (_SMALL,) * 5) * scale
    local = np.concatenate(np.broadcast_arrays(centres, sizes), axis=-1)
    whole = np.broadcast_to(
        np.concatenate([scale / 2, scale]), (*local.shape[:-2], 1, 4)
    )
    return np.concatenate([whole, local], axis=-2)


def region_masks(
    points: np.ndarray,
    *,
    image_size: tuple[int, int] = (224, 224),
    stride: int = 16,
    region_sizes: str = "swapped",
    cell_anchor: str = "corner",
) -> np.ndarray:
    """Binary masks that RASnet learns, Eq. 4.

    Cell (row j, column i) of a region is 1 where `x - w/2 <= i / lambda <=
    x + w/2` and likewise for j, y and h, with `lambda = 1 / stride`.

    Args:
        points: As `eight_landmarks` takes them, in pixels of the crop.
        image_size: Height and width of the crop.
        stride: Pixels to a cell; the MA block follows four pools.
        region_sizes: As in `region_boxes`.
        cell_anchor: `"corner"` tests a cell's index, as printed; `"center"`
            the index plus a half.

    Returns:
        `(..., rows, columns, 8)` float32 of 0 and 1, in the order of `REGIONS`.

    Raises:
        ValueError: If an argument is none of the values above.

    >>> region_masks(np.full((5, 2), 112.0)).shape
    (14, 14, 8)
    """
    require_one_of(("corner", "center"), cell_anchor=cell_anchor)
    boxes = region_boxes(points, image_size=image_size, region_sizes=region_sizes)
    offset = 0.5 if cell_anchor == "center" else 0.0

    def inside(centre, extent, length):
        cells = np.arange(length // stride) + offset
        low, high = (centre - extent / 2) / stride, (centre + extent / 2) / stride
        return (low[..., None] <= cells) & (cells <= high[..., None])

    columns = inside(boxes[..., 0], boxes[..., 2], image_size[1])
    rows = inside(boxes[..., 1], boxes[..., 3], image_size[0])
    masks = rows[..., :, None] & columns[..., None, :]  # (..., 8, rows, columns)
    return np.moveaxis(masks, -3, -1).astype(np.float32)
