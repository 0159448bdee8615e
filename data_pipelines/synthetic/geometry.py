"""Shape of a drawn face: 68 landmarks in three dimensions, moved by action units.

Units are interocular distances: the eyes' centres of the mean face are at
(-0.5, 0, 0) and (0.5, 0, 0). x points to the image's right, y down, z to the viewer.
Landmarks are in iBUG order: 0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes,
48-59 outer lip, 60-67 inner lip.

The displacements follow the descriptions of the Facial Action Coding System
(Ekman, Friesen and Hager, 2002) by eye; nothing is measured on people.
"""

import numpy as np

UNITS = (1, 2, 4, 5, 6, 7, 9, 12, 15, 17, 20, 23, 25, 26)
"""Action units that move the drawing; intensities are arrays in this order."""

# Left half and midline of the mean face; the rest is its mirror image.
_JAW = [
    (-1.09, 0.05, -0.55),
    (-1.07, 0.36, -0.50),
    (-1.03, 0.68, -0.42),
    (-0.95, 1.00, -0.30),
    (-0.81, 1.30, -0.16),
    (-0.64, 1.54, -0.02),
    (-0.44, 1.70, 0.10),
    (-0.22, 1.785, 0.17),
    (0.00, 1.81, 0.20),
]
_BROW = [
    (-0.86, -0.29, -0.05),
    (-0.71, -0.40, 0.05),
    (-0.52, -0.43, 0.12),
    (-0.34, -0.40, 0.16),
    (-0.18, -0.34, 0.18),
]
_BRIDGE = [(0, -0.03, 0.18), (0, 0.17, 0.27), (0, 0.37, 0.38), (0, 0.56, 0.48)]
_NOSE_BASE = [(-0.22, 0.67, 0.18), (-0.11, 0.71, 0.26), (0, 0.73, 0.32)]
_EYE = [
    (-0.74, 0.00, -0.06),
    (-0.60, -0.090, 0.02),
    (-0.41, -0.090, 0.04),
    (-0.26, 0.03, 0.02),
    (-0.41, 0.085, 0.04),
    (-0.60, 0.080, 0.02),
]
_LIP_TOP = [(-0.39, 1.07, 0.10), (-0.24, 1.005, 0.20), (-0.09, 0.965, 0.28)]
_LIP_BOTTOM = [(-0.24, 1.165, 0.20), (-0.11, 1.215, 0.25)]

# Which landmark is the mirror image of which.
MIRROR = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1)]
    + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    + [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55]
    + [64, 63, 62, 61, 60, 67, 66, 65]
)

