"""Faces to explain: drawn, or from photographs.

A picture keeps the landmarks of its face, so that every model gets the crop that its
own spec asks for.
"""

import dataclasses
import os
from collections.abc import Iterator

import cv2
import numpy as np

from data_pipelines import synthetic
from fer_tf import labels
from fer_tf.face_table import NO_FACE
from fer_tf.face_types import Detector
from fer_tf.faces import alignment
from fer_tf.faces.images import read_image
from trainers.prediction.picture_files import Files

# Least side in pixels of a drawn face: that of the synthetic records.
_SIDE = 96


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """A face in a picture.

    Attributes:
        name: Of the drawn face, or of the photograph in its folder.
        image: uint8 RGB `(height, width, 3)`.
        points: Five landmarks `(5, 2)`; None if the picture is a crop already.
        expression: As labelled or drawn; None if unknown.
        person: Who it is; empty if unknown.
        moving: bool `(height, width)`, where action units move a drawn face; None
            for a photograph.
    """

    name: str
    image: np.ndarray
    points: np.ndarray | None = None
    expression: str | None = None
    person: str = ""
    moving: np.ndarray | None = None


def drawn(source: str, side: int) -> list[Picture]:
    """The faces of a synthetic set; another seed gives other people.

    Args:
        source: As `trainers.prepare` takes it: `seed=2,examples=200`.
        side: Of the model's crops, in pixels.
    """
    options, count = synthetic.source_options(source)
    side = int(np.clip(max(side, _SIDE), *synthetic.SIZES))
    options = dataclasses.replace(options, size=side)
    pictures = []
    for index in range(count):
        face = synthetic.draw(index, options)
        if face.is_face:
            pictures.append(
                Picture(
                    name=f"synthetic_{index:04d}",
                    image=face.image,
                    points=alignment.landmarks5(face.landmarks),
                    expression=labels.EXPRESSIONS[face.clean_expression],
                    person=face.subject,
                    moving=synthetic.moving_regions(face),
                )
            )
    return pictures


def photographs(
    files: Files, detector: Detector | None
) -> Iterator[Picture | tuple[str, str]]:
    """Yields the largest face of each photograph, or `(name, why there is none)`.

    Without a detector, each picture is a crop of a face already.

    The name of an expression's folder labels the pictures in it. Pictures of the same
    file name in several such folders show the same person.
    """
    for file in files.paths:
        name = files.name(file)
        try:
            image = read_image(file)
            points = None if detector is None else _largest(detector.detect(image))
        except (ValueError, OSError) as error:
            yield name, str(error)
            continue
        if detector is not None and points is None:
            yield name, NO_FACE
            continue
        expression = _expression(os.path.basename(os.path.dirname(file)))
        yield Picture(
            name=name,
            image=image,
            points=points,
            expression=expression,
            person=os.path.basename(file) if expression else name,
        )


def _largest(faces):
    """Landmarks of the largest face; None if there is none."""
    if not faces:
        return None
    largest = max(faces, key=lambda face: face["box"][2] * face["box"][3])
    return np.asarray(largest["landmarks"])


def windows(pictures: list[Picture], model) -> tuple[np.ndarray, np.ndarray | None]:
    """What a model sees of each picture: the middle window of its crop.

    Args:
        pictures: All drawn, or all photographs.
        model: With its `crop_spec`.

    Returns:
        float32 `(n, height, width, channels)` in 0..255, and where the drawn faces
        move in them, bool `(n, height, width)`, or None.
    """
    spec = model.crop_spec
    height, width = model.get_layer("image").output.shape[1:3]
    top, left = (spec.size - height) // 2, (spec.size - width) // 2
    mask_spec = dataclasses.replace(spec, color="rgb", channel_order="rgb")
    images, masks = [], []
    for picture in pictures:
        matrix = _matrix(picture, spec)
        images.append(alignment.warp(picture.image, matrix, spec))
        if picture.moving is not None:
            mask = cv2.cvtColor(255 * picture.moving.astype(np.uint8),
                                cv2.COLOR_GRAY2RGB)  # fmt: skip
            masks.append(alignment.warp(mask, matrix, mask_spec)[..., 0] > 127)
    cut = (slice(None), slice(top, top + height), slice(left, left + width))
    crops = np.stack(images).astype(np.float32)[cut]
    return crops, np.stack(masks)[cut] if masks else None


def _matrix(picture, spec):
    """The transform from a picture to the model's crop."""
    # A model that was trained on drawn faces has seen them whole.
    as_drawn = picture.moving is not None and spec.name == "synthetic"
    aligns = spec.transform in ("similarity", "affine")
    if picture.points is None or as_drawn or not aligns:
        return alignment.whole_matrix(picture.image.shape[:2], spec)
    return alignment.align_matrix(picture.points, spec)


def _expression(name):
    try:
        return labels.expression_of(name)
    except ValueError:
        return None
