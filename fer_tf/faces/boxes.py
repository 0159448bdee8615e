"""Arithmetic of MTCNN's candidate boxes, by NumPy.

Boxes are float64 `(n, 4)`: left, top, right, bottom. The rules are those of the
`mtcnn` package, including where they are not the textbook's.
"""

import numpy as np

# Rows of overlaps computed at once, so that a crowd needs no n x n matrix.
_BLOCK = 256
_EARLIER = np.tri(_BLOCK, k=-1, dtype=bool)


def by_confidence(confidences) -> np.ndarray:
    """Indices from the most confident to the least; ties as in the package."""
    return np.argsort(confidences)[::-1]


def suppress(boxes, threshold: float, *, over_smaller: bool = False) -> np.ndarray:
    """Indices of the boxes that no earlier one overlaps by more than a threshold.

    Unlike in the textbook, an earlier box suppresses later ones even if it is
    itself suppressed.

    Args:
        boxes: `(n, 4)`, the most confident first.
        threshold: Of intersection over union.
        over_smaller: Over the smaller of the two areas instead.
    """
    lefts, tops, rights, bottoms = boxes.T
    areas = (rights - lefts) * (bottoms - tops)
    kept = np.zeros(len(boxes), bool)
    for start in range(0, len(boxes), _BLOCK):
        later = slice(start, start + _BLOCK)
        earlier = slice(0, start + _BLOCK)
        widths = _overlap(lefts, rights, later, earlier)
        heights = _overlap(tops, bottoms, later, earlier)
        shared = widths * heights
        if over_smaller:
            whole = np.minimum(areas[later, None], areas[earlier])
        else:
            whole = areas[later, None] + areas[earlier] - shared
        # Multiplied out: degenerate boxes have no area to divide by.
        high = shared > threshold * whole
        high[:, start:] &= _EARLIER[: len(high), : len(high)]
        kept[later] = ~high.any(axis=1)
    return np.flatnonzero(kept)


def _overlap(lows, highs, later, earlier):
    """Shared length of each of the later with each of the earlier intervals."""
    low = np.maximum(lows[later, None], lows[earlier])
    high = np.minimum(highs[later, None], highs[earlier])
    return np.maximum(high - low, 0)


def squared(boxes) -> np.ndarray:
    """The squares about the boxes' centres, as long as their longer sides."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    sides = sizes.max(axis=1, keepdims=True)
    corners = boxes[:, :2] + sizes * 0.5 - sides * 0.5
    return np.concatenate([corners, corners + sides], axis=1)


def refined(boxes, offsets) -> np.ndarray:
    """Boxes moved by offsets `(n, 4)` in units of their sizes."""
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + offsets * np.tile(sizes, 2)


def landmark_points(boxes, fractions) -> np.ndarray:
    """Landmarks `(n, 5, 2)` from fractions `(n, 10)` of boxes, the xs first."""
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    points = fractions.reshape(-1, 2, 5).transpose(0, 2, 1)
    return points * sizes[:, None] + boxes[:, None, :2] - 1


def proposed(places, outputs, level):
    """Boxes that P-Net proposes at one level of the pyramid.

    Args:
        places: `(n, 2)` rows and columns of P-Net's outputs on a sheet.
        outputs: float32 `(n, 5)`, there: four offsets and the logit of a face.
        level: The `pyramid.Level`; what lies outside it is left out.

    Returns:
        `(n, 4)` boxes in pixels of the image and `(n,)` confidences, both from
        the most confident.
    """
    ys, xs = (places - (level.top // 2, level.left // 2)).T
    # Two convolutions of 3 x 3 behind a pooling of 2 x 2 behind one of 3 x 3.
    rows, columns = (level.height - 1) // 2 - 4, (level.width - 1) // 2 - 4
    inside = np.flatnonzero((0 <= ys) & (ys < rows) & (0 <= xs) & (xs < columns))
    # In float32, where many a confident box is exactly as confident as its
    # neighbour: ranked by their logits, others would survive than in the package.
    confidences = 1 / (1 + np.exp(-outputs[inside, 4]))
    order = by_confidence(confidences)
    confidences, inside = confidences[order], inside[order]
    xs, ys = xs[inside], ys[inside]
    # The window of 12 pixels counts from 1 to 12, so its size as 11.
    windows = 2.0 * np.stack([xs, ys, xs, ys], axis=1) + (1, 1, 12, 12)
    return (windows + 11.0 * outputs[inside, :4]) / level.scale, confidences