# AU -> {landmarks of the image-left half or midline: (dx, dy)} at full intensity.
# dx < 0 points outwards. Depth moves only where the outline needs it (AU26).
_MOVES = {
    1: {21: (0.00, -0.18), 20: (0.00, -0.13), 19: (0.00, -0.05), 18: (0, -0.01)},
    2: {17: (0.00, -0.11), 18: (0, -0.16), 19: (0, -0.12), 20: (0, -0.05)},
    4: {
        21: (0.075, 0.11),
        20: (0.06, 0.11),
        19: (0.03, 0.075),
        18: (0.01, 0.04),
        37: (0, 0.015),
        38: (0, 0.03),
    },
    5: {37: (0, -0.065), 38: (0, -0.065)},
    6: {40: (0, -0.05), 41: (0, -0.055), 36: (0, 0.01), 17: (0, 0.03), 18: (0, 0.02)},
    7: {37: (0, 0.045), 38: (0, 0.045), 40: (0, -0.04), 41: (0, -0.04)},
    9: {
        30: (0, -0.04),
        31: (-0.03, -0.075),
        32: (-0.01, -0.05),
        33: (0, -0.04),
        21: (0.03, 0.09),
        20: (0.02, 0.07),
        40: (0, -0.035),
        41: (0, -0.025),
        37: (0, 0.02),
        38: (0, 0.03),
        49: (0, -0.09),
        50: (0, -0.09),
        51: (0, -0.08),
        61: (0, -0.035),
        62: (0, -0.03),
        48: (0.01, 0.01),
    },
    12: {
        48: (-0.17, -0.17),
        60: (-0.17, -0.165),
        49: (-0.09, -0.07),
        59: (-0.09, -0.045),
        50: (-0.03, 0.005),
        58: (-0.04, 0.02),
        51: (0, 0.015),
        61: (-0.06, 0.0),
        67: (-0.06, 0.01),
        57: (0, 0.02),
        31: (-0.03, -0.015),
    },
    15: {
        48: (0.00, 0.14),
        60: (0.01, 0.13),
        49: (0, 0.05),
        59: (0, 0.07),
        61: (0, 0.01),
        67: (0, 0.01),
    },
    17: {
        8: (0, -0.06),
        7: (0, -0.05),
        6: (0, -0.02),
        57: (0, -0.085),
        58: (0, -0.08),
        59: (0, -0.045),
        51: (0, -0.045),
        50: (0, -0.04),
        49: (0, -0.02),
        61: (0, -0.05),
        62: (0, -0.05),
        66: (0, -0.05),
        67: (0, -0.05),
        48: (0.02, 0.02),
        60: (0.02, 0.01),
    },
    20: {
        48: (-0.17, 0.04),
        60: (-0.17, 0.04),
        49: (-0.10, 0.02),
        59: (-0.10, 0.01),
        50: (-0.03, 0.015),
        58: (-0.04, -0.01),
        61: (-0.07, 0),
        67: (-0.07, 0.01),
        57: (0, -0.01),
    },
    23: {
        48: (0.07, 0.01),
        60: (0.06, 0.01),
        49: (0.04, 0.03),
        50: (0.01, 0.045),
        51: (0, 0.04),
        57: (0, -0.065),
        58: (0.01, -0.06),
        59: (0.04, -0.04),
    },
    25: {
        49: (0, -0.02),
        50: (0, -0.035),
        51: (0, -0.03),
        61: (0, -0.04),
        62: (0, -0.035),
        66: (0, 0.075),
        67: (0, 0.07),
        57: (0, 0.06),
        58: (0, 0.055),
        59: (0, 0.03),
        60: (0, 0.005),
    },
    26: {
        8: (0, 0.30),
        7: (0, 0.295),
        6: (0.01, 0.28),
        5: (0.02, 0.22),
        4: (0.02, 0.13),
        3: (0.01, 0.05),
        2: (0.0, 0.015),
        48: (0.09, 0.10),
        60: (0.085, 0.105),
        49: (0.05, 0.01),
        59: (0.05, 0.22),
        58: (0, 0.30),
        57: (0, 0.32),
        67: (0.01, 0.29),
        66: (0, 0.30),
        61: (0.01, -0.015),
        62: (0, -0.02),
        50: (0.01, -0.02),
        51: (0, -0.02),
    },
}

# Shape traits -> standard-normal steps of an identity, see `face_shape`.
TRAITS = (
    "face_width",
    "jaw_width",
    "chin_length",
    "eye_spacing",
    "eye_width",
    "eye_opening",
    "eye_tilt",
    "brow_height",
    "brow_tilt",
    "brow_gap",
    "nose_width",
    "nose_length",
    "mouth_width",
    "mouth_height",
    "mouth_curve",
    "lip_fullness",
)


def _mirrored(points: np.ndarray) -> np.ndarray:
    """The face seen in a mirror, its landmarks back in iBUG order."""
    return points[MIRROR] * (-1.0, 1.0, 1.0)


def _mean_face() -> np.ndarray:
    """`(68, 3)`: the symmetric mean face, neutral, mouth closed."""
    face = np.zeros((68, 3))
    face[0:9], face[17:22], face[27:31] = _JAW, _BROW, _BRIDGE
    face[31:34], face[36:42], face[48:51] = _NOSE_BASE, _EYE, _LIP_TOP
    face[51], face[57] = (0, 0.98, 0.30), (0, 1.225, 0.27)
    face[[59, 58]] = _LIP_BOTTOM
    face[[60, 61, 62]] = [(-0.335, 1.07, 0.12), (-0.11, 1.065, 0.26), (0, 1.075, 0.28)]
    face[[67, 66]] = [(-0.11, 1.07, 0.26), (0, 1.08, 0.28)]
    mirror = _mirrored(face)
    filled = (face != 0).any(axis=1)
    return np.where(filled[:, None], face, mirror)


