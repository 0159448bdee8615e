"""How much of what a model looks at lies where the face moves.

Grad-CAM and a model's own attention are brought to one form, a non-negative map
of the image, and the share of each map's mass inside a given region is taken.
A map that says nothing of place has the region's share of the image there; the
edges of the image, which need no network, are the other thing to compare with.
"""

import numpy as np
from keras import ops


def spatial_maps(found: dict[str, np.ndarray], size: tuple[int, int]) -> dict:
    """What `fer_tf.explain.explain` gives, as maps over the image.

    Gradients count by their absolute value, summed over channels; several maps by
    their mean (channels of an attention mask) or, for Gan et al.'s regions, by the
    weights that the model gives them. What has no place is left out.

    Args:
        found: From `explain` or `attention`.
        size: Height and width of the image.

    Returns:
        `{name: (batch, height, width)}`, float32, non-negative; `"regions"` for
        `"region_masks"` with their `"region_weights"`.
    """
    maps = {}
    for name, value in found.items():
        if name == "region_masks" and "region_weights" in found:
            weights = found["region_weights"][:, None, None, :]
            maps["regions"] = enlarged((value * weights).sum(-1)[..., None], size)[
                ..., 0
            ]
        elif name.startswith("guided"):
            maps[name] = np.abs(value).sum(-1)
        elif value.ndim == 4:
            maps[name] = enlarged(value.mean(-1)[..., None], size)[..., 0]
        elif value.ndim == 3 and value.shape[1:] == tuple(size):
            maps[name] = value
    return maps


def edges(images: np.ndarray) -> np.ndarray:
    """How steeply the brightness changes, `(batch, h, w, c)` -> `(batch, h, w)`.

    What an untrained network's gradients follow too: a map that is no better on
    the right place than this one has only found the drawing's lines.
    """
    down, across = np.gradient(np.float32(images).mean(-1), axis=(1, 2))
    return np.hypot(down, across)


def mass_inside(maps: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Share of each map's mass that lies in its region.

    Args:
        maps: `(batch, height, width)`, non-negative.
        regions: bool, likewise.

    Returns:
        float64 `(batch,)` in [0, 1]; NaN for a map without mass.

    Raises:
        ValueError: If the shapes differ or a map is negative somewhere.
    """
    maps, regions = np.asarray(maps, np.float64), np.asarray(regions, bool)
    if maps.shape != regions.shape or (maps < 0).any():
        raise ValueError(
            "`maps` must be non-negative and shaped as `regions`. Received: "
            f"{maps.shape} with a minimum of {maps.min(initial=0)}, {regions.shape}."
        )
    total = maps.sum((1, 2))
    inside = (maps * regions).sum((1, 2))
    return np.divide(inside, total, out=np.full(len(maps), np.nan), where=total > 0)


def enlarged(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Maps `(batch, h, w, channels)` brought to another size, bilinearly."""
    large = ops.image.resize(np.float32(maps), size, interpolation="bilinear")
    return ops.convert_to_numpy(large)
