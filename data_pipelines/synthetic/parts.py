"""The parts of a drawn face, back to front; each paints itself on a canvas."""

import cv2
import numpy as np

from data_pipelines.synthetic.canvas import Canvas, dome, ellipse, ring, smooth
from data_pipelines.synthetic.geometry import UNITS
from data_pipelines.synthetic.hair import HEAD_DEPTH, LONG, half_width
from data_pipelines.synthetic.look import Look

# Rim, iris, pupil and highlight of an eye that looks straight ahead.
_IRIS = np.concatenate(
    [ellipse((0, -0.018), radius, 16) for radius in (0.108, 0.092, 0.047)]
    + [ellipse((0.035, -0.058), 0.022, 16)]
)
_SIDES = np.array([[[-1.0, 1.0]], [[1.0, 1.0]]])  # Mirrors `(n, 2)` to both sides.


def _units(intensities: np.ndarray) -> dict[int, float]:
    return dict(zip(UNITS, intensities.tolist()))


def head_outline(canvas: Canvas, points: np.ndarray) -> np.ndarray:
    """Silhouette of the bare head: the hull of the jaw and of the skull."""
    skull = dome(15, 0.0) * (1.05 * half_width(points), 1.36) - (0, 0.02)
    # The far cheek hides the jaw behind it when the head turns.
    cheeks = points[[1, 2, 3, 4, 12, 13, 14, 15]] * (0.95, 1, 1) + (0, 0, 0.3)
    parts = [
        canvas.view.plane(smooth(points[0:17], steps=3)),
        canvas.view.plane(cheeks),
        canvas.flat(skull, HEAD_DEPTH),
        canvas.flat(skull * (0.93, 0.95), 0.0),
    ]
    hull = cv2.convexHull(np.concatenate(parts).astype(np.float32))[:, 0]
    return hull.astype(float)


def neck(canvas: Canvas, look: Look, points: np.ndarray, garment: np.ndarray) -> None:
    """Neck, the chin's shadow on it, and the shoulders."""
    chin, low = points[8, 1], 2.05
    half = 0.60 * half_width(points)
    shade = look.skin * (0.80, 0.74, 0.72)
    column = [(-half, 0.9), (half, 0.9), (half * 1.05, 2.0), (half * 1.4, 2.8)]
    column += [(-half * 1.4, 2.8), (-half * 1.05, 2.0)]
    canvas.fill([canvas.flat(column, -0.45)], shade, 0.75)
    for k in range(6):  # Darkest right below the chin.
        edge = chin + 0.30 - 0.05 * k
        shadow = [(-half, 0.9), (half, 0.9), (half * 1.03, edge - 0.15)]
        shadow += [(half * 0.8, edge), (-half * 0.8, edge), (-half * 1.03, edge - 0.15)]
        canvas.fill([canvas.flat(shadow, -0.45)], shade * (0.92 - 0.09 * k), 0.75)
    slope = low + 0.22 + 0.12 * look.waves[7]
    right = [(half * 0.5, low + 0.22), (half * 1.1, low), (1.3, slope)]
    right = np.array([*right, (2.3, low + 0.6), (2.4, 4)])
    cloth = np.concatenate([right, right[::-1] * (-1, 1)])
    canvas.fill([canvas.flat(cloth, -0.6)], garment, 0.55)


def ears(canvas: Canvas, look: Look, points: np.ndarray) -> None:
    """Ears; the head, painted next, hides what it should."""
    if look.hair_style in ("scarf", *LONG):
        return
    out = np.array([(-0.05, 0.0), (0.05, 0.0)])
    centres = canvas.flat((points[[1, 15], :2] + out) * (1, 0) + (0, 0.22), -0.45)
    tone = look.skin * (0.94, 0.82, 0.80)
    canvas.fill([ellipse(c, (0.13, 0.27)) for c in centres], tone)
    inner = [ellipse(c, (0.06, 0.16), 12) for c in centres + 0.3 * out]
    canvas.fill(inner, tone * 0.82)
    if look.earrings:
        drops = [ellipse(c, (0.055, 0.07), 12) for c in centres + (0, 0.33)]
        canvas.fill(drops, (226, 192, 104), 0.3)


