"""FER2013's `fer2013.csv`, the image folders of its public copies, and FER+."""

import csv
import os

import numpy as np

from data_pipelines import synthetic
from data_pipelines.layouts import pictures
from data_pipelines.layouts.pictures import Drawn, Progress
from data_pipelines.sources.ferplus_rules import VOTES
from data_pipelines.synthetic import SyntheticOptions

SIZE = 48

# Has no factor in common with ten, so no number comes twice.
_SCATTER = 48_271_337

# Split -> the owner's name of it, in the order of the file.
_USAGES = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
_CLASS_FOLDERS = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
}
_FOLDERS = {
    "Training": "FER2013Train",
    "PublicTest": "FER2013Valid",
    "PrivateTest": "FER2013Test",
}


def write(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes `fer2013.csv`, in the order Training, PublicTest, PrivateTest."""
    options = SyntheticOptions(seed=seed, size=SIZE, grey=True)
    rows = _rows(examples, options, progress)
    _write_pixels(folder, rows)
    return {str(number): (index, 1.0) for number, (index, *_) in enumerate(rows)}


def write_folders(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes `train/<class>/Training_*.jpg` and `test/<class>/P*Test_*.jpg`.

    The numbers in the names are not those of rows.
    """
    options = SyntheticOptions(seed=seed, size=SIZE, grey=True)
    drawn = {}
    for index, usage, face in _rows(examples, options, progress):
        top = "train" if usage == "Training" else "test"
        number = index * _SCATTER % 10**8
        path = f"{top}/{_CLASS_FOLDERS[pictures.name_of(face)]}/{usage}_{number}.jpg"
        pictures.write_picture(os.path.join(folder, path), face.image[..., 0])
        drawn[path] = (index, 1.0)
    return drawn


def write_ferplus(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes both CSVs and the folders that the owner's script makes of them."""
    options = SyntheticOptions(seed=seed, size=SIZE, grey=True, non_faces=0.03)
    rows = _rows(examples, options, progress)
    _write_pixels(folder, rows)
    table = [["Usage", "Image name", *VOTES]]
    lists = {usage: [] for usage in _FOLDERS}
    drawn = {}
    for number, (index, usage, face) in enumerate(rows):
        votes = _votes(face, np.random.default_rng([seed, index]))
        name = f"fer{number:07d}.png" if face.is_face else ""
        table.append([usage, name, *votes])
        if name:
            image = face.image[..., 0]
            path = os.path.join(folder, "data", _FOLDERS[usage], name)
            pictures.write_picture(path, image)
            lists[usage].append([name, "(0, 0, 48, 48)", *votes])
            drawn[str(number)] = (index, 1.0)
    _write_csv(os.path.join(folder, "fer2013new.csv"), table)
    for usage, lines in lists.items():
        path = os.path.join(folder, "data", _FOLDERS[usage], "label.csv")
        _write_csv(path, lines)
    return drawn


def _rows(examples, options, progress):
    """`(index, usage, face)` in the owner's order."""
    rows = []
    for index, face in pictures.draw_all(examples, options, progress):
        split = synthetic.split_of(face.subject, options.seed)
        rows.append((index, _USAGES[split], face))
    order = list(_USAGES.values())
    return sorted(rows, key=lambda row: order.index(row[1]))


def _write_pixels(folder, rows):
    ids = pictures.class_ids("fer2013")
    # Somebody had to call a picture without a face something.
    table = [["emotion", "pixels", "Usage"]] + [
        [
            ids[pictures.name_of(face) or "neutral"],
            " ".join(map(str, face.image[..., 0].ravel())),
            usage,
        ]
        for _, usage, face in rows
    ]
    _write_csv(os.path.join(folder, "fer2013.csv"), table)


def _votes(face, rng):
    """Ten votes: mostly a clear majority for the label, sometimes none at all."""
    votes = np.zeros(len(VOTES), int)
    if not face.is_face:
        votes[VOTES.index("NF")] = 10
        return votes.tolist()
    agree = int(rng.choice([4, 6, 7, 8, 9, 10], p=[0.1, 0.1, 0.2, 0.2, 0.2, 0.2]))
    label = VOTES.index(pictures.name_of(face))
    others = [i for i in range(len(VOTES) - 1) if i != label]
    if agree == 4:
        votes[rng.choice(others, 2, replace=False)] = 3
    else:
        np.add.at(votes, rng.choice(others, 10 - agree), 1)
    votes[label] = agree
    return votes.tolist()


def _write_csv(path, table):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(table)
