"""Drawn faces with every label known: the embedded data.

Geometry moved by action units carries the labels; identity, pose, light,
background, occluders, blur and noise are nuisance. `draw(index, options)` is a
pure function: example i is the same in every process and in any order, and the
same face with the same labels at every size.

How hard it is, with the default options: accuracy over seven classes against the
rated labels, 10,000 training faces of 48 grey pixels, test subjects never seen.

    chance                                        14 %
    logistic regression on pixels                 37 %
    four convolutions, 12 epochs                  66 %  (74 % of the true labels)
    logistic regression on the true intensities   90 %  (what the raters leave)

The stock MTCNN finds exactly one face in 99 of the first 100 pictures of 224
pixels, its points within 0.06 interocular distances of the drawn ones (median).
Repeat with `pytest tests/data_pipelines/synthetic/test_difficulty.py --run-long -s`.
"""

import dataclasses
import functools

import cv2
import numpy as np

from data_pipelines.synthetic import geometry, hair, light, parts
from data_pipelines.synthetic.canvas import Canvas, View
from data_pipelines.synthetic.labels import (
    binary_units,
    enact,
    pick_class,
    rate,
    valence_arousal,
)
from data_pipelines.synthetic.look import Look
from data_pipelines.synthetic.options import SyntheticOptions
from data_pipelines.synthetic.scene import (
    Scene,
    canvas_background,
    clutter,
    develop,
    occlude,
)
from fer_tf.arguments import require
from fer_tf.utils.hashing import tenth

# Subjects come in blocks: the first 100 examples show 100 people, and each of
# them is back in every further hundred until the block's end.
_BLOCK, _SUBJECTS = 600, 100

# Independent streams of random numbers, by what they decide.
_POSE, _IDENTITY, _SCENE, _RATER, _PIXELS = range(5)

# Where the mean neutral face lies in the picture, in fractions of the side.
_SCALE, _MIDDLE = 0.266, (0.5, 0.41)


@dataclasses.dataclass(frozen=True)
class DrawnFace:
    """One example. Labels are None where absent; a non-face has none.

    Attributes:
        image: `(size, size, 3)` uint8 RGB.
        is_face: Whether a face is there.
        subject: Name of the person; a non-face has a name of its own.
        expression: Label, an index in `fer_tf.labels.EXPRESSIONS`, as rated.
        clean_expression: What the face was drawn to show.
        valence: In -1..1, as rated.
        arousal: In -1..1, as rated.
        action_units: `(8,)` int64 0 or 1, of `fer_tf.labels.ACTION_UNITS`.
        au_intensities: "AU1", … -> 0..1, of every unit that moves the drawing.
        landmarks: `(68, 2)` float32 pixels, iBUG order, also where hidden.
        groups: What else the person is: "age", "skin", "glasses", "beard".
    """

    image: np.ndarray
    is_face: bool
    subject: str
    expression: int | None = None
    clean_expression: int | None = None
    valence: float | None = None
    arousal: float | None = None
    action_units: np.ndarray | None = None
    au_intensities: dict[str, float] | None = None
    landmarks: np.ndarray | None = None
    groups: dict[str, str] | None = None


def _stream(seed: int, purpose: int, number: int) -> np.random.Generator:
    """A counter-based generator: nothing before `number` need be drawn."""
    key = (purpose << 64) | seed
    return np.random.Generator(np.random.Philox(key=key, counter=number << 64))


def draw(index: int, options: SyntheticOptions, *, intensity: float = 1.0) -> DrawnFace:
    """Example `index` of a synthetic data set.

    Args:
        index: Number of the example, from 0.
        options: Of the data set.
        intensity: Factor on every action unit, from 0 (neutral) to 1. Examples of
            one index are the frames of a sequence: all but the action units, and
            what follows from them, stays; `expression` is that of the peak.

    Raises:
        ValueError: If `index` is negative or `intensity` not in [0, 1].

    >>> face = draw(0, SyntheticOptions(size=48))
    >>> face.image.shape, face.landmarks.shape, face.subject
    ((48, 48, 3), (68, 2), 's0_00000')
    """
    require(index >= 0, "not be negative", index=index)
    require(0 <= intensity <= 1, "be in [0, 1]", intensity=intensity)
    index = int(index)
    pose_rng = _stream(options.seed, _POSE, index)
    if pose_rng.random() < options.non_faces:
        return _draw_non_face(index, options)
    number = index // _BLOCK * _SUBJECTS + index % _SUBJECTS
    look = _look(options.seed, number)

    expression = pick_class(options.imbalance, pose_rng.random())
    units = intensity * enact(expression, look.habits, pose_rng)
    points = geometry.move(look.shape, units, pose_rng.normal(0, 0.07))
    view = _view(points, pose_rng)
    gaze = pose_rng.normal(0, 0.35, 2).clip(-1, 1)

    image = _paint(look, points, view, units, gaze, options, index)
    labels = _labels(expression, units, options, index)
    landmarks = view.scaled(options.size).pixels(view.plane(points))
    return DrawnFace(
        image=image,
        is_face=True,
        subject=f"s{options.seed}_{number:05d}",
        clean_expression=expression,
        au_intensities={f"AU{n}": float(u) for n, u in zip(geometry.UNITS, units)},
        landmarks=landmarks.astype(np.float32),
        groups=look.groups(),
        **labels,
    )


