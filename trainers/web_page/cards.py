"""The faces of a photograph as HTML: where the model looked, and each reading."""

import base64
import html

import cv2
import numpy as np

from fer_tf.face_types import Face
from fer_tf.faces.sharpness import doubt
from fer_tf.plotting.colors import COLORS, INK

# Readings that are no probability, in the codebook's words.
_NUMBERS = (
    "valence", "arousal", "circumplex_valence", "circumplex_arousal", "face_score",
    "enlargement", "sharpness",
)  # fmt: skip


def cards(faces: list[Face], pictures: list[np.ndarray]) -> str:
    """A card for each face.

    Args:
        faces: From `fer_tf.Predictor`.
        pictures: uint8 RGB `(height, width, 3)`, where the model looked in each of the
            first faces; the others have no picture.

    Example:
        >>> face = {"box": [0, 0, 9, 9], "probabilities": {"fear": 1.0}}
        >>> face |= {"confidence": 0.98, "expression": "fear"}
        >>> cards([face], []).count("100 %")
        1
    """
    shown = [*pictures, *[None] * (len(faces) - len(pictures))]
    each = (_card(*card) for card in zip(range(1, len(faces) + 1), faces, shown))
    return f'<div class="cards">{"".join(each)}</div>'


def _card(number, face, picture):
    image = "" if picture is None else _image(picture, f"Where it looked in {number}")
    title = html.escape(f"{number} {face.get('expression', '')}".strip())
    title += f"? {why}" if (why := doubt(face)) else ""
    named = {**face.get("probabilities", {}), **face.get("action_units", {})}
    bars = "".join(_bar(name, value) for name, value in named.items())
    known = {**face, "face_score": face["confidence"]}
    shown = {name: name.replace("circumplex_", "derived ") for name in _NUMBERS}
    numbers = [f"{shown[n]} {known[n]:.2f}" for n in _NUMBERS if n in known]
    return (
        f"<figure>{image}<figcaption>{title}</figcaption><ul>{bars}</ul>"
        f"<p>{'<br>'.join(numbers)}</p></figure>"
    )


def _bar(name, value):
    color = COLORS.get(name, INK)
    return (
        f"<li><span>{html.escape(name)}</span> <span>{100 * value:.0f} %</span>"
        f'<i style="width:{100 * value:.1f}%;background:{color}"></i></li>'
    )


def _image(picture, alt):
    _, png = cv2.imencode(".png", picture[..., ::-1])
    data = base64.b64encode(png.tobytes()).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'