def skin(canvas: Canvas, look: Look, points: np.ndarray) -> None:
    """The head and its freckles."""
    canvas.fill([head_outline(canvas, points)], look.skin)
    if look.freckles:
        spots = np.stack([0.55 * look.waves[:16], 0.42 + 0.1 * look.waves[16:]], 1)
        spots = [ellipse(at, 0.018, 8) for at in canvas.flat(spots, 0.15)]
        canvas.blend(spots, look.skin * 0.7, 0.6)


def creases(canvas: Canvas, look: Look, points: np.ndarray, aus: np.ndarray) -> None:
    """Folds and furrows of the skin; age deepens them, action units fold them."""
    p, au = canvas.view.plane(points), _units(aus)
    age = 0.35 * max(0.0, look.age - 0.4)
    between = (p[21] + p[22]) / 2
    _forehead(canvas, between, au, look.age)

    bend = np.array([(0.07, 0.12), (0.085, 0.0), (0.06, -0.14)])
    frown = [smooth(between + bend * side) for side in _SIDES]
    canvas.crease(frown, au[4] + 0.5 * au[9] + 0.4 * age, 0.035)
    if au[9] > 0.05:
        arc = np.array([(-0.12, 0.16), (0, 0.13), (0.12, 0.16)])
        wrinkles = [smooth(canvas.flat(arc + (0, 0.07 * k), 0.2)) for k in range(3)]
        canvas.crease(wrinkles, au[9])

    wings, corners = p[[31, 35]], p[[48, 54]]
    start = wings + (0.05, -0.06) * _SIDES[:, 0]
    end = corners + (0.10, 0.05) * _SIDES[:, 0]
    middle = (start + end) / 2 + (0.07 + 0.06 * au[12], -0.02) * _SIDES[:, 0]
    folds = [smooth(np.stack(curve)) for curve in zip(start, middle, end)]
    fold = max(0.9 * au[12], au[9], 0.5 * au[20], 0.4 * au[15]) + age + 0.05
    canvas.crease(folds, fold, 0.045)
    droop = np.array([(0.01, 0.0), (0.05, 0.09), (0.06, 0.2)]) * _SIDES
    droop = [smooth(at + step) for at, step in zip(corners, droop)]
    canvas.crease(droop, 0.9 * au[15] + 0.3 * age, 0.04)
    boss = p[[58, 57, 56]] + np.array([(-0.1, 0.2), (0, 0.13), (0.1, 0.2)])
    canvas.crease([smooth(boss)], 0.15 + 0.7 * au[17], 0.05)

    feet = np.array([[(0.06, 0.4 * t), (0.2, t)] for t in (-0.07, 0.01, 0.09)])
    feet = [at + f * side for at, side in zip(p[[36, 45]], _SIDES) for f in feet]
    canvas.crease(feet, au[6] * (0.35 + 0.6 * look.age), 0.025)
    bags = p[[[36, 41, 40], [45, 46, 47]]] + (0, 0.06)
    bags = [smooth(bag) for bag in bags]
    canvas.crease(bags, 0.25 + 0.5 * max(au[6], au[7]) + age, 0.035)


def _forehead(canvas: Canvas, between: np.ndarray, au: dict, age: float) -> None:
    """Horizontal furrows, arched over raised inner brows."""
    depth = 0.9 * max(au[1], 0.8 * au[2]) * (0.4 + age) + 0.25 * max(0, age - 0.4)
    if depth < 0.05:
        return
    x = np.array([-0.6, -0.3, 0, 0.3, 0.6])
    y = 0.05 * np.abs(x) - 0.15 * au[1] * (0.25 - x**2)
    for k in range(3):
        line = between + np.stack([x * (1 - 0.15 * k), y - 0.20 - 0.16 * k], 1)
        canvas.crease([smooth(line)], depth * (1 - 0.2 * k))


