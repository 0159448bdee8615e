"""Paints a drawn face: flat colours first, then one pass of light.

Everything is drawn in the plane of the face, in interocular distances, and
mapped to pixels by one affine map, so a picture is the same at every size.
The canvas has four channels: red, green, blue, and how much of the head's
shading the pixel takes (the background takes none).
"""

import dataclasses
import functools

import cv2
import numpy as np

from data_pipelines.synthetic.light import CORNER, STEP

_SHIFT = 4  # Fractional bits of OpenCV's polygon corners.


@dataclasses.dataclass(frozen=True)
class View:
    """Where the head is: `pixels = plane @ affine.T + offset`.

    Attributes:
        affine: `(2, 2)`, of a plane through the eyes that turns with the head.
        parallax: `(2,)`, how far a point shifts in that plane per unit of depth.
        offset: `(2,)`, pixels of the point between the eyes.
        rotation: `(3, 3)`, of the head.
    """

    affine: np.ndarray
    parallax: np.ndarray
    offset: np.ndarray
    rotation: np.ndarray

    @classmethod
    def of(cls, rotation: np.ndarray, scale: float, offset: np.ndarray) -> "View":
        affine = scale * rotation[:2, :2]
        parallax = np.linalg.solve(affine, scale * rotation[:2, 2])
        return cls(affine, parallax, np.asarray(offset, float), rotation)

    @property
    def scale(self) -> float:
        """Pixels of an interocular distance, whichever way the head is turned."""
        (a, b), (c, d) = self.affine.tolist()
        return abs(a * d - b * c) ** 0.5

    def plane(self, points: np.ndarray) -> np.ndarray:
        """`(n, 3)` points of the head -> `(n, 2)` in the plane."""
        return points[:, :2] + points[:, 2:] * self.parallax

    def pixels(self, plane: np.ndarray) -> np.ndarray:
        return plane @ self.affine.T + self.offset

    def scaled(self, factor: float) -> "View":
        """The same view on a canvas `factor` times as wide."""
        return dataclasses.replace(
            self,
            affine=self.affine * factor,
            # Pixel centres are whole numbers: the picture's edge is at -1/2.
            offset=(self.offset + 0.5) * factor - 0.5,
        )


@functools.lru_cache(maxsize=64)
def _spline(count: int, closed: bool, steps: int) -> np.ndarray:
    """Matrix that takes `count` points to a Catmull-Rom curve through them."""
    spans = count if closed else count - 1
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    weights = 0.5 * np.concatenate(
        [
            -t + 2 * t**2 - t**3,
            2 - 5 * t**2 + 3 * t**3,
            t + 4 * t**2 - 3 * t**3,
            t**3 - t**2,
        ],
        axis=1,
    )
    matrix = np.zeros((spans * steps + (not closed), count))
    for span in range(spans):
        for k in range(4):
            point = span - 1 + k
            point = point % count if closed else min(max(point, 0), count - 1)
            matrix[span * steps : (span + 1) * steps, point] += weights[:, k]
    if not closed:
        matrix[-1, -1] = 1
    return matrix


def smooth(points: np.ndarray, closed: bool = False, steps: int = 6) -> np.ndarray:
    """A curve through `(n, d)` points."""
    return _spline(len(points), closed, steps) @ points


@functools.lru_cache(maxsize=16)
def _circle(count: int) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(t), np.sin(t)], 1)


def ellipse(centre, radii, count: int = 20) -> np.ndarray:
    """`(count, 2)` corners."""
    return _circle(count) * radii + centre


