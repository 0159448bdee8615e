"""Shared by the writers: pictures on disk, class numbers, made-up photographs."""

import os
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from data_pipelines import synthetic
from data_pipelines.sources import SOURCES
from data_pipelines.synthetic import DrawnFace, SyntheticOptions
from fer_tf import labels

Drawn = dict[str, tuple[int, float]]
"""Picture -> the `index` and `intensity` that it was drawn with."""

Progress = Callable[[int, int], None]
"""Called with the number of pictures drawn, and of all."""

# A block of synthetic examples shows these people one after the other, and all of
# them again in each further round.
_PEOPLE, _ROUNDS = 100, 6


def draw_all(
    examples: int, options: SyntheticOptions, progress: Progress
) -> Iterator[tuple[int, DrawnFace]]:
    """Draws faces one by one, with their index; each is counted when it is written."""
    for index in range(examples):
        yield index, synthetic.draw(index, options)
        progress(index + 1, examples)


def write_picture(path: str, image: np.ndarray) -> None:
    """Writes `(h, w)` or RGB `(h, w, 3)`; a JPEG at quality 95."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    stored = image if image.ndim == 2 else image[..., ::-1]
    settings = [cv2.IMWRITE_JPEG_QUALITY, 95] if path.endswith(".jpg") else []
    encoded = cv2.imencode(os.path.splitext(path)[1], stored, settings)[1]
    with open(path, "wb") as file:
        file.write(encoded.tobytes())


def write_lines(path: str, lines) -> None:
    """Writes a text file, a line an item."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in lines)


def class_ids(dataset: str) -> dict[str, int]:
    """An owner's number of each expression, by our name."""
    return {name: i for i, name in SOURCES[dataset].class_ids.items()}


def name_of(face: DrawnFace) -> str | None:
    """The rated expression's name; None where it is missing."""
    return None if face.expression is None else labels.EXPRESSIONS[face.expression]


def owner_split(face: DrawnFace, seed: int) -> str:
    """Split of an owner who ships `train` and `test` only, by person."""
    split = synthetic.split_of(face.subject, seed)
    return "test" if split == "test" else "train"


def index_of(person: int, take: int) -> int:
    """Index of a person's `take`-th picture of six."""
    block, number = divmod(person, _PEOPLE)
    return (block * _ROUNDS + take % _ROUNDS) * _PEOPLE + number


def photograph(
    face: DrawnFace, shape: tuple[int, int], corner: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray | None]:
    """A face on a larger, blurred continuation of its background.

    Args:
        face: With a picture of side s.
        shape: Height and width of the photograph.
        corner: `(left, top)` of the face's picture in it.

    Returns:
        uint8 RGB of that shape, and the landmarks in its pixels (None for a
        picture without a face).
    """
    (height, width), (left, top), side = shape, corner, face.image.shape[0]
    borders = top, height - side - top, left, width - side - left
    canvas = cv2.copyMakeBorder(face.image, *borders, cv2.BORDER_REPLICATE)
    canvas = cv2.GaussianBlur(canvas, (0, 0), 9)
    canvas[top : top + side, left : left + side] = face.image
    points = None if face.landmarks is None else face.landmarks + np.array(corner)
    return canvas, points


def face_box(points: np.ndarray, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """`(x, y, width, height)` around landmarks, a tenth wider, in whole pixels."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.1 * (high - low)
    low = np.maximum(np.floor(low - margin), 0).astype(int)
    high = np.minimum(np.ceil(high + margin), [shape[1], shape[0]]).astype(int)
    return (*map(int, low), *map(int, high - low))
