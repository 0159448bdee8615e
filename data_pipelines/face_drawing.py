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

_SHIFT = 4  # Fractional bits of OpenCV's polygon corners.
# The light map covers +-span around a point that much below the eyes.
LIGHT_SIDE, _LIGHT_SPAN, _LIGHT_DROP = 60, 2.4, 0.4
_GRID = np.linspace(-_LIGHT_SPAN, _LIGHT_SPAN, LIGHT_SIDE, dtype=np.float32)


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


def ring(*curves: np.ndarray) -> np.ndarray:
    """The polygon between two curves that run the same way."""
    first, second = curves
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


class Canvas:
    """A picture in the making; polygons come in plane coordinates."""

    def __init__(self, background: np.ndarray, view: View):
        side = background.shape[0]
        self.colours = cv2.cvtColor(background, cv2.COLOR_RGB2RGBA)
        self.colours[..., 3] = 0
        self.creases = np.zeros((side, side), np.uint8)
        self.view = view
        self.side = side
        (a, b), (c, d) = view.affine
        self.unit = float(abs(a * d - b * c)) ** 0.5  # Pixels.
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
        if soft * self.unit > 0.3:
            mask = cv2.GaussianBlur(mask, (0, 0), soft * self.unit)
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
        `maps` are those of `light_maps`.
        """
        factor = size / self.side
        view = self.view.scaled(factor)
        colours, folds = self.colours, self.creases
        folds = cv2.GaussianBlur(folds, (0, 0), max(0.022 * self.unit, 0.5))
        if factor != 1:
            area = cv2.INTER_AREA
            colours = cv2.resize(colours, (size, size), interpolation=area)
            folds = cv2.resize(folds, (size, size), interpolation=area)
        step = 2 * _LIGHT_SPAN / (LIGHT_SIDE - 1)
        corner = view.pixels(np.array([-_LIGHT_SPAN, -_LIGHT_SPAN + _LIGHT_DROP]))
        to_pixels = np.concatenate([view.affine * step, corner[:, None]], axis=1)
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


# Bumps of a head: x, y, depth, width, height, rise. Where a landmark or the
# expression decides, `light_maps` adds it.
_BUMPS = np.array(
    [
        (0.00, 0.00, 0.45, 0.14, 0.12, 0.26),  # 0: tip of the nose, from landmark 30
        (0.03, -0.07, 0.20, 0.075, 0.08, 0.10),  # 1, 2: its wings, from 31 and 35
        (-0.03, -0.07, 0.20, 0.075, 0.08, 0.10),
        (-0.45, 0.02, 0.10, 0.33, 0.10, 0.07),  # 3, 4: brow ridges, from 19 and 24
        (0.45, 0.02, 0.10, 0.33, 0.10, 0.07),
        (-0.64, 0.52, 0.10, 0.26, 0.22, 0.13),  # 5, 6: cheekbones
        (0.64, 0.52, 0.10, 0.26, 0.22, 0.13),
        (-0.78, 1.05, 0.00, 0.16, 0.22, -0.05),  # 7, 8: hollows of the cheeks
        (0.78, 1.05, 0.00, 0.16, 0.22, -0.05),
        (0.00, 0.14, 0.20, 0.22, 0.07, -0.09),  # 9: below the lower lip, from 57
        (0.00, -0.20, 0.20, 0.26, 0.17, 0.13),  # 10: chin, from 8
        (0.00, 1.03, 0.20, 0.34, 0.22, 0.10),  # mouth
        (0.00, 0.10, 0.20, 0.11, 0.24, 0.16),  # bridge of the nose
        (0.00, 0.38, 0.38, 0.12, 0.20, 0.22),
        (-0.50, -0.03, 0.00, 0.27, 0.16, -0.20),  # sockets
        (0.50, -0.03, 0.00, 0.27, 0.16, -0.20),
        (-0.50, 0.02, 0.00, 0.19, 0.10, 0.12),  # eyeballs
        (0.50, 0.02, 0.00, 0.19, 0.10, 0.12),
    ]
)


def light_maps(points, cheeks, age, blush, view, lamp) -> np.ndarray:
    """Shading of a head: an ellipsoid with Gaussian bumps, lit by one lamp.

    Args:
        points: `(68, 3)` landmarks of the head before it turns.
        cheeks: How far AU6 or AU12 swell the cheeks, 0..1.
        age: 0..1; hollows the cheeks.
        blush: Redness of cheeks and nose, 0..1.
        view: Where the head is.
        lamp: `(5,)`: direction (x, y, z) of unit length in the picture's frame,
            ambient part 0..1, shine.

    Returns:
        `(LIGHT_SIDE, LIGHT_SIDE, 3)` float32: factor around 1, shine, redness.
    """
    bumps = _BUMPS.copy()
    bumps[0:3, :2] += points[[30, 31, 35], :2]
    bumps[[3, 4, 9, 10], 1] += points[[19, 24, 57, 8], 1]
    bumps[5:7, 1] -= 0.08 * cheeks
    bumps[5:7, 5] += 0.12 * cheeks
    bumps[7:9, 5] -= 0.07 * age
    bumps[:, :2] += bumps[:, 2:3] * view.parallax
    half_width, low = abs(points[3, 0]) + 0.32, points[8, 1] + 0.05
    return _shade(bumps.astype(np.float32), blush, half_width, low, view, lamp)


def _shade(bumps, blush, half_width, low, view, lamp) -> np.ndarray:
    """Light on an ellipsoid with bumps, see `light_maps`."""
    u, v = _GRID, _GRID + np.float32(_LIGHT_DROP)
    x0, y0, _, width, high, rise = bumps.T[..., None]
    across = np.exp(-(((u - x0) / width) ** 2))
    down = np.exp(-(((v - y0) / high) ** 2))
    redness = (np.float32(blush) * down[[0, 5, 6]]).T @ across[[0, 5, 6]]
    down *= rise
    height = down.T @ across
    du = down.T @ (across * (x0 - u) * (2 / width**2))
    dv = (down * (y0 - v) * (2 / high**2)).T @ across

    # The skull: slopes grow to the rim and stay there.
    x, y = (u / np.float32(half_width))[None], ((v - 0.15) / np.float32(low))[:, None]
    radius = np.sqrt(x**2 + y**2)
    inside = np.minimum(radius, np.float32(0.93))
    slope = inside / np.maximum(radius, 1e-6) * (0.95 / np.sqrt(1 - inside**2))
    nx, ny = slope * x - du, slope * (0.8 * y) - dv
    length = 1 / np.sqrt(nx**2 + ny**2 + 1)

    towards = (view.rotation.T @ lamp[:3]).astype(np.float32)
    halfway = towards + view.rotation[2].astype(np.float32)
    halfway /= np.linalg.norm(halfway)
    lambert = (towards[0] * nx + towards[1] * ny + towards[2]) * length
    diffuse = np.maximum(0.15 + 0.85 * lambert, 0)
    # Ambient light comes from above, and less of it reaches hollows.
    hollow = np.minimum(np.maximum(0.5 * height, -0.12), 0.05)
    sky = 0.86 - 0.14 * ny * length + hollow
    ambient, shine = np.float32(lamp[3]), np.float32(lamp[4])
    light = 1.08 * ambient * sky + (1.3 * (1 - ambient)) * diffuse
    gloss = np.maximum((halfway[0] * nx + halfway[1] * ny + halfway[2]) * length, 0)
    gloss *= gloss
    gloss = gloss * gloss * gloss
    gloss *= gloss
    return np.stack([light, shine * gloss * gloss, redness], axis=-1)
