"""What the drawn faces express and how raters label it.

An expression is a mixture of action units at some intensity; valence and
arousal are a smooth function of the action units, so no label contradicts
another before the raters' noise.
"""

import numpy as np

from data_pipelines.synthetic.geometry import UNITS
from fer_tf.labels import ACTION_UNITS, EXPRESSIONS

CLASSES = EXPRESSIONS[:7]
"""Contempt is not drawn."""

PRESENT = 0.3
"""Intensity from which an action unit counts as present (FACS B and above)."""

# Class -> (action unit, probability, least, most), after the emotion
# prototypes of the FACS Investigator's Guide.
_PROTOTYPES = {
    "neutral": (),
    "happiness": (
        (12, 1.0, 0.7, 1.0),
        (6, 0.85, 0.5, 1.0),
        (25, 0.65, 0.4, 1.0),
        (26, 0.25, 0.2, 0.7),
    ),
    "sadness": (
        (1, 0.95, 0.6, 1.0),
        (4, 0.8, 0.3, 0.8),
        (15, 1.0, 0.6, 1.0),
        (17, 0.6, 0.4, 0.9),
        (7, 0.3, 0.2, 0.5),
    ),
    "surprise": (
        (1, 1.0, 0.7, 1.0),
        (2, 1.0, 0.7, 1.0),
        (5, 0.85, 0.4, 0.9),
        (25, 0.95, 0.5, 1.0),
        (26, 0.9, 0.6, 1.0),
    ),
    "fear": (
        (1, 1.0, 0.6, 1.0),
        (2, 0.75, 0.3, 0.8),
        (4, 0.95, 0.5, 0.9),
        (5, 0.95, 0.5, 1.0),
        (20, 0.9, 0.6, 1.0),
        (25, 0.85, 0.4, 0.9),
        (26, 0.45, 0.2, 0.6),
    ),
    "disgust": (
        (9, 1.0, 0.7, 1.0),
        (4, 0.6, 0.2, 0.6),
        (7, 0.6, 0.3, 0.7),
        (15, 0.4, 0.2, 0.6),
        (17, 0.5, 0.3, 0.8),
        (25, 0.4, 0.3, 0.8),
    ),
    "anger": (
        (4, 1.0, 0.7, 1.0),
        (7, 0.9, 0.5, 1.0),
        (5, 0.5, 0.2, 0.6),
        (23, 0.8, 0.5, 1.0),
        (17, 0.5, 0.3, 0.7),
        (25, 0.3, 0.3, 0.9),
    ),
}

# Which other label a careless or disagreeing rater gives, relative weights,
# in the order of CLASSES.
_CONFUSIONS = np.array(
    [
        (0, 2, 3, 1, 1, 1, 2),
        (6, 0, 1, 3, 1, 1, 1),
        (5, 1, 0, 1, 2, 2, 2),
        (2, 3, 1, 0, 6, 1, 1),
        (1, 1, 2, 7, 0, 1, 2),
        (1, 1, 2, 1, 1, 0, 6),
        (4, 1, 2, 1, 2, 5, 0),
    ],
    float,
)

# Action unit -> its pull on (valence, arousal).
_PULL = {
    1: (-0.15, 0.00),
    2: (0.18, 0.30),
    4: (-0.55, 0.30),
    5: (-0.05, 0.60),
    6: (0.30, 0.10),
    7: (-0.25, 0.20),
    9: (-0.75, 0.25),
    12: (1.10, 0.15),
    15: (-0.70, -0.60),
    17: (-0.20, -0.30),
    20: (-0.45, 0.40),
    23: (-0.35, 0.25),
    25: (0.00, 0.15),
    26: (0.05, 0.30),
}
_PULLS = np.array([_PULL[unit] for unit in UNITS])
_REST = np.array([0.03, -0.18])

AFFECTNET_COUNTS = (74874, 134415, 25459, 14090, 6378, 3803, 24882)
"""AffectNet's manually annotated training images (Mollahosseini, Hasani and Mahoor,
2017) by class, in the order of `CLASSES`."""

