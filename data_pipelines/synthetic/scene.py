"""Everything of a picture that is not the person: place, light and camera."""

import dataclasses

import cv2
import numpy as np

from data_pipelines.synthetic.canvas import Canvas, ellipse, smooth

# Sides on which backgrounds are drawn, whatever the picture's size.
_BLURRED, _SHARP = 32, 80


@dataclasses.dataclass(frozen=True)
class Scene:
    """Nuisance of one picture; none of it depends on the picture's size.

    Attributes:
        place: `(32, 32, 3)` uint8 background.
        lamp: `(5,)`, see `light.light_maps`.
        garment: `(3,)` RGB.
        occluder: Name in `_OCCLUDERS`, or "".
        occluder_steps: `(8,)` in 0..1, of the occluder's place and colour.
        gain: `(3,)` exposure and colour of the light.
        gamma: Exponent, around 1.
        haze: Contrast lost, 0..0.3.
        blur: Standard deviation as a fraction of the side.
        noise: Standard deviation in grey levels.
    """

    place: np.ndarray
    lamp: np.ndarray
    garment: np.ndarray
    occluder: str
    occluder_steps: np.ndarray
    gain: np.ndarray
    gamma: float
    haze: float
    blur: float
    noise: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Scene":
        azimuth, elevation = rng.uniform(-1.15, 1.15), rng.uniform(-0.15, 1.0)
        towards = np.array(
            [
                np.sin(azimuth) * np.cos(elevation),
                -np.sin(elevation),
                np.cos(azimuth) * np.cos(elevation),
            ]
        )
        warmth = rng.normal(0, 0.05)
        lamp = [*towards, rng.uniform(0.40, 0.75), rng.uniform(0.02, 0.22)]
        exposure = np.exp(rng.normal(-0.02, 0.13))
        dull = rng.random(6)
        return cls(
            place=_place(rng, _BLURRED, int(rng.integers(2, 9)), rng.uniform(1.5, 6)),
            lamp=np.array(lamp),
            garment=rng.uniform(20, 235, 3),
            occluder=_pick_occluder(dull[0]),
            occluder_steps=rng.random(8),
            gain=exposure * np.array([1 + warmth, 1.0, 1 - warmth]),
            gamma=float(np.exp(rng.normal(0, 0.12))),
            haze=0.25 * dull[1] ** 3,
            blur=0.013 * max(0.0, dull[2] - 0.6) / 0.4,
            noise=12.0 * dull[3] ** 3,
        )


