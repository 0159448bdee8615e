"""A photograph with its faces boxed, and bars of the readings beside it."""

import math

import cv2
import numpy as np
from PIL import Image

from fer_tf.face_table import NO_FACE
from fer_tf.face_types import Face
from fer_tf.faces.sharpness import doubt
from fer_tf.plotting import pixels
from fer_tf.plotting.colors import COLORS, INK, rgb
from fer_tf.plotting.placing import place_one_of

# Pixels: width of the panel of bars.
_PANEL = 300
# Widest, and highest, ratio of the photograph's sides.
_WIDEST = 4.0
_MOST_BARS = 4
# Pixels of the height of the least face whose landmarks are drawn: they hide others.
_LEAST_MARKED = 60
# Pixels of letters, and between two things.
_LETTERS, _GAP = 15, 8
# Pixels: the most and the least of a row of bars, and of the title above them.
_ROW, _LEAST_ROW, _TITLE = 24, 12, 22


def annotated(
    image: np.ndarray, faces: list[Face], *, height: int = 576
) -> Image.Image:
    """A photograph with its faces boxed, and their readings beside it.

    A face whose reading is in doubt has a dashed box, a white label that says why, and
    pale bars: see `fer_tf.faces.sharpness.doubt`. Labels cover neither each other nor,
    where there is room, faces; where a label has no room it is a number, and in a
    picture that is too small for that there is none. A picture without faces says so.

    Args:
        image: uint8 RGB `(height, width, 3)`.
        faces: From `fer_tf.Predictor`.
        height: Of the drawn picture, in pixels. Letters and bars stay as large.

    Returns:
        An RGB picture.

    Example:
        >>> import numpy as np
        >>> from fer_tf.plotting.photograph import annotated
        >>> face = {"box": [10, 10, 40, 40], "landmarks": [[30, 30]] * 5}
        >>> face |= {"expression": "fear", "probabilities": {"fear": 1.0}}
        >>> annotated(np.zeros((90, 120, 3), np.uint8), [face]).size
        (1068, 576)
    """
    photo, scale, corner = _fitted(image, height)
    boxes = [_moved(face["box"], scale, corner) for face in faces]
    doubts = [doubt(face) for face in faces]
    for face, box, why in zip(faces, boxes, doubts):
        color = _color(face, why)
        pixels.draw_box(photo, box, color, dashed=bool(why))
        if box[3] >= _LEAST_MARKED:
            points = np.multiply(face["landmarks"], scale) + corner
            _draw_landmarks(photo, points, color)
    _draw_labels(photo, faces, boxes, doubts)
    if faces:
        photo = np.hstack([photo, _panel(faces, doubts, height)])
    else:
        _say_that_there_is_none(photo)
    return Image.fromarray(photo)


def _fitted(image, high):
    """The picture at the height of all, and how its own pixels lie in it.

    A narrow strip of a picture gets white beside it: in its own shape, it could be of
    any size.
    """
    height, width = image.shape[:2]
    wide = round(high * min(max(width / height, 1 / _WIDEST), _WIDEST))
    scale = min(high / height, wide / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    photo = np.full((high, wide, 3), 255, np.uint8)
    left, top = (wide - size[0]) // 2, (high - size[1]) // 2
    photo[top : top + size[1], left : left + size[0]] = cv2.resize(
        image, size, interpolation=how
    )
    return photo, scale, (left, top)


def _moved(box, scale, corner):
    x, y, w, h = (value * scale for value in box)
    return x + corner[0], y + corner[1], w, h


def _color(face, why):
    return pixels.PLAIN if why else pixels.color_of(face.get("expression"))


def _draw_landmarks(photo, points, color):
    for point in points.round().astype(int).tolist():
        cv2.circle(photo, point, 4, rgb(INK), cv2.FILLED, cv2.LINE_AA)
        cv2.circle(photo, point, 3, rgb(color), cv2.FILLED, cv2.LINE_AA)


def _draw_labels(photo, faces, boxes, doubts):
    """A label for each face, none on another."""
    taken, room = [], photo.shape[1::-1]
    for number, (face, box, why) in enumerate(zip(faces, boxes, doubts), 1):
        texts = _label(number, face, why), str(number)
        sizes = [pixels.label_size(text, _LETTERS) for text in texts]
        shown, place = place_one_of(sizes, box, taken, boxes, room)
        if place is not None:
            taken.append(place)
            color = _color(face, why)
            pixels.draw_label(photo, texts[shown], place, color, _LETTERS)


def _label(number, face, why):
    name = face.get("expression", "face")
    probability = face.get("probabilities", {}).get(name)
    text = f"{number} {name}" + ("" if probability is None else f" {probability:.0%}")
    return f"{text}? {why}" if why else text


def _say_that_there_is_none(photo):
    width, height = pixels.label_size(NO_FACE, _LETTERS)
    place = ((photo.shape[1] - width) // 2, _GAP, width, height)
    pixels.draw_box(photo, place, INK)
    pixels.draw_label(photo, NO_FACE, place, pixels.PLAIN, _LETTERS)


def _named(face):
    return {**face.get("probabilities", {}), **face.get("action_units", {})}


def _panel(faces, doubts, height):
    """Bars of the first faces, up to four, as far as their rows can be read."""
    panel = np.full((height, _PANEL, 3), 255, np.uint8)
    most = max(1, *(len(_named(face)) for face in faces))
    fit = (height - _GAP) // (_TITLE + _LEAST_ROW * most + _GAP)
    faces = faces[: min(_MOST_BARS, max(1, fit))]
    part = (height - _GAP) // len(faces)
    for number, (face, why) in enumerate(zip(faces, doubts), 1):
        top = _GAP + (number - 1) * part
        _draw_bars(panel[top : top + part - _GAP], number, face, why)
    return panel


def _draw_bars(part, number, face, why):
    """The title and the bars of a face, in its part of the panel."""
    title = _face_title(number, face, why)
    pixels.write(part, title, (_GAP, 0), _fitting([title], _LETTERS, _PANEL), INK)
    named = _named(face)
    row = min(_ROW, (len(part) - _TITLE) // max(1, len(named)))
    size = _fitting(named, min(15, round(0.75 * row)), _PANEL * 0.4)
    width = lambda text: pixels.text_size(text, size)[0]
    left = max(map(width, named), default=0) + 2 * _GAP
    length = _PANEL - left - width("100%") - 2 * _GAP
    down = (row - pixels.text_size("100%", size)[1]) // 2
    for line, (name, value) in enumerate(named.items()):
        top = _TITLE + line * row
        corner = (left - _GAP - width(name), top + down)
        pixels.write(part, name, corner, size, INK)
        bar = (left, top + 3, length, row - 6)
        pixels.draw_bar(part, bar, 1, "#eeeeee")
        pixels.draw_bar(part, bar, value, COLORS.get(name, INK), pale=bool(why))
        corner = (left + length + _GAP, top + down)
        pixels.write(part, f"{value:.0%}", corner, size, INK)


def _fitting(texts, size, width):
    """The size of letters at which the longest text is no wider, but 8 at least."""
    longest = max((pixels.text_size(text, size)[0] for text in texts), default=0)
    return max(8, math.floor(size * min(1, (width - 2 * _GAP) / max(1, longest))))


def _face_title(number: int, face: Face, why: str):
    text = f"face {number}"
    for name in ("valence", "arousal"):
        if name in face:
            text += f"  {name[0]} {face[name]:+.2f}"
    return f"{text}, {why}" if why else text