_FREQUENCIES = {
    "uniform": np.ones(7),
    "affectnet": np.array(AFFECTNET_COUNTS, float),
}
IMBALANCES = tuple(_FREQUENCIES)


def pick_class(imbalance: str, u: float) -> int:
    """Index in `CLASSES` for a uniform `u` in [0, 1)."""
    frequencies = _FREQUENCIES[imbalance]
    steps = np.cumsum(frequencies) / frequencies.sum()
    return min(int(np.searchsorted(steps, u, side="right")), 6)


def _contract(name: str, rng: np.random.Generator) -> np.ndarray:
    """One enactment of a prototype at full strength."""
    units = np.zeros(len(UNITS))
    for unit, probability, least, most in _PROTOTYPES[name]:
        chance, strength = rng.random(2)
        if chance < probability:
            units[UNITS.index(unit)] = least + strength * (most - least)
    return units


def enact(expression: int, habits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Intensities of the action units of somebody who shows an expression.

    The expression comes at any strength, sometimes blended with a weaker second
    one, with speech, and with twitches that mean nothing.

    Args:
        expression: Index in `CLASSES`.
        habits: `(len(UNITS),)` the person's factors.
        rng: Source of the variation.

    Returns:
        `(len(UNITS),)` in 0..1.
    """
    strength = rng.uniform(0.38, 1.0)
    units = strength * _contract(CLASSES[expression], rng)
    blend, other = rng.random(), int(rng.integers(1, 7))
    second = _contract(CLASSES[other], rng) * rng.uniform(0.1, 0.35)
    if blend < 0.25 and expression:
        units = np.maximum(units, strength * second)
    speech, lips, jaw = rng.random(3)
    if speech < 0.12:
        units[UNITS.index(25)] = max(units[UNITS.index(25)], 0.7 * lips)
        units[UNITS.index(26)] = max(units[UNITS.index(26)], 0.35 * jaw)
    twitch = rng.random(len(UNITS)) ** 3
    units = np.maximum(units, 0.25 * twitch) * habits
    # A jaw that opens parts the lips.
    opened, parted = units[UNITS.index(26)], UNITS.index(25)
    units[parted] = max(units[parted], 0.8 * opened)
    return np.clip(units, 0, 1)


def valence_arousal(units: np.ndarray) -> np.ndarray:
    """`(2,)` inside the unit circle: a squashed linear map of intensities.

    `tanh(|s|) s / |s|` with `s` the action units' summed pulls; no noise.
    """
    pull = _REST + units @ _PULLS
    length = np.linalg.norm(pull)
    return pull * (np.tanh(length) / max(length, 1e-9))


def binary_units(units: np.ndarray) -> np.ndarray:
    """`(8,)` int64 of `fer_tf.labels.ACTION_UNITS`: present or not."""
    numbers = [int(name.removeprefix("AU")) for name in ACTION_UNITS]
    return (units[[UNITS.index(n) for n in numbers]] >= PRESENT).astype(np.int64)


def rate(
    expression: int, circumplex: np.ndarray, label_noise: float, rng
) -> tuple[int, np.ndarray]:
    """What a crowd-sourced rater writes down.

    Args:
        expression: True index in `CLASSES`.
        circumplex: `(2,)` true valence and arousal.
        label_noise: Probability of another label; as often, and independently,
            valence and arousal are uniformly random.
        rng: The rater.

    Returns:
        Label, and `(2,)` valence and arousal in -1..1.
    """
    careless, other, outlier = rng.random(3)
    noise, anything = rng.normal(0, 0.06, 2), rng.uniform(-1, 1, 2)
    if careless < label_noise:
        steps = np.cumsum(_CONFUSIONS[expression])
        expression = int(np.searchsorted(steps / steps[-1], other, side="right"))
    felt = anything if outlier < label_noise else circumplex + noise
    return expression, np.clip(felt, -1, 1)