def eyes(canvas: Canvas, look: Look, points: np.ndarray, gaze: np.ndarray) -> None:
    """Eyeballs seen through the lids; `gaze` is in -1..1, rightwards and down."""
    p = canvas.view.plane(points)
    lids = [
        (smooth(p[[36, 37, 38, 39]], steps=5), smooth(p[[36, 41, 40, 39]], steps=5)),
        (smooth(p[[42, 43, 44, 45]], steps=5), smooth(p[[42, 47, 46, 45]], steps=5)),
    ]
    tint = look.skin * (0.66, 0.54, 0.54) * (1 - 0.35 * look.makeup)
    sockets = [ring(upper - (0, 0.12), lower + (0, 0.02)) for upper, lower in lids]
    canvas.blend(sockets, tint, 0.38 + 0.4 * look.makeup, 0.05)
    look_at = gaze * (0.07, 0.03)
    canvas.fill([ring(*pair) for pair in lids], (238, 233, 230), 0.55)
    canvas.fill([ring(u, u + (0, 0.03)) for u, _ in lids], (176, 168, 166), 0.55)
    discs = [_between_lids(_IRIS + (u[0] + u[-1]) / 2 + look_at, u, v) for u, v in lids]
    for k, (colour, shading) in enumerate(
        (
            (look.iris * 0.45, 0.4),
            (look.iris, 0.4),
            ((14, 12, 12), 0.2),
            ((250, 250, 250), 0.0),
        )
    ):
        canvas.fill([disc[16 * k : 16 * k + 16] for disc in discs], colour, shading)
    canvas.line([lower for _, lower in lids], look.skin * 0.72, 0.018)
    lashes = [upper - (0, 0.008) for upper, _ in lids]
    dark = np.minimum(look.skin * 0.35, 60)
    canvas.line(lashes, dark, 0.035 + 0.025 * look.makeup, 0.5)
    canvas.crease([upper[3:-2] - (0, 0.07) for upper, _ in lids], 0.45)


def _between_lids(disc: np.ndarray, upper: np.ndarray, lower: np.ndarray):
    """Discs cut to the opening of the eye."""
    x = np.minimum(np.maximum(disc[:, 0], upper[0, 0]), upper[-1, 0])
    low = np.interp(x, lower[:, 0], lower[:, 1])
    high = np.minimum(np.interp(x, upper[:, 0], upper[:, 1]), low)
    return np.stack([x, np.minimum(np.maximum(disc[:, 1], high), low)], 1)


def brows(canvas: Canvas, look: Look, points: np.ndarray) -> None:
    """Eyebrows: thin at the outer ends."""
    p = canvas.view.plane(points)
    thick = (0.042 + 0.05 * look.brow_width) * np.array([0.25, 0.75, 1, 1, 0.85])
    outlines = []
    for brow, profile in ((p[17:22], thick), (p[22:27], thick[::-1])):
        half = profile[:, None] * (0, 1)
        outlines.append(ring(smooth(brow - half), smooth(brow + half)))
    canvas.blend(outlines, look.brow, 0.9, 0.014)


def nose(canvas: Canvas, look: Look, points: np.ndarray, aus: np.ndarray) -> None:
    """Nostrils, wings and the shadow under the tip; light does the rest."""
    p = canvas.view.plane(points)
    base = smooth(p[31:36])
    below = ring(base, base + (0, 0.07))
    canvas.blend([below], look.skin * (0.62, 0.5, 0.5), 0.5, 0.03)
    holes = 0.6 * p[[32, 34]] + 0.4 * p[[31, 35]] - (0, 0.03)
    holes = [ellipse(hole, (0.055, 0.028), 14) for hole in holes]
    canvas.fill(holes, look.skin * (0.48, 0.36, 0.34))
    around = np.array([(0.0, 0.02), (0.055, -0.02), (0.06, -0.09), (0.02, -0.15)])
    around = [smooth(at + around * side) for at, side in zip(p[[31, 35]], _SIDES)]
    canvas.crease(around, 0.65 + 0.3 * _units(aus)[9])
    canvas.crease([smooth(p[32:35]) - (0, 0.01)], 0.5)


