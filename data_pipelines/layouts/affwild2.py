"""Aff-Wild2's annotations and aligned frames, as of the 2020 challenge."""

import os

from data_pipelines import synthetic
from data_pipelines.layouts import pictures
from data_pipelines.layouts.pictures import Drawn, Progress
from data_pipelines.synthetic import SyntheticOptions
from fer_tf import labels
from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CROP_SPECS

_HEADERS = {
    "VA_Set": "valence,arousal",
    "EXPR_Set": "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise",
    "AU_Set": ",".join(labels.ACTION_UNITS),
}
# Each person shows five expressions, one after the other, and each comes and goes.
_TAKES = 5
_INTENSITIES = (0.1, 0.6, 0.95, 1.0, 0.7, 0.3)
FRAMES = _TAKES * len(_INTENSITIES)
"""Frames of a video."""

_NEUTRAL_BELOW = 0.5


def write(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes videos of 30 frames.

    No video has the labels of every task on every frame: a quarter lacks each
    task, and single frames hold the owner's -5 and -1. Every tenth picture is
    missing. Two of six videos show the left and the right person of one.
    """
    options = SyntheticOptions(seed=seed, size=192)
    people = max(4, -(-examples // FRAMES))
    drawn, done, total = {}, 0, people * FRAMES
    for person in range(people):
        name, clip = _name(person)
        # Both people of a clip are on the same side.
        part = "Validation_Set" if clip % 4 == 3 else "Training_Set"
        lines = {task: [header] for task, header in _HEADERS.items()}
        for number in range(1, FRAMES + 1):
            take, step = divmod(number - 1, len(_INTENSITIES))
            index, intensity = pictures.index_of(person, take), _INTENSITIES[step]
            face = synthetic.draw(index, options, intensity=intensity)
            for task, line in _lines(face, intensity, number).items():
                lines[task].append(line)
            if number % 10 != 5:
                path = f"cropped_aligned/{name}/{number:05d}.jpg"
                pictures.write_picture(os.path.join(folder, path), _aligned(face))
                drawn[path] = (index, intensity)
            done += 1
            progress(done, total)
        for lacks, (task, text) in enumerate(lines.items(), 1):
            if person % 4 != lacks:
                path = f"annotations/{task}/{part}/{name}.txt"
                pictures.write_lines(os.path.join(folder, path), text)
    return drawn


def _name(person):
    """Name of a person's video, and number of the clip."""
    if person % 6 == 4:
        return f"video{person + 1}_left", person
    if person % 6 == 5:
        return f"video{person}_right", person - 1
    return f"video{person + 1}", person


def _aligned(face):
    points = alignment.landmarks5(face.landmarks)
    return alignment.align(face.image, points, CROP_SPECS["zhang2020"])


def _lines(face, intensity, number):
    """A line for each task; every so often one says that it is not valid."""
    shown = pictures.name_of(face) if intensity >= _NEUTRAL_BELOW else "neutral"
    ratings = f"{face.valence:.3f},{face.arousal:.3f}"
    units = ",".join(map(str, face.action_units))
    return {
        "VA_Set": "-5,-5" if number % 9 == 0 else ratings,
        "EXPR_Set": -1 if number % 7 == 0 else pictures.class_ids("affwild2")[shown],
        "AU_Set": ",".join(["-1"] * 8) if number % 8 == 0 else units,
    }