def ring(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The polygon between two curves that run the same way."""
    return np.concatenate([first, second[::-1]])


@functools.lru_cache(maxsize=8)
def dome(count: int, reach: float) -> np.ndarray:
    """Upper half of a slightly squared unit circle, from the image's left.

    Args:
        count: Number of points.
        reach: Radians it goes on below the middle, at both ends.
    """
    arc = np.linspace(-reach, np.pi + reach, count)
    x, y = -np.cos(arc), -np.sin(arc)
    return np.stack([np.sign(x) * np.abs(x) ** 0.85, np.sign(y) * np.abs(y) ** 0.9], 1)


def _soften(mask: np.ndarray, deviation: float) -> np.ndarray:
    """A uint8 mask blurred, float32: OpenCV's float kernels start up faster."""
    mask = mask.astype(np.float32)
    if deviation < 0.3:
        return mask
    width = 2 * int(np.ceil(2.5 * deviation)) + 1
    return cv2.GaussianBlur(mask, (width, width), deviation)


class Canvas:
    """A picture in the making; polygons come in plane coordinates."""

    def __init__(self, background: np.ndarray, view: View):
        side = background.shape[0]
        self.colours = cv2.cvtColor(background, cv2.COLOR_RGB2RGBA)
        self.colours[..., 3] = 0
        self.creases = np.zeros((side, side), np.uint8)
        self.view = view
        self.side = side
        self.unit = view.scale
        fixed = np.concatenate([view.affine.T, view.offset[None]]) * (1 << _SHIFT)
        fixed[2] += 0.5  # The cast truncates.
        self._fixed = fixed

    def flat(self, points, depth: float) -> np.ndarray:
        """`(n, 2)` points of the head, all of one depth, in the plane."""
        return np.asarray(points, float) + depth * self.view.parallax

    def _corners(self, polygon: np.ndarray) -> np.ndarray:
        """Pixels in fixed point, as OpenCV's polygons take them."""
        return (polygon @ self._fixed[:2] + self._fixed[2]).astype(np.int32)

    def fill(self, polygons, colour, shading: float = 1.0) -> None:
        """Paints polygons, opaque; where two overlap, neither is painted.

        Args:
            polygons: A list of `(n, 2)`.
            colour: RGB, 0..255.
            shading: How much of the head's light they take, 0..1.
        """
        r, g, b = colour
        value = (float(r), float(g), float(b), 255 * shading)
        corners = [self._corners(p) for p in polygons]
        cv2.fillPoly(self.colours, corners, value, cv2.LINE_AA, _SHIFT)

    def line(self, curves, colour, width: float, shading: float = 1.0) -> None:
        """Paints open curves, `width` in interocular distances, a pixel at least."""
        r, g, b = colour
        value = (float(r), float(g), float(b), 255 * shading)
        corners = [self._corners(c) for c in curves]
        thickness = max(1, round(width * self.unit))
        cv2.polylines(
            self.colours, corners, False, value, thickness, cv2.LINE_AA, _SHIFT
        )

    def blend(self, polygons, colour, alpha: float, soft: float = 0.0) -> None:
        """Paints polygons, translucent, their edges blurred by `soft`.

        Args:
            polygons: A list of `(n, 2)`; where two overlap, neither is painted.
            colour: RGB, 0..255.
            alpha: Opacity, 0..1.
            soft: Standard deviation of the blur in interocular distances.
        """
        corners = [self._corners(p) for p in polygons]
        margin = int(2.5 * soft * self.unit) + 2
        x, y, width, height = cv2.boundingRect(np.concatenate(corners))
        x0, y0 = max((x >> _SHIFT) - margin, 0), max((y >> _SHIFT) - margin, 0)
        x1 = min(((x + width) >> _SHIFT) + margin, self.side)
        y1 = min(((y + height) >> _SHIFT) + margin, self.side)
        if x0 >= x1 or y0 >= y1:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        corner = np.array((x0 << _SHIFT, y0 << _SHIFT), np.int32)
        cv2.fillPoly(mask, [c - corner for c in corners], 255, cv2.LINE_AA, _SHIFT)
        mask = _soften(mask, soft * self.unit)
        part = self.colours[y0:y1, x0:x1, :3]
        change = np.array(colour, np.float32) - part
        change *= (mask * np.float32(alpha / 255))[..., None]
        change += part
        part[:] = change

    def crease(self, curves, depth: float, width: float = 0.03) -> None:
        """Darkens along lines of the skin; `depth` in 0..1."""
        if depth < 0.05:
            return
        pixels = width * self.unit
        level = int(255 * min(depth, 1.0) * min(pixels, 1.0))
        corners = [self._corners(c) for c in curves]
        thickness = max(1, round(pixels))
        cv2.polylines(
            self.creases, corners, False, level, thickness, cv2.LINE_AA, _SHIFT
        )

    def lit(self, size: int, maps: np.ndarray) -> np.ndarray:
        """The colours under the light, `(size, size, 3)` float32.

        Light is smooth, so it is added only after the canvas has shrunk to `size`.
        `maps` are those of `light.light_maps`.
        """
        shrink = size / self.side
        view = self.view.scaled(shrink)
        colours, folds = self.colours, self.creases
        if shrink != 1:
            area = cv2.INTER_AREA
            colours = cv2.resize(colours, (size, size), interpolation=area)
            folds = cv2.resize(folds, (size, size), interpolation=area)
        folds = _soften(folds, max(0.022 * view.scale, 0.3))
        corner = view.pixels(CORNER)[:, None]
        to_pixels = np.concatenate([view.affine * STEP, corner], axis=1)
        edge = cv2.BORDER_REPLICATE
        maps = cv2.warpAffine(maps, to_pixels, (size, size), borderMode=edge)
        take = colours[..., 3] * np.float32(1 / 255)
        # Hair and glasses, which take less light, hide the folds.
        skin = np.maximum(6 * take - 5, 0)
        light = maps[..., 0] * (1 - folds * skin * np.float32(0.55 / 255))
        lost = take * (1 - light)
        gloss = maps[..., 1] * take**3 * 255
        red = maps[..., 2] * take
        picture = np.empty((size, size, 3), np.float32)
        # Shadows on skin are warmer than the skin: red fades least.
        for channel, (share, cold) in enumerate(((0.87, 0), (1.0, 0.2), (1.07, 0.22))):
            factor = 1 - share * lost - cold * red
            np.multiply(colours[..., channel], factor, picture[..., channel])
            picture[..., channel] += gloss
        return picture
