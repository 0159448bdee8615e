"""Aff-Wild2's annotations and aligned frames, as of 2020 and of later challenges."""

import dataclasses
import os
from collections.abc import Mapping

from data_pipelines import synthetic
from data_pipelines.layouts import pictures
from data_pipelines.layouts.pictures import Drawn, Progress
from data_pipelines.synthetic import SyntheticOptions
from data_pipelines.synthetic.labels import PRESENT
from fer_tf import labels
from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CROP_SPECS


@dataclasses.dataclass(frozen=True)
class _Edition:
    """The names that a challenge uses.

    Attributes:
        folders: Folder of each task.
        training: Folder, in each of these, of the training set.
        classes: Header of the expressions.
        units: Header of the action units.
    """

    folders: Mapping[str, str]
    training: str
    classes: str
    units: tuple[str, ...]


_SEVEN = "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise"
_2020 = _Edition(
    {"VA": "VA_Set", "EXPR": "EXPR_Set", "AU": "AU_Set"},
    "Training_Set",
    _SEVEN,
    labels.ACTION_UNITS,
)
_2022 = _Edition(
    {
        "VA": "VA_Estimation_Challenge",
        "EXPR": "EXPR_Classification_Challenge",
        "AU": "AU_Detection_Challenge",
    },
    "Train_Set",
    f"{_SEVEN},Other",
    labels.ACTION_UNITS_2022,
)
# Each person shows five expressions, one after the other, and each comes and goes.
_TAKES = 5
_INTENSITIES = (0.1, 0.6, 0.95, 1.0, 0.7, 0.3)
FRAMES = _TAKES * len(_INTENSITIES)
"""Frames of a video."""

# Person of eight who lacks valence and arousal, the expression, the action units.
# Every fourth is validated on.
_LACKS = (1, 2, 4)
_NEUTRAL_BELOW = 0.5
_OTHER_FRAME = 11


def write(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes videos of 30 frames, as of 2020.

    No video has the labels of every task on every frame: an eighth lacks each task,
    though none of those that are validated on, and single frames hold the owner's -5
    and -1. Every tenth picture is missing. Two of six videos show the left and the
    right person of one.
    """
    return _write(_2020, folder, examples, seed, progress)


def write_2022(folder: str, examples: int, seed: int, progress: Progress) -> Drawn:
    """Writes the same videos with twelve action units and eight classes.

    One frame of each is "Other". Units that no drawing shows are absent.
    """
    return _write(_2022, folder, examples, seed, progress)


def _write(edition, folder, examples, seed, progress):
    options = SyntheticOptions(seed=seed, size=192)
    people = max(4, -(-examples // FRAMES))
    drawn, done, total = {}, 0, people * FRAMES
    for person in range(people):
        name, clip = _name(person)
        # Both people of a clip are on the same side.
        part = "Validation_Set" if clip % 4 == 3 else edition.training
        lines = {
            "VA": ["valence,arousal"],
            "EXPR": [edition.classes],
            "AU": [",".join(edition.units)],
        }
        for number in range(1, FRAMES + 1):
            take, step = divmod(number - 1, len(_INTENSITIES))
            index, intensity = pictures.index_of(person, take), _INTENSITIES[step]
            face = synthetic.draw(index, options, intensity=intensity)
            for task, line in _lines(edition, face, intensity, number).items():
                lines[task].append(line)
            if number % 10 != 5:
                path = f"cropped_aligned/{name}/{number:05d}.jpg"
                pictures.write_picture(os.path.join(folder, path), _aligned(face))
                drawn[path] = (index, intensity)
            done += 1
            progress(done, total)
        for lacks, (task, text) in zip(_LACKS, lines.items()):
            if person % 8 != lacks:
                path = f"annotations/{edition.folders[task]}/{part}/{name}.txt"
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


def _lines(edition, face, intensity, number):
    """A line for each task; every so often one says that it is not valid."""
    shown = pictures.name_of(face) if intensity >= _NEUTRAL_BELOW else "neutral"
    expression = pictures.class_ids("affwild2")[shown]
    if edition is _2022 and number == _OTHER_FRAME:
        expression = edition.classes.count(",")
    units = [int(face.au_intensities.get(u, 0) >= PRESENT) for u in edition.units]
    if number % 8 == 0:
        units = [-1] * len(units)
    return {
        "VA": "-5,-5" if number % 9 == 0 else f"{face.valence:.3f},{face.arousal:.3f}",
        "EXPR": -1 if number % 7 == 0 else expression,
        "AU": ",".join(map(str, units)),
    }
