"""AffectNet's two releases."""

import hashlib
import os

import numpy as np

from data_pipelines.layouts import pictures
from data_pipelines.layouts.pictures import Drawn, Progress
from data_pipelines.synthetic import SyntheticOptions

_HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)
_NONE, _UNCERTAIN, _NO_FACE = 8, 9, 10
_NOT_RATED = -2
_SIDE = 160
_SETS = {"train": "train_set", "test": "val_set"}


def write(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes photographs with box and points, and the CSVs of the first release.

    `validation.csv` has no header row, as in some copies. Rows without an
    expression are None, Uncertain or No-Face.
    """
    options = SyntheticOptions(seed=seed, size=_SIDE, missing=0.08, non_faces=0.03)
    lines, drawn = {"train": [_HEADER], "test": []}, {}
    for index, face in pictures.draw_all(examples, options, progress):
        rng = np.random.default_rng([seed, index])
        left, top, right, bottom = map(int, rng.integers(0, _SIDE // 2, 4))
        shape = _SIDE + top + bottom, _SIDE + left + right
        photograph, points = pictures.photograph(face, shape, (left, top))
        name = hashlib.sha224(f"{seed}:{index}".encode()).hexdigest()
        path = f"{index % 50 + 1}/{name}.jpg"
        image = f"Manually_Annotated_Images/{path}"
        pictures.write_picture(os.path.join(folder, image), photograph)
        box, marks = ["NULL"] * 4, "NULL"
        if face.is_face:
            box = pictures.face_box(points, shape)
            marks = ";".join(f"{value:.2f}" for value in points.ravel())
        fields = [path, *box, marks, _class(face), *_ratings(face)]
        lines[pictures.owner_split(face, seed)].append(",".join(map(str, fields)))
        drawn[image] = (index, 1.0)
    pictures.write_lines(os.path.join(folder, "training.csv"), lines["train"])
    pictures.write_lines(os.path.join(folder, "validation.csv"), lines["test"])
    return drawn


def write_npy(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes the newer release's crops and arrays; both sets number from the start."""
    options = SyntheticOptions(seed=seed, size=224)
    counts, drawn = dict.fromkeys(_SETS, 0), {}
    for name in _SETS.values():
        for part in ("images", "annotations"):
            os.makedirs(os.path.join(folder, name, part))
    for index, face in pictures.draw_all(examples, options, progress):
        split = pictures.owner_split(face, seed)
        key, counts[split] = counts[split], counts[split] + 1
        image = f"{_SETS[split]}/images/{key}.jpg"
        pictures.write_picture(os.path.join(folder, image), face.image)
        valence, arousal = _ratings(face)
        for what, array in (
            ("exp", np.array(str(_class(face)))),  # A string, as the owner's are.
            ("val", np.array(valence)),
            ("aro", np.array(arousal)),
            ("lnd", face.landmarks.astype(np.float64).ravel()),
        ):
            path = f"{_SETS[split]}/annotations/{key}_{what}.npy"
            np.save(os.path.join(folder, path), array, allow_pickle=False)
        drawn[image] = (index, 1.0)
    return drawn


def _class(face):
    name = pictures.name_of(face)
    if not face.is_face:
        return _NO_FACE
    if name is None:
        return _UNCERTAIN if face.valence is None else _NONE
    return pictures.class_ids("affectnet")[name]


def _ratings(face):
    if face.valence is None:
        return _NOT_RATED, _NOT_RATED
    return round(face.valence, 6), round(face.arousal, 6)