def _place(rng, side: int, shapes: int, focus: float) -> np.ndarray:
    """A gradient with coloured shapes, blurred by `focus` hundredths of the side."""
    top, bottom, tint = _muted(rng.uniform(15, 240, (3, 3)))
    slope = np.linspace(0, 1, side, dtype=np.float32)[:, None]
    rows = top + slope * (0.6 * (bottom - top))
    picture = np.repeat(rows[:, None], side, axis=1).astype(np.uint8)
    colours = np.clip(tint + _muted(rng.normal(0, 60, (shapes, 3))), 0, 255).tolist()
    far = 0.4 * side
    steps = rng.random((shapes, 6)) * (1, side, side, far, far, 180)
    for (kind, *where, turn), colour in zip(steps.tolist(), colours):
        x, y, w, h = (int(step) for step in where)
        w, h = w + 1, h + 1
        if kind < 0.35:
            cv2.ellipse(picture, (x, y), (w, h), turn, 0, 360, colour, -1, cv2.LINE_AA)
        elif kind < 0.75:
            cv2.rectangle(picture, (x - w, y - h), (x + w, y + h), colour, -1)
        else:
            end = (x + int(3 * w - 1.5 * far), y + int(3 * h - 1.5 * far))
            cv2.line(picture, (x, y), end, colour, 1 + w // 6, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 0.01 * focus * side)


def _pick_occluder(u: float) -> str:
    """An occluder's name: one picture in ten has one, all kinds equally often."""
    names = list(_OCCLUDERS)
    return names[int(u * 10 * len(names))] if u < 0.1 else ""


def _muted(colours: np.ndarray) -> np.ndarray:
    """Colours drawn towards their grey."""
    return 0.45 * colours + 0.55 * colours.mean(axis=-1, keepdims=True)


def clutter(rng: np.random.Generator) -> np.ndarray:
    """`(80, 80, 3)` picture of things that are no face."""
    return _place(rng, _SHARP, int(rng.integers(6, 26)), rng.uniform(0.5, 2))


def canvas_background(place: np.ndarray, side: int) -> np.ndarray:
    """A place at the canvas' size."""
    return cv2.resize(place, (side, side), interpolation=cv2.INTER_CUBIC)


def occlude(canvas: Canvas, scene: Scene, skin: np.ndarray, points: np.ndarray) -> None:
    """Puts the scene's occluder, if any, before the face."""
    if scene.occluder:
        _OCCLUDERS[scene.occluder](canvas, scene.occluder_steps, skin, points)


def _hand(canvas, steps, skin, points) -> None:
    side = 1 if steps[0] < 0.5 else -1
    at = np.array(
        [side * (0.75 + 0.25 * steps[1]), points[8, 1] - 0.15 + 0.4 * steps[2]]
    )
    for k in range(4):
        tip = at + np.array([-side * (0.05 + 0.17 * k), -0.50 - 0.06 * (k % 3)])
        root = at + np.array([-side * 0.13 * k + side * 0.1, 0.3])
        across = np.array([0.10, 0.02])
        finger = np.stack(
            [root - across, tip - across, tip - (0, 0.1), tip + across, root + across]
        )
        canvas.fill([smooth(finger, True, 4)], skin * (0.93 - 0.05 * (k % 2)), 0.6)
    palm = ellipse(at + (0, 0.55), (0.5, 0.45))
    canvas.fill([palm], skin * 0.9, 0.6)


def _object(canvas, steps, skin, points) -> None:
    """A phone or a sheet held before one side."""
    side = 1 if steps[0] < 0.5 else -1
    centre = np.array([side * (1.15 + 0.3 * steps[1]), 0.3 + 1.2 * steps[2]])
    half = np.array([0.28 + 0.2 * steps[3], 0.5 + 0.25 * steps[4]])
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    turn = 0.5 * (steps[5] - 0.5)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    canvas.fill([corners @ spin.T + centre], steps[5:8] * 200 + 20, 0.2)
    canvas.fill([0.85 * corners @ spin.T + centre], steps[5:8] * 120 + 20, 0.2)


def _microphone(canvas, steps, skin, points) -> None:
    at = np.array([0.5 * (steps[0] - 0.5), points[57, 1] + 0.30 + 0.2 * steps[1]])
    lean = 0.6 * (steps[2] - 0.5)
    stick = [
        at + (-0.08, 0.1),
        at + (0.08, 0.1),
        at + (lean + 0.08, 2),
        at + (lean - 0.08, 2),
    ]
    canvas.fill([np.array(stick)], (40, 40, 44), 0.3)
    canvas.fill([ellipse(at, (0.19, 0.23))], steps[5:8] * 60 + 20, 0.3)


def _strands(canvas, steps, skin, points) -> None:
    """Hair blown across the face."""
    side = 1 if steps[0] < 0.5 else -1
    colour = (45 + 60 * steps[3], 32 + 40 * steps[3], 26 + 20 * steps[3])
    for k in range(5):
        x = side * (0.15 + 0.17 * k + 0.2 * steps[1])
        curve = np.array([(x * 0.5, -1.3), (x, -0.5), (x * 1.2, 0.4), (x * 1.1, 1.2)])
        curve[:, 0] += 0.1 * steps[4 + k % 4]
        canvas.line([smooth(curve)], colour, 0.035, 0.6)


_OCCLUDERS = {
    "hand": _hand,
    "object": _object,
    "microphone": _microphone,
    "strands": _strands,
}


def develop(picture: np.ndarray, scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Camera: exposes, blurs and adds noise.

    Args:
        picture: `(size, size, 3)` float32, about 0..255.
        scene: The picture's gain, gamma, haze, blur and noise.
        rng: For the pixel noise, the only part that depends on the size.

    Returns:
        `(size, size, 3)` uint8.
    """
    size = picture.shape[0]
    grain = np.minimum(picture * (scene.gain * (512 / 255)).astype(np.float32), 1023)
    picture = _response(scene)[grain.astype(np.uint16)]
    if scene.blur * size > 0.25:
        picture = cv2.GaussianBlur(picture, (0, 0), scene.blur * size)
    if scene.noise > 0.5:
        noise = rng.standard_normal((size, size, 3), dtype=np.float32)
        picture = picture + np.float32(scene.noise) * noise
    return np.clip(picture + np.float32(0.5), 0, 255).astype(np.uint8)


def _response(scene: Scene) -> np.ndarray:
    """Film curve, `(1024,)` over exposures in [0, 2)."""
    exposure = np.arange(1024, dtype=np.float32) / 512
    knee = 0.7 + 0.3 * np.tanh((exposure - 0.7) / 0.3)  # Highlights keep their drawing.
    curve = np.where(exposure < 0.7, exposure, knee) ** np.float32(scene.gamma)
    return (255 * (scene.haze * 0.6 + (1 - scene.haze) * curve)).astype(np.float32)
