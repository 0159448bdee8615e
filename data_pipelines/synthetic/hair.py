"""Hair, beards and headwear of a drawn face."""

import numpy as np

from data_pipelines.synthetic.canvas import Canvas, dome, ellipse, ring, smooth
from data_pipelines.synthetic.look import Look

HEAD_DEPTH = -0.30
LONG = ("long", "curtain", "bob")

# How much the hair's outline differs from that of other styles.
_GROWTH = {"buzz": -0.12, "receding": -0.1, "afro": 0.15, "curly": 0.1}

_ACROSS = np.linspace(-1, 1, 25)


def half_width(points: np.ndarray) -> float:
    """Half the head's width at the height of the nose."""
    return (points[14, 0] - points[2, 0]) / 2


def _crown(look: Look, width: float, reach: float = 0.05) -> np.ndarray:
    """Outline of the hair over the head, ear to ear, `(25, 2)`."""
    swell = 0.10 + 0.20 * look.volume + _GROWTH.get(look.hair_style, 0.0)
    radii = (1.06 * width + 0.7 * swell, 1.36 + 1.1 * swell)
    return dome(25, reach) * radii - (0, 0.02)


def _hairline(look: Look, width: float) -> np.ndarray:
    """Where the hair ends on the forehead, ear to ear, `(25, 2)`."""
    s, near = _ACROSS, np.abs(_ACROSS)
    style, wave = look.hair_style, look.waves[7:]
    if style == "fringe":
        y = -0.60 + 0.028 * wave + 4.5 * np.maximum(near - 0.85, 0)
    elif style in LONG and look.waves[0] > -0.4:
        part = 0.25 * look.waves[1]
        near = np.abs(np.clip(s - part * (1 - near), -1, 1))
        y = -1.12 + 1.15 * near**1.35
    elif style == "side":
        flip = 1 if look.waves[2] > 0 else -1
        y = -0.98 + 0.30 * np.clip(flip * s + 0.45, 0, 1) + 0.75 * near**6
    elif style == "receding":
        y = -1.22 + 0.18 * np.cos(2.2 * np.pi * s) + 1.1 * near**5
    elif style in ("curly", "afro"):
        y = -0.90 + 0.05 * wave + 0.75 * near**5
    else:
        y = -0.93 + 0.06 * look.waves[3] + 0.015 * wave + 0.8 * near**5
    inside = 0.93 if style in LONG else 0.985
    return np.stack([inside * width * s, y], 1)


def behind(canvas: Canvas, look: Look, points: np.ndarray) -> None:
    """The hair behind the head and the neck."""
    width = half_width(points)
    style, waves = look.hair_style, look.waves
    colour, shading, depth = look.hair * 0.72, 0.6, -0.5
    if style == "bun":
        outline = ellipse((0.1 * waves[4], -1.75), (0.42, 0.36))
    elif style == "afro":
        grow = (1.42 + 0.25 * look.volume) * (1 + 0.03 * waves[:, None])
        outline = ellipse((0, -0.45), grow, 32)
    elif style in LONG:
        low = 1.25 + 0.2 * waves[5] if style == "bob" else 2.9
        flare = 1.22 * width + 0.10 * look.volume
        right = [(flare, 0.5), (flare * 1.05, 0.6 * low)]
        right += [(flare * (0.98 + 0.05 * waves[6]), low), (0.5, low + 0.1)]
        left = [(-x, y) for x, y in right[::-1]]
        outline = np.concatenate([_crown(look, width), right, left])
    elif style == "scarf":
        colour = look.accent * 0.6
        ends = [(1.35, 1.2), (1.7, 2.6), (-1.7, 2.6), (-1.35, 1.2)]
        outline = np.concatenate([_crown(look, width, 0.1), ends])
    else:
        return
    canvas.fill([smooth(canvas.flat(outline, depth), True, 3)], colour, shading)


def front(canvas: Canvas, look: Look, points: np.ndarray) -> None:
    """The hair over the skull, a scarf or a hat."""
    style = look.hair_style
    if style == "bald":
        return
    width = half_width(points)
    crown = canvas.flat(_crown(look, width), HEAD_DEPTH)
    if style == "scarf":
        _scarf(canvas, look, width, points[8, 1])
    elif style == "beanie":
        _beanie(canvas, look, crown)
    else:
        _hair(canvas, look, crown, canvas.flat(_hairline(look, width), -0.02), width)


def _hair(canvas: Canvas, look: Look, crown, line, width: float) -> None:
    style = look.hair_style
    if style in ("curly", "afro"):
        bumps = 1 + 0.045 * np.sin(np.arange(25) * 2.4 + look.waves[8])
        centre = crown.mean(0)
        crown = centre + (crown - centre) * bumps[:, None]
    parts = [smooth(crown, steps=3), smooth(line[::-1], steps=3)]
    if style in LONG:  # Locks that hang before the ears.
        lock = np.array([(1.2, 0.45), (1.14, 0.95), (1.02, 0.85), (0.97, 0.4)])
        right = canvas.flat(lock * (width, 1), -0.2)
        left = canvas.flat(lock[::-1] * (-width, 1), -0.2)
        parts = [parts[0], right, parts[1], left]
    outline = np.concatenate(parts)
    if style == "buzz":
        canvas.blend([outline], look.hair * 0.9, 0.72, 0.04)
    else:
        canvas.fill([outline], look.hair, 0.75)
        _tufts(canvas, look, line, crown)


