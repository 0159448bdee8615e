"""Faces drawn straight onto pixels by OpenCV, fast enough for video and pages.

`fer_tf.plotting.photograph` draws the same more carefully, as a figure.
"""

import cv2
import numpy as np

from fer_tf import labels
from fer_tf.face_types import Face
from fer_tf.plotting.style import COLORS

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_faces(image: np.ndarray, faces: list[Face]) -> np.ndarray:
    """Draws boxes, names, numbers and bars of the probabilities on a copy.

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
    for face in faces:
        color = _rgb(COLORS.get(face.get("expression"), "#ffffff"))
        x, y, w, h = (round(v) for v in face["box"])
        thick = max(1, round(h / 80))
        cv2.rectangle(drawn, (x, y), (x + w, y + h), color, thick, cv2.LINE_AA)
        _draw_label(drawn, _label(face), x, y, h, color)
        _draw_bars(drawn, face.get("probabilities", {}), x, y, w, h)
    return drawn


def _label(face: Face) -> str:
    parts = []
    if "track_id" in face:
        parts.append(str(face["track_id"]))
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
    cv2.rectangle(drawn, top_left, (left + width + 4, bottom + 2), color, cv2.FILLED)
    bright = sum(color) > 400
    ink = (20, 20, 20) if bright else (255, 255, 255)
    position = (left + 2, bottom - below + 2)
    cv2.putText(drawn, text, position, _FONT, scale, ink, thick, cv2.LINE_AA)


def _draw_bars(drawn, probabilities, x, y, w, h):
    """Draws a bar for each expression below the box, at most as wide as it."""
    if not probabilities or h < 48:
        return
    high, gap = max(2, h // 48), max(1, h // 160)
    bottom = y + h + gap + 2
    for name, probability in probabilities.items():
        end = (x + round(w * probability), bottom + high)
        cv2.rectangle(
            drawn, (x, bottom), end, _rgb(COLORS.get(name, "#ffffff")), cv2.FILLED
        )
        bottom += high + gap


def _rgb(color):
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))