def _displacements() -> np.ndarray:
    """`(2, len(UNITS), 68, 3)`: of the image-left and the image-right half."""
    moves = np.zeros((2, len(UNITS), 68, 3))
    for row, unit in enumerate(UNITS):
        for point, (dx, dy) in _MOVES[unit].items():
            moves[0, row, point, :2] = dx, dy
        right = _mirrored(moves[0, row])
        midline = MIRROR == np.arange(68)
        moves[0, row, midline] /= 2
        right[midline] /= 2
        moves[1, row] = right
    moves[:, UNITS.index(26), 5:12, 2] = -0.03  # The jaw swings back as it opens.
    return moves


MEAN_FACE = _mean_face()
DISPLACEMENTS = _displacements()


def face_shape(traits: dict[str, float]) -> np.ndarray:
    """`(68, 3)` neutral face of an identity.

    Args:
        traits: Standard-normal steps by name, of `TRAITS`; a missing one is 0.
    """
    t = {name: traits.get(name, 0.0) for name in TRAITS}
    face = MEAN_FACE.copy()
    x, y = face[:, 0], face[:, 1]  # Views.
    lower = np.clip(y[:17], 0, None) / 1.81
    x[:17] *= 1 + 0.045 * t["face_width"] + 0.06 * t["jaw_width"] * lower
    y[3:14] *= 1 + 0.035 * t["chin_length"] * lower[3:14]

    brows, eyes, mouth = slice(17, 27), slice(36, 48), slice(48, 68)
    outwards = np.abs(x[brows]) - 0.5
    y[brows] += -0.035 * t["brow_height"] - 0.09 * t["brow_tilt"] * outwards
    x[brows] += np.sign(x[brows]) * 0.02 * t["brow_gap"]

    side = np.sign(x[eyes])
    across = np.abs(x[eyes]) - 0.5
    y[eyes] *= 1 + 0.13 * t["eye_opening"]
    y[eyes] -= 0.06 * t["eye_tilt"] * across
    x[eyes] = side * (
        0.5 + 0.02 * t["eye_spacing"] + across * (1 + 0.06 * t["eye_width"])
    )

    x[31:36] *= 1 + 0.13 * t["nose_width"]
    y[28:36] += 0.03 * t["nose_length"] * np.array([0.3, 0.7, 1, 1, 1, 1, 1, 1])
    middle = 1.07
    y[mouth] = middle + (y[mouth] - middle) * (1 + 0.20 * t["lip_fullness"])
    y[mouth] += 0.03 * t["mouth_height"] + 0.015 * t["nose_length"]
    y[mouth] -= 0.022 * t["mouth_curve"] * (np.abs(x[mouth]) / 0.39) ** 2
    x[mouth] *= 1 + 0.07 * t["mouth_width"]
    return face


def move(
    shape: np.ndarray, intensities: np.ndarray, asymmetry: np.ndarray | float = 0.0
) -> np.ndarray:
    """Face with its action units contracted.

    Args:
        shape: `(68, 3)` neutral face.
        intensities: `(len(UNITS),)` in 0..1, 1 the strongest.
        asymmetry: Relative strength of the image-left minus the right half.

    Returns:
        `(68, 3)`; lids and lips touch but never cross.
    """
    left, right = intensities * (1 + asymmetry), intensities * (1 - asymmetry)
    face = shape + np.tensordot(left, DISPLACEMENTS[0], 1)
    face += np.tensordot(right, DISPLACEMENTS[1], 1)
    y = face[:, 1]
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        y[lower] = max(y[lower], y[upper] + 0.035)
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        y[lower] = max(y[lower], y[upper])
    # Lips keep some thickness, whatever pulls at them.
    y[50:53] = np.minimum(y[50:53], y[61:64] - 0.03)
    y[56:59] = np.maximum(y[56:59], y[[65, 66, 67]] + 0.04)
    return face


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """`(3, 3)` head rotation from angles in radians.

    Positive yaw turns the nose to the image's right, pitch down; positive roll
    lowers the image-right eye.
    """
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """`(5, d)`: eye centres, nose tip, mouth corners, image-left first."""
    return np.stack(
        [
            landmarks[36:42].mean(axis=0),
            landmarks[42:48].mean(axis=0),
            landmarks[30],
            landmarks[48],
            landmarks[54],
        ]
    )
