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
    columns = [*np.linspace(0, room[0], _TRIED), x, x + w - width, x + w, x - width]
    rows = [*np.linspace(0, room[1], _TRIED), y - height, y + h]
    left, top = (grid.ravel() for grid in np.meshgrid(
        np.clip(columns, 0, room[0]), np.clip(rows, 0, room[1])))  # fmt: skip
    free = np.ones(len(left), bool)
    gap = _GAP * height
    for x1, y1, w1, h1 in taken:
        wide = x1 - gap, y1 - gap, w1 + 2 * gap, h1 + 2 * gap
        free &= _overlap(left, top, size, wide) == 0
    if not free.any():
        return None
    covered = sum(_overlap(left, top, size, other) for other in faces)
    cost = (
        np.abs(left - x) / 2 + np.abs(top - (y - height))
    ) / height + _COVER * covered / (width * height)
    best = int(np.argmin(np.where(free, cost, np.inf)))
    return left[best], top[best], width, height


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


def _overlap(left, top, size, box):
    """Area that labels at many corners share with a box."""
    x, y, w, h = box
    across = np.minimum(left + size[0], x + w) - np.maximum(left, x)
    down = np.minimum(top + size[1], y + h) - np.maximum(top, y)
    return np.maximum(across, 0) * np.maximum(down, 0)
