"""Light on a drawn head, as maps over the plane of the face."""

import numpy as np

SIDE = 50
"""Rows and columns of a map."""

_SPAN, _DROP = 2.4, 0.4  # A map covers +-span around a point below the eyes.
STEP = 2 * _SPAN / (SIDE - 1)
CORNER = np.array([-_SPAN, _DROP - _SPAN])
_ACROSS = np.linspace(-_SPAN, _SPAN, SIDE, dtype=np.float32)
_DOWN = _ACROSS + np.float32(_DROP)

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
        `(SIDE, SIDE, 3)` float32: factor around 1, shine, redness.
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
    u, v = _ACROSS, _DOWN
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
