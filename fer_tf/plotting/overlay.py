"""Faces drawn straight onto pixels by OpenCV, fast enough for video and pages.

`fer_tf.plotting.photograph` draws the same more carefully, as a figure.
"""

import cv2
import numpy as np

from fer_tf import labels
from fer_tf.face_types import Face
from fer_tf.plotting.style import COLORS, ink_on

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_faces(image: np.ndarray, faces: list[Face]) -> np.ndarray:
    """Draws boxes, names, numbers and named bars of the probabilities on a copy.

    A face's number is that of its person, or of its track where people are not yet
    known, or its place in the list, from 1. Its bars lie beside it, and are left out
    where they would cover another face or other bars.

    Args:
        image: uint8 RGB `(height, width, 3)`; is not changed.
        faces: From `fer_tf.Predictor`.

    Returns:
        uint8 RGB of the image's shape.

    Example:
        >>> import numpy as np
        >>> from fer_tf.plotting.overlay import draw_faces
        >>> face = {"box": [10, 10, 40, 40], "expression": "fear"}
        >>> face["probabilities"] = {"fear": 1.0}
        >>> picture = draw_faces(np.zeros((60, 80, 3), np.uint8), [face])
        >>> bool(picture[30, 10].any())  # The left line of the box.
        True
    """
    drawn = image.copy()
    taken = [tuple(round(v) for v in face["box"]) for face in faces]
    colors = [COLORS.get(face.get("expression"), "#ffffff") for face in faces]
    for face, box, color in zip(faces, list(taken), colors):
        x, y, w, h = box
        thick = max(1, round(h / 80))
        cv2.rectangle(drawn, (x, y), (x + w, y + h), _rgb(color), thick, cv2.LINE_AA)
        taken.append(_draw_bars(drawn, face.get("probabilities", {}), box, taken))
    for number, (face, color) in enumerate(zip(faces, colors), 1):
        x, y, _, h = (round(v) for v in face["box"])
        _draw_label(drawn, _label(face, number), x, y, h, color)
    return drawn


def _label(face: Face, number: int) -> str:
    # In a video that is still being read, the people are not yet known.
    number = face.get("person", face.get("track", number))
    parts = [] if number is None else [str(number)]
    if "expression" in face:
        name = face["expression"]
        parts.append(f"{name} {face['probabilities'][name]:.0%}")
    for name in ("valence", "arousal"):
        if name in face:
            parts.append(f"{name[0]}{face[name]:+.1f}")
    parts += labels.active_units(face.get("action_units", {}))
    return " ".join(parts)


def _draw_label(drawn, text, x, y, h, color):
    """Writes on the face's colour above the box, or inside where there is no room."""
    scale = min(max(h / 260, 0.35), 1.2)
    thick = max(1, round(1.4 * scale))
    (width, height), below = cv2.getTextSize(text, _FONT, scale, thick)
    bottom = y - 4 if y - height - below - 4 >= 0 else y + height + below + 4
    left = max(0, min(x, drawn.shape[1] - width - 4))
    top_left = (left, bottom - height - below)
    corner = (left + width + 4, bottom + 2)
    cv2.rectangle(drawn, top_left, corner, _rgb(color), cv2.FILLED)
    position = (left + 2, bottom - below + 2)
    ink = _rgb(ink_on(color))
    cv2.putText(drawn, text, position, _FONT, scale, ink, thick, cv2.LINE_AA)


def _draw_bars(drawn, probabilities, box, taken):
    """Draws a named bar for each expression beside the box, where there is room.

    Returns:
        The box of the panel, empty if there was none.
    """
    if not probabilities or box[3] < 40:
        return 0, 0, 0, 0
    scale = min(max(box[3] / 420, 0.3), 0.8)
    size = lambda name: cv2.getTextSize(name, _FONT, scale, 1)[0]
    row = size("M")[1] + max(4, round(8 * scale))
    names = max(size(name)[0] for name in probabilities)
    longest = max(24, round(90 * scale))
    width, height = names + longest + 12, row * len(probabilities) + 4
    place = _free_place(drawn.shape, box, width, height, taken)
    if place is None:
        return 0, 0, 0, 0
    x, y = place
    panel = drawn[y : y + height, x : x + width]
    panel[:] = panel // 4  # A dark ground, through which the picture shows.
    for line, (name, probability) in enumerate(probabilities.items()):
        top = y + 2 + line * row
        base = (x + 4, top + row - max(3, round(4 * scale)))
        cv2.putText(drawn, name, base, _FONT, scale, (255,) * 3, 1, cv2.LINE_AA)
        left, color = x + names + 8, _rgb(COLORS.get(name, "#ffffff"))
        end = (left + round(longest * probability), top + row - 3)
        cv2.rectangle(drawn, (left, top + 2), end, color, cv2.FILLED)
    return x, y, width, height


def _free_place(shape, box, width, height, taken):
    """Corner of a panel right or left of a box, if that is free."""
    x, y, w, h = box
    rows, columns = shape[:2]
    low, right = rows - height, columns - width
    levels = [min(max(level, 0), max(low, 0)) for level in (y, y + h - height)]
    corners = [(side, level) for side in (x + w + 6, x - width - 6) for level in levels]
    if len(taken) == 1:  # Of a face that fills the picture, any corner will do.
        corners += [(right, 0), (0, 0), (right, low), (0, low)]
    for left, top in corners:
        inside = 0 <= left <= right and 0 <= top <= low
        if inside and not any(_meet((left, top, width, height), b) for b in taken):
            return left, top
    return None


def _meet(one, other):
    x, y, w, h = one
    left, top, width, height = other
    return x < left + width and left < x + w and y < top + height and top < y + h


def _rgb(color):
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))