def mouth(canvas: Canvas, look: Look, points: np.ndarray, aus: np.ndarray) -> None:
    """Lips, and what shows between them."""
    p, au = canvas.view.plane(points), _units(aus)
    top, bottom = smooth(p[48:55]), smooth(p[[48, 59, 58, 57, 56, 55, 54]])
    inner_top, inner_bottom = smooth(p[60:65]), smooth(p[[60, 67, 66, 65, 64]])
    inner_bottom[:, 1] = np.maximum(inner_bottom[:, 1], inner_top[:, 1])
    canvas.blend([ring(bottom, bottom + (0, 0.07))], look.skin * 0.6, 0.35, 0.03)
    corners = [p[48] - (0.015, 0), p[54] + (0.015, 0)]
    corners = [ellipse(at, (0.032, 0.027), 10) for at in corners]
    canvas.fill(corners, look.skin * (0.72, 0.62, 0.6))
    canvas.fill([ring(top, inner_top)], look.lips * 0.88)
    canvas.fill([ring(inner_bottom, bottom)], look.lips)
    if (inner_bottom - inner_top)[:, 1].max() > 0.03:
        clenched = max(au[4], au[9], au[20]) > 0.3
        _inside_mouth(canvas, inner_top, inner_bottom, clenched)
    else:
        canvas.line([inner_top], look.lips * 0.42, 0.03)
    gleam = smooth(0.5 * (p[[67, 66, 65]] + p[[58, 57, 56]]))
    bright = np.minimum(look.lips * 1.25 + 18, 255)
    canvas.blend([ring(gleam - (0, 0.015), gleam + (0, 0.015))], bright, 0.45, 0.015)


def _inside_mouth(canvas, top: np.ndarray, bottom: np.ndarray, clenched: bool) -> None:
    """Cavity, tongue and teeth between the inner lips."""
    gap = bottom - top
    open_by = gap[:, 1].max()
    canvas.fill([ring(top, bottom)], (58, 18, 22), 0.45)
    if open_by > 0.16:
        tongue = ring((bottom - 0.42 * gap)[6:-6], bottom[6:-6])
        canvas.blend([tongue], (176, 84, 84), 0.85, 0.02)
    edge, middle = top.copy(), top[len(top) // 2, 1]
    rim = middle + 0.10 + 0.5 * (top[:, 1] - middle)
    edge[:, 1] = np.minimum(np.maximum(rim, top[:, 1]), bottom[:, 1])
    canvas.fill([ring(top, edge)], (236, 230, 218), 0.5)
    if clenched and open_by < 0.30:
        edge[:, 1] = bottom[:, 1] - 0.42 * gap[:, 1]
        canvas.fill([ring(edge[3:-3], bottom[3:-3])], (222, 216, 204), 0.5)
        canvas.line([edge[2:-2]], (96, 52, 50), 0.012, 0.5)


def spectacles(canvas: Canvas, look: Look, points: np.ndarray) -> None:
    """Glasses with a faint reflection."""
    if look.glasses == "none":
        return
    thin, depth = look.glasses == "thin", 0.16
    frame = np.array((150, 140, 120) if thin else (32, 28, 30), float)
    frame = look.accent * 0.4 if look.waves[9] > 0.8 else frame
    width = 0.028 if thin else 0.05
    circle = ellipse((0, 0), 1, 28)
    power = 1.0 if look.glasses == "round" else 0.62
    rim = (0.37, 0.28) * np.sign(circle) * np.abs(circle) ** power
    glare = np.array([(-0.2, 0.12), (0.0, -0.18), (0.08, -0.18), (-0.1, 0.15)])
    centres = np.stack([points[36:42, :2].mean(0), points[42:48, :2].mean(0)])
    centres = canvas.flat(centres * (1.04, 1) + (0, 0.05), depth)
    left, right = (centre + rim for centre in centres)
    canvas.blend([left, right], (210, 225, 235), 0.10)
    canvas.blend([centre + glare for centre in centres], (255, 255, 255), 0.16, 0.01)
    canvas.line([np.concatenate([r, r[:1]]) for r in (left, right)], frame, width, 0.4)
    bridge = np.stack([left[0], (left[0] + right[14]) / 2 - (0, 0.05), right[14]])
    canvas.line([smooth(bridge)], frame, width, 0.4)
    ends = canvas.view.plane(points[[0, 16]])
    temples = [np.stack([left[14], ends[0]]), np.stack([right[0], ends[1]])]
    canvas.line(temples, frame, width * 0.8, 0.4)
