"""Layouts that people make themselves: image folders and a CSV."""

import csv
import os

from data_pipelines import synthetic
from data_pipelines.layouts import pictures
from data_pipelines.layouts.pictures import Drawn, Progress
from data_pipelines.synthetic import SyntheticOptions
from fer_tf import labels


def write_face_nonface(
    folder: str, examples: int, seed: int, progress: Progress
) -> Drawn:
    """Writes `face/` and `nonface/`, grey pictures of 48 pixels."""
    options = SyntheticOptions(seed=seed, size=48, grey=True, non_faces=0.5)
    drawn = {}
    for index, face in pictures.draw_all(examples, options, progress):
        path = f"{'face' if face.is_face else 'nonface'}/{index:06d}.png"
        pictures.write_picture(os.path.join(folder, path), face.image[..., 0])
        drawn[path] = (index, 1.0)
    return drawn


def write_classes(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes `<split>/<class>/<number>.png`, in colour, of 96 pixels."""
    options = SyntheticOptions(seed=seed)
    drawn = {}
    for index, face in pictures.draw_all(examples, options, progress):
        split = synthetic.split_of(face.subject, seed)
        path = f"{split}/{pictures.name_of(face)}/{index:06d}.png"
        pictures.write_picture(os.path.join(folder, path), face.image)
        drawn[path] = (index, 1.0)
    return drawn


def write_table(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes `images/<number>.png` and `labels.csv` with every column.

    An eighth of the labels of each task is missing.
    """
    options = SyntheticOptions(seed=seed, missing=0.125)
    drawn = {}
    header = ["path", "expression", "valence", "arousal", *labels.ACTION_UNITS]
    with open(os.path.join(folder, "labels.csv"), "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*header, "split", "subject"])
        for index, face in pictures.draw_all(examples, options, progress):
            path = f"images/{index:06d}.png"
            pictures.write_picture(os.path.join(folder, path), face.image)
            units = face.action_units
            units = [""] * len(labels.ACTION_UNITS) if units is None else units
            split = synthetic.split_of(face.subject, seed)
            # None becomes an empty cell.
            row = [path, pictures.name_of(face), face.valence, face.arousal]
            table.writerow([*row, *units, split, face.subject])
            drawn[path] = (index, 1.0)
    return drawn
