"""Places for labels in a picture where they cover neither each other nor faces."""

import numpy as np

# Places that are tried along each side of the picture.
_TRIED = 80
# Between two labels, in heights of a label.
_GAP = 0.25
# Covering a whole face is as bad as standing this many label heights away.
_COVER = 12


def place_label(
    size: tuple[float, float],
    face: tuple[float, float, float, float],
    taken: list[tuple[float, float, float, float]],
    faces: list[tuple[float, float, float, float]],
    picture: tuple[float, float],
) -> tuple[float, float, float, float] | None:
    """The best free place of a label: close above its face, and on no other.

    Args:
        size: Width and height of the label.
        face: Box of the face that it names; boxes are `(x, y, width, height)`, with y
            downwards.
        taken: Boxes of labels, from which it keeps a quarter of its height away.
        faces: Boxes that it had better not cover.
        picture: Width and height of the picture, which it must lie in.

    Returns:
        Its box, or None if there is no room.

    Example:
        >>> from fer_tf.plotting.placing import place_label
        >>> box = (40, 50, 20, 20)
        >>> [float(v) for v in place_label((30, 10), box, [], [box], (200, 100))]
        [40.0, 40.0, 30.0, 10.0]
    """
    width, height = size
    room = picture[0] - width, picture[1] - height
    if min(room) < 0:
        return None
    x, y, w, h = face
    lefts = [*np.linspace(0, room[0], _TRIED), x, x + w - width, x + w, x - width]
    tops = [*np.linspace(0, room[1], _TRIED), y - height, y + h]
    lefts, tops = np.clip(lefts, 0, room[0]), np.clip(tops, 0, room[1])
    gap = _GAP * height
    wide = [(u - gap, v - gap, m + 2 * gap, n + 2 * gap) for u, v, m, n in taken]
    away = np.abs(tops - (y - height))[:, None] + np.abs(lefts - x) / 2
    covered = _covered(lefts, tops, size, faces)
    cost = away / height + _COVER * covered / (width * height)
    cost[_covered(lefts, tops, size, wide) > 0] = np.inf
    row, column = np.unravel_index(np.argmin(cost), cost.shape)
    if np.isinf(cost[row, column]):
        return None
    return lefts[column], tops[row], width, height


def place_one_of(
    sizes: list[tuple[float, float]],
    face: tuple[float, float, float, float],
    taken: list[tuple[float, float, float, float]],
    faces: list[tuple[float, float, float, float]],
    picture: tuple[float, float],
) -> tuple[int, tuple[float, float, float, float] | None]:
    """The first of several labels of a face, longest first, that can stand beside it.

    A label far from its face would be taken for that of another face. Where none has
    room beside it, the last stands wherever there is room.

    Args:
        sizes: Width and height of each label.
        face: See `place_label`.
        taken: See `place_label`.
        faces: See `place_label`.
        picture: See `place_label`.

    Returns:
        Number of the label in `sizes`, and its box, which is None if there is no room.

    Example:
        >>> from fer_tf.plotting.placing import place_one_of
        >>> box = (0, 0, 20, 20)
        >>> number, place = place_one_of([(90, 10), (30, 10)], box, [], [box], (60, 60))
        >>> number, [float(value) for value in place]
        (1, [20.0, 0.0, 30.0, 10.0])
    """
    place = None
    for number, size in enumerate(sizes):
        place = place_label(size, face, taken, faces, picture)
        if place is not None and _apart(place, face) <= place[3]:
            return number, place
    return len(sizes) - 1, place


def _apart(one, other):
    """The larger of the gaps between two boxes, across and down."""
    x, y, w, h = one
    left, top, width, height = other
    return max(left - x - w, x - left - width, top - y - h, y - top - height)


def _covered(lefts, tops, size, boxes):
    """Area `(rows, columns)` that labels at many corners share with boxes."""
    x, y, w, h = np.array([*boxes, (0, 0, 0, 0)], float).T[..., None]
    across = np.minimum(lefts + size[0], x + w) - np.maximum(lefts, x)
    down = np.minimum(tops + size[1], y + h) - np.maximum(tops, y)
    # The area is a product of the two: summed over the boxes, one of matrices.
    return np.maximum(down, 0).T @ np.maximum(across, 0)
