"""Faces drawn on a frame of a video, their bars beside them.

`fer_tf.plotting.photograph` has room for the bars beside the picture.
"""

import numpy as np

from fer_tf import labels
from fer_tf.face_types import Face
from fer_tf.faces.sharpness import doubt
from fer_tf.plotting import pixels
from fer_tf.plotting.placing import place_one_of

# Height of the least face that has bars.
_LEAST = 40


def draw_faces(image: np.ndarray, faces: list[Face]) -> np.ndarray:
    """Draws boxes, names, numbers and named bars of the probabilities on a copy.

    A face's number is that of its person, or of its track where people are not yet
    known, or its place in the list, from 1. Labels cover neither each other nor, where
    there is room, faces; where a label has no room it is the number alone. Bars lie
    beside their face, and are left out where they would cover another face, a label or
    other bars. A face whose reading is in doubt has a dashed white box, a white label
    that says why, and grey bars: see `fer_tf.faces.sharpness.doubt`.

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
    labelled = _placed_labels(image.shape, faces, boxes, doubts)
    taken = [*boxes, *(place for _, place, _ in labelled if place)]
    for face, box, why, (_, place, _) in zip(faces, boxes, doubts, labelled):
        thick = max(1, round(box[3] / 80))
        color = _color(face, why)
        pixels.draw_box(drawn, box, color, thick=thick, dashed=bool(why))
        probabilities = face.get("probabilities", {})
        taken += _draw_bars(drawn, probabilities, box, place, taken, pale=bool(why))
    for face, why, (text, place, letters) in zip(faces, doubts, labelled):
        if place:
            pixels.draw_label(drawn, text, place, _color(face, why), letters)
    return drawn


def _color(face, why):
    return pixels.PLAIN if why else pixels.color_of(face.get("expression"))


def _number(face, number):
    # In a video that is still being read, the people are not yet known.
    return face.get("person", face.get("track", number))


def _label(face: Face, number: int, why: str = "") -> str:
    number = _number(face, number)
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


def _letters(face_height, picture_height):
    """Pixels of the letters of a label: they grow with the face, within limits."""
    return round(max(12, min(face_height / 9, picture_height / 22)))


def _placed_labels(shape, faces, boxes, doubts):
    """Text, box and size of letters of each label; no box where it has no room."""
    found, taken = [], []
    for number, (face, box, why) in enumerate(zip(faces, boxes, doubts), 1):
        texts = _label(face, number, why), str(_number(face, number) or "")
        letters = _letters(box[3], shape[0])
        sizes = [pixels.label_size(text, letters) for text in texts]
        shown, place = place_one_of(sizes, box, taken, boxes, shape[1::-1])
        if place is not None:
            taken.append(place)
        found.append((texts[shown], place, letters))
    return found


def _draw_bars(drawn, probabilities, box, label, taken, *, pale=False):
    """Draws a named bar for each expression beside the box, where there is room.

    Returns:
        A list of the panel's box, empty if there was none.
    """
    if not probabilities or box[3] < _LEAST:
        return []
    size = round(max(10, min(box[3] / 16, drawn.shape[0] / 34)))
    row = round(1.25 * size)
    names = max(pixels.text_size(name, size)[0] for name in probabilities)
    longest = 4 * size
    width, height = names + longest + 12, row * len(probabilities) + 4
    place = _free_place(drawn.shape, box, label or box, width, height, taken)
    if place is None:
        return []
    x, y = place
    panel = drawn[y : y + height, x : x + width]
    panel[:] = panel // 4  # A dark ground, through which the picture shows.
    for line, (name, probability) in enumerate(probabilities.items()):
        top = y + 2 + line * row
        pixels.write(drawn, name, (x + 4, top), size, pixels.PLAIN)
        bar = (x + names + 8, top + 2, longest, row - 4)
        pixels.draw_bar(drawn, bar, probability, pixels.color_of(name), pale=pale)
    return [(x, y, width, height)]


def _free_place(shape, box, label, width, height, taken):
    """Corner of a panel right or left of a box, if that is free.

    It begins at the height of the box or below the label, or ends with the box.
    """
    x, y, w, h = box
    below = round(label[1] + label[3] + 2)
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
