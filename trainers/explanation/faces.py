"""Faces to explain: from photographs, from folders of them, or drawn.

A picture keeps where its face is, so that every model gets the crop that its
own spec asks for.
"""

import dataclasses
import os
from collections.abc import Iterator

import cv2
import numpy as np

from data_pipelines import synthetic
from fer_tf import labels
from fer_tf.faces import alignment
from fer_tf.faces.images import read_image
from trainers.prediction.picture_files import Files
from trainers.prediction.record_lines import NO_FACE

# Side of a drawn face where the model's crop is smaller: that of the records.
_SIDE = 96


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """A face somewhere in a picture.

    Attributes:
        name: Of the drawn face, or of the photograph in its folder.
        image: uint8 RGB.
        points: Five landmarks; None where the picture is a crop as it is.
        expression: As labelled or drawn; None where nobody says.
        person: Who it is, as far as known.
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
    """The faces of a synthetic set: every person new if the seed is.

    Args:
        source: As `trainers.prepare` takes it: `seed=2,examples=200`.
        side: Of the model's crops.
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


def photographs(files: Files, detector) -> Iterator[Picture | tuple[str, str]]:
    """The largest face of each photograph, or `(name, why there is none)`.

    In a folder, a picture in a folder that is named as an expression is labelled
    so, and pictures of one file name in several of them show one person.
    """
    for file in files.paths:
        name = files.name(file)
        try:
            image = read_image(file)
            found = detector.detect(image)
        except (ValueError, OSError) as error:
            yield name, str(error)
            continue
        if not found:
            yield name, NO_FACE
            continue
        largest = max(found, key=lambda face: face["box"][2] * face["box"][3])
        expression = _expression(os.path.basename(os.path.dirname(file)))
        yield Picture(
            name=name,
            image=image,
            points=np.asarray(largest["landmarks"]),
            expression=expression,
            person=os.path.basename(file) if expression else name,
        )


def windows(pictures: list[Picture], model) -> tuple[np.ndarray, np.ndarray | None]:
    """What the model sees of each picture: the middle window of its crop.

    Args:
        pictures: Of one kind, drawn or photographs.
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
    """From the picture to the model's crop."""
    # Drawn faces are records as they come, for a model that was trained on them.
    as_drawn = picture.moving is not None and spec.name == "synthetic"
    aligns = spec.transform in ("similarity", "affine")
    if picture.points is None or as_drawn or not aligns:
        return alignment.whole_matrix(picture.image.shape[:2], spec)
    return alignment.align_matrix(picture.points, spec)


def _expression(name):
    try:
        return labels.EXPRESSIONS[labels.expression_index(name)]
    except ValueError:
        return None