@functools.lru_cache(maxsize=128)
def _look(seed: int, number: int) -> Look:
    """An identity; those of one block stay at hand."""
    return Look.sample(_stream(seed, _IDENTITY, number))


def _view(points: np.ndarray, rng: np.random.Generator) -> View:
    """Head pose and framing, on a picture of side 1; every landmark inside."""
    turn = rng.standard_normal(3).clip(-2.2, 2.2) * (0.20, 0.10, 0.09)
    scale = _SCALE * np.exp(rng.normal(0, 0.05))
    # A picture of side 1 has its first pixel's centre at 0, its edge at -1/2.
    offset = np.array(_MIDDLE) - 0.5 + rng.normal(0, 0.022, 2)
    view = View.of(geometry.rotation(*turn), scale, offset)
    at = view.pixels(view.plane(points)) + 0.5
    inside = np.clip(0.02 - at.min(0), 0, None) - np.clip(at.max(0) - 0.98, 0, None)
    return dataclasses.replace(view, offset=view.offset + inside)


def _labels(expression: int, units, options: SyntheticOptions, index: int) -> dict:
    """Labels as rated, each perhaps missing."""
    rng = _stream(options.seed, _RATER, index)
    label, felt = rate(expression, valence_arousal(units), options.label_noise, rng)
    absent = rng.random(3) < options.missing
    return {
        "expression": None if absent[0] else label,
        "valence": None if absent[1] else float(felt[0]),
        "arousal": None if absent[1] else float(felt[1]),
        "action_units": None if absent[2] else binary_units(units),
    }


def _canvas_side(size: int) -> int:
    """Small pictures are drawn twice as large: anti-aliasing alone is too coarse."""
    return 2 * size if size < 128 else size


def _paint(look, points, view, units, gaze, options, index) -> np.ndarray:
    """The picture, back to front."""
    scene = Scene.sample(_stream(options.seed, _SCENE, index))
    side = _canvas_side(options.size)
    background = canvas_background(scene.place, side)
    canvas = Canvas(background, view.scaled(side))
    hair.behind(canvas, look, points)
    parts.neck(canvas, look, points, scene.garment)
    parts.ears(canvas, look, points)
    parts.skin(canvas, look, points)
    hair.beard(canvas, look, points)
    parts.creases(canvas, look, points, units)
    parts.eyes(canvas, look, points, gaze)
    parts.nose(canvas, look, points, units)
    parts.mouth(canvas, look, points, units)
    parts.brows(canvas, look, points)
    hair.front(canvas, look, points)
    parts.spectacles(canvas, look, points)
    occlude(canvas, scene, look.skin, points)
    cheeks = max(units[geometry.UNITS.index(6)], units[geometry.UNITS.index(12)])
    blush = 0.55 + 0.45 * look.makeup
    maps = light.light_maps(points, cheeks, look.age, blush, canvas.view, scene.lamp)
    picture = canvas.lit(options.size, maps)
    return _develop(picture, scene, options, index)


def _draw_non_face(index: int, options: SyntheticOptions) -> DrawnFace:
    """Clutter, or somebody seen from behind: hair and skin alone are no face."""
    rng = _stream(options.seed, _SCENE, index)
    scene = Scene.sample(rng)
    place = clutter(rng)
    if rng.random() < 0.3:
        picture = _paint_from_behind(place, scene, options.size, rng)
    else:
        picture = canvas_background(place, options.size)
    image = _develop(picture.astype(np.float32), scene, options, index)
    return DrawnFace(image=image, is_face=False, subject=f"n{options.seed}_{index:05d}")


def _paint_from_behind(place, scene, size: int, rng) -> np.ndarray:
    look = dataclasses.replace(Look.sample(rng), hair_style="short")
    view = _view(look.shape, rng)
    side = _canvas_side(size)
    background = canvas_background(place, side)
    canvas = Canvas(background, view.scaled(side))
    parts.neck(canvas, look, look.shape, scene.garment)
    parts.ears(canvas, look, look.shape)
    head = parts.head_outline(canvas, look.shape)
    canvas.fill([head], look.hair, 0.8)
    hair.front(canvas, look, look.shape)
    flat_light = np.zeros((light.SIDE, light.SIDE, 3), np.float32)
    flat_light[..., 0] = 0.8
    return canvas.lit(size, flat_light)


def _develop(picture, scene, options: SyntheticOptions, index: int) -> np.ndarray:
    rng = _stream(options.seed, _PIXELS, index)
    image = develop(picture, scene, rng)
    if options.grey:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return image


def template() -> np.ndarray:
    """`(5, 2)` float64: where the mean frontal neutral face has its five points.

    Eye centres, nose tip, mouth corners, image-left first, as fractions of the
    side (a landmark in pixels is `fraction * size - 0.5`): the crop of models
    trained on synthetic faces.
    """
    points = geometry.five_points(geometry.MEAN_FACE)
    return np.array(_MIDDLE) + _SCALE * points[:, :2]


def split_of(subject: str, seed: int = 0) -> str:
    """Split of a subject: 80 % "train", 10 % "validation", 10 % "test"."""
    return {0: "validation", 1: "test"}.get(tenth(f"{seed}:{subject}"), "train")
