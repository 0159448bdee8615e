"""Faces drawn straight onto pixels by OpenCV, fast enough for video and pages.

`fer_tf.plotting.photograph` draws the same more carefully, as a figure.
"""

import cv2
import numpy as np

from fer_tf import labels
from fer_tf.face_types import Face
from fer_tf.faces.sharpness import doubt
from fer_tf.plotting.style import COLORS, ink_on

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_DOUBTED = "#ffffff"


def draw_faces(image: np.ndarray, faces: list[Face]) -> np.ndarray:
    """Draws boxes, names, numbers and named bars of the probabilities on a copy.

    A face's number is that of its person, or of its track where people are not yet
    known, or its place in the list, from 1. Its bars lie beside it, and are left out
    where they would cover another face, a label or other bars. A face whose reading is
    in doubt has a dashed white box, a white label that says why, and grey bars: see
    `fer_tf.faces.sharpness.doubt`.

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
    boxes = [tuple(round(v) for v in face["box"]) for face in faces]
    doubts = [doubt(face) for face in faces]
    colors = [_DOUBTED if why else COLORS.get(face.get("expression"), _DOUBTED)
              for face, why in zip(faces, doubts)]  # fmt: skip
    words = [_label(face, number, why)
             for number, (face, why) in enumerate(zip(faces, doubts), 1)]  # fmt: skip
    places = [_label_box(image.shape, *pair) for pair in zip(words, boxes)]
    taken = [*boxes, *places]
    for face, box, place, color, why in zip(faces, boxes, places, colors, doubts):
        _draw_box(drawn, box, color, dashed=bool(why))
        probabilities = face.get("probabilities", {})
        panel = _draw_bars(drawn, probabilities, box, place, taken, pale=bool(why))
        taken.append(panel)
    for text, place, box, color in zip(words, places, boxes, colors):
        _draw_label(drawn, text, place, box[3], color)
    return drawn


def _draw_box(drawn, box, color, dashed):
    x, y, w, h = box
    thick = max(1, round(h / 80))
    if not dashed:
        cv2.rectangle(drawn, (x, y), (x + w, y + h), _rgb(color), thick, cv2.LINE_AA)
        return
    # Eight dashes a side, about as long as the gaps between them.
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)], float)
    for start, end in zip(corners, corners[1:]):
        marks = np.linspace(start, end, 16).round().astype(int).tolist()
        for one, other in zip(marks[::2], marks[1::2]):
            cv2.line(drawn, one, other, _rgb(color), thick, cv2.LINE_AA)


def _label(face: Face, number: int, why: str = "") -> str:
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
    text = " ".join(parts)
    return f"{text}? {why}" if why else text


def _letters(height):
    """Scale and thickness of the letters of a label, by the height of its face."""
    scale = min(max(height / 260, 0.35), 1.2)
    return scale, max(1, round(1.4 * scale))


def _label_box(shape, text, box):
    """The box of a label: above a face, or inside its box where there is no room."""
    x, y, _, h = box
    (width, height), below = cv2.getTextSize(text, _FONT, *_letters(h))
    height += below + 2
    top = y - height - 2 if y >= height + 2 else y + 4
    return max(0, min(x, shape[1] - width - 4)), top, width + 4, height


def _draw_label(drawn, text, place, face_height, color):
    """Writes on the face's colour."""
    left, top, width, height = place
    scale, thick = _letters(face_height)
    _, below = cv2.getTextSize(text, _FONT, scale, thick)
    corner = (left + width, top + height)
    cv2.rectangle(drawn, (left, top), corner, _rgb(color), cv2.FILLED)
    position, ink = (left + 2, top + height - below), _rgb(ink_on(color))
    cv2.putText(drawn, text, position, _FONT, scale, ink, thick, cv2.LINE_AA)


def _draw_bars(drawn, probabilities, box, label, taken, *, pale=False):
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
    place = _free_place(drawn.shape, box, label, width, height, taken)
    if place is None:
        return 0, 0, 0, 0
    x, y = place
    panel = drawn[y : y + height, x : x + width]
    panel[:] = panel // 4  # A dark ground, through which the picture shows.
    for line, (name, probability) in enumerate(probabilities.items()):
        top = y + 2 + line * row
        base = (x + 4, top + row - max(3, round(4 * scale)))
        cv2.putText(drawn, name, base, _FONT, scale, (255,) * 3, 1, cv2.LINE_AA)
        left, color = x + names + 8, _rgb(COLORS.get(name, _DOUBTED))
        if pale:
            color = tuple(90 + value // 4 for value in color)
        end = (left + round(longest * probability), top + row - 3)
        cv2.rectangle(drawn, (left, top + 2), end, color, cv2.FILLED)
    return x, y, width, height


def _free_place(shape, box, label, width, height, taken):
    """Corner of a panel right or left of a box, if that is free.

    It begins at the height of the box or below the label, or ends with the box.
    """
    x, y, w, h = box
    below = label[1] + label[3] + 2
    rows, columns = shape[:2]
    low, right = rows - height, columns - width
    levels = [min(max(level, 0), max(low, 0)) for level in (y, below, y + h - height)]
    corners = [(side, level) for side in (x + w + 6, x - width - 6) for level in levels]
    if len(taken) == 2:  # A face alone and its label: any corner will do.
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
