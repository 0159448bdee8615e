"""CK+: sequences from a neutral face to the peak."""

import os

import numpy as np

from data_pipelines import synthetic
from data_pipelines.layouts import pictures
from data_pipelines.layouts.pictures import Drawn, Progress
from data_pipelines.synthetic import SyntheticOptions
from data_pipelines.synthetic.labels import PRESENT

FRAMES = 8
"""Frames of a sequence."""

_SHAPE = (490, 640)
_SIDE = 256
_CORNER = (192, 130)
# As many as it takes for ten folds.
_FEWEST_PEOPLE, _TAKES = 10, 3
# Where an intensity becomes B, C, D, E; from `PRESENT` on it is A.
_SCORES = (0.45, 0.6, 0.75, 0.9)


def write(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes grey sequences of 640x490 pixels, with points on every frame.

    The peaks have action units, and an emotion unless it was rated neutral, which
    the owner has no class for.
    """
    options = SyntheticOptions(seed=seed, size=_SIDE, grey=True)
    count = max(_FEWEST_PEOPLE, -(-examples // FRAMES))
    people = max(_FEWEST_PEOPLE, -(-count // _TAKES))
    drawn, done, total = {}, 0, count * FRAMES
    for number in range(count):
        take, person = divmod(number, people)
        subject, sequence = f"S{person + 5:03d}", f"{take + 1:03d}"
        index = pictures.index_of(person, take)
        for frame in range(1, FRAMES + 1):
            # Quickly at first: the last three are nearly the peak.
            intensity = 1 - (1 - (frame - 1) / (FRAMES - 1)) ** 2
            face = synthetic.draw(index, options, intensity=intensity)
            image, points = pictures.photograph(face, _SHAPE, _CORNER)
            stem = f"{subject}_{sequence}_{frame:08d}"
            path = f"cohn-kanade-images/{subject}/{sequence}/{stem}.png"
            pictures.write_picture(os.path.join(folder, path), image[..., 0])
            marks = [_numbers(point) for point in points]
            _write(folder, "Landmarks", subject, sequence, f"{stem}_landmarks", marks)
            drawn[path] = (index, intensity)
            done += 1
            progress(done, total)
        _annotate_peak(folder, subject, sequence, stem, face)
    return drawn


def _annotate_peak(folder, subject, sequence, stem, face):
    units = [
        _numbers((int(name.removeprefix("AU")), _score(intensity, place)))
        for place, (name, intensity) in enumerate(face.au_intensities.items())
        if intensity >= PRESENT
    ]
    _write(folder, "FACS", subject, sequence, f"{stem}_facs", units)
    emotion = pictures.class_ids("ckplus").get(pictures.name_of(face))
    if emotion is None:
        os.makedirs(os.path.join(folder, "Emotion", subject, sequence))
    else:
        lines = [_numbers([emotion])]
        _write(folder, "Emotion", subject, sequence, f"{stem}_emotion", lines)


def _score(intensity, place):
    """1 to 5 for A to E; some are present without a score, which is 0."""
    return 0 if place % 4 == 3 else int(np.searchsorted(_SCORES, intensity)) + 1


def _numbers(values):
    return "".join(f"   {float(value):.7e}" for value in values)


def _write(folder, kind, subject, sequence, name, lines):
    path = os.path.join(folder, kind, subject, sequence, f"{name}.txt")
    pictures.write_lines(path, lines)