def _tufts(canvas: Canvas, look: Look, line: np.ndarray, crown: np.ndarray) -> None:
    """Lighter and darker locks between the hairline and the crown."""
    near = 0.3 + 0.12 * look.waves[:25, None]
    far = 0.75 + 0.1 * look.waves[31:6:-1, None]
    a, b = line + near * (crown - line), line + far * (crown - line)
    middle = (a + b) / 2
    middle[:, 0] += 0.05 * look.waves[31:6:-1]
    width = np.array([0.022, 0.0])
    tufts = np.stack([a, middle - width, b, middle + width])[:, 1:24]
    curves = smooth(tufts.reshape(4, -1), True, 3).reshape(-1, 23, 2)
    tufts = list(curves.transpose(1, 0, 2))
    canvas.fill(tufts[0::2], np.minimum(look.hair * 1.12 + 4, 255), 0.75)
    canvas.fill(tufts[1::2], look.hair * 0.88, 0.75)


def _beanie(canvas: Canvas, look: Look, crown: np.ndarray) -> None:
    top = crown[4:-4] * (1.02, 1.04)
    t = np.linspace(0, 1, 17)[:, None]
    edge = top[0] + t * (top[-1] - top[0]) - t * (1 - t) * (0, 0.45)
    canvas.fill([ring(smooth(top), edge)], look.accent, 0.7)
    canvas.fill([ring(edge, edge * (0.97, 1) - (0, 0.26))], look.accent * 0.8, 0.7)


def _scarf(canvas: Canvas, look: Look, width: float, low: float) -> None:
    ends = np.array(
        [(1.22 * width, 1.1), (0.8, 2.1), (-0.8, 2.1), (-1.22 * width, 1.1)]
    )
    outer = np.concatenate([_crown(look, width, 0.1), ends])
    outer = smooth(canvas.flat(outer, -0.1), True, 3)
    rim = ellipse((0, (low - 0.98) / 2), (0.93 * width, (low + 0.98) / 2 - 0.02), 32)
    rim = canvas.flat(rim, 0.0)
    canvas.fill([outer, rim], look.accent, 0.7)  # The rim is a hole in it.
    for k, grow in enumerate((1.06, 1.13)):
        centre = rim.mean(0)
        fold = centre + (rim - centre) * (grow + 0.02 * look.waves[k])
        canvas.line([fold[2 + k : 15 - k]], look.accent * 0.72, 0.03, 0.7)


def beard(canvas: Canvas, look: Look, points: np.ndarray) -> None:
    """Beard and moustache; they move with the jaw and the lips."""
    if look.beard == "none":
        return
    p = canvas.view.plane(points)
    colour = 0.5 * look.brow + 0.4 * look.hair
    if look.beard in ("stubble", "full"):
        if look.beard == "stubble":
            canvas.blend([_full_beard(p)], look.brow, 0.26, 0.06)
        else:
            canvas.blend([_full_beard(p)], colour, 0.9, 0.03)
    else:
        canvas.blend([_moustache(p)], colour, 0.9, 0.018)
        if look.beard == "goatee":
            canvas.blend([_goatee(p)], colour, 0.85, 0.03)


def _from(anchors: np.ndarray, steps) -> np.ndarray:
    """Landmarks, each moved by its own step, `(n, 2)`."""
    return anchors + np.array(steps)


def _moustache(p: np.ndarray) -> np.ndarray:
    steps = [(-0.07, 0.05), (0.0, -0.10), (-0.16, 0.10), (0, 0.085), (0.16, 0.10)]
    steps += [(0.0, -0.10), (0.07, 0.05), (0, 0.01), (0, 0.02), (0, 0.01)]
    return smooth(_from(p[[48, 48, 33, 33, 33, 54, 54, 52, 51, 50]], steps), True, 3)


def _goatee(p: np.ndarray) -> np.ndarray:
    steps = [(-0.08, -0.05), (-0.02, 0.22), (-0.30, -0.06), (0, 0.05), (0.30, -0.06)]
    steps += [(0.02, 0.22), (0.08, -0.05), (0.12, 0.06), (0, 0.04), (-0.12, 0.06)]
    return smooth(_from(p[[48, 48, 8, 8, 8, 54, 54, 57, 57, 57]], steps), True, 3)


def _full_beard(p: np.ndarray) -> np.ndarray:
    steps = [(-0.10, 0.10), (0.30, -0.10), (0.1, -0.16), (0.16, 0.10), (0, 0.085)]
    steps += [(-0.16, 0.10), (-0.1, -0.16), (-0.30, -0.10), (0.10, 0.10)]
    above = _from(p[[14, 54, 54, 33, 33, 33, 48, 48, 2]], steps)
    return np.concatenate([p[1:16] * (1.01, 1.012), above])
