"""RAF-DB's single-label part, `basic/`."""

import dataclasses
import hashlib
import os

import numpy as np

from data_pipelines.layouts import pictures
from data_pipelines.layouts.pictures import Drawn, Progress
from data_pipelines.sources.rafdb import GROUPS
from data_pipelines.synthetic import SyntheticOptions
from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CROP_SPECS

_SIDE = 144
# The owner's aligned pictures are 100 pixels wide, eyes 0.43 of that apart.
_ALIGNED = dataclasses.replace(
    CROP_SPECS["gan2020"], size=100, transform="similarity", name="rafdb"
)
# The 37 automatic points in terms of the 68.
_AUTO = (
    *(17, 19, 21, 22, 24, 26),  # brows
    *range(27, 28),  # root of the nose
    *range(30, 36),  # its tip and base
    *range(36, 60),  # eyes, outer lips
)


def write(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes original and aligned pictures and all annotations.

    Gender, race and age are drawn by person and show nowhere in the pictures.
    """
    options = SyntheticOptions(seed=seed, size=_SIDE)
    ids = pictures.class_ids("rafdb")
    lines, drawn = {"train": [], "test": []}, {}
    for index, face in pictures.draw_all(examples, options, progress):
        split = pictures.owner_split(face, seed)
        number = len(lines[split]) + 1
        stem = f"train_{number:05d}" if split == "train" else f"test_{number:04d}"
        lines[split].append(f"{stem}.jpg {ids[pictures.name_of(face)]}")
        rng = np.random.default_rng([seed, index])
        corner = tuple(int(n) for n in rng.integers(0, 60, 2))
        shape = _SIDE + corner[1] + 30, _SIDE + corner[0] + 50
        original, points = pictures.photograph(face, shape, corner)
        five = alignment.landmarks5(points)
        aligned = alignment.align(original, five, _ALIGNED)
        for kind, image in (("original", original), ("aligned", aligned)):
            ending = "_aligned.jpg" if kind == "aligned" else ".jpg"
            path = f"basic/Image/{kind}/{stem}{ending}"
            pictures.write_picture(os.path.join(folder, path), image)
            drawn[path] = (index, 1.0)
        annotation = os.path.join(folder, "basic", "Annotation")
        _annotate(annotation, stem, face, points, shape)
    path = os.path.join(folder, "basic", "EmoLabel", "list_patition_label.txt")
    pictures.write_lines(path, lines["train"] + lines["test"])
    return drawn


def _annotate(folder, stem, face, points, shape):
    five = [f"{x:.4f}\t{y:.4f}" for x, y in alignment.landmarks5(points)]
    attributes = list(attributes_of(face.subject).values())
    pictures.write_lines(
        os.path.join(folder, "manual", f"{stem}_manu_attri.txt"), five + attributes
    )
    auto = [f"{x:.4f}\t{y:.4f}" for x, y in points[list(_AUTO)]]
    pictures.write_lines(os.path.join(folder, "auto", f"{stem}_auto_attri.txt"), auto)
    x, y, width, height = pictures.face_box(points, shape)
    box = f"{x:.2f} {y:.2f} {x + width:.2f} {y + height:.2f}"
    pictures.write_lines(
        os.path.join(folder, "boundingbox", f"{stem}_boundingbox.txt"), [box]
    )


def attributes_of(subject: str) -> dict[str, int]:
    """The owner's numbers of a person's gender, race and age."""
    digest = hashlib.sha256(subject.encode()).digest()
    return {
        what: digest[i] % len(values) for i, (what, values) in enumerate(GROUPS.items())
    }
