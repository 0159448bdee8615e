"""How much of what a model looks at lies where the face moves.

Grad-CAM and a model's own attention are brought to one form, a non-negative map
of the image. The score of a map is the share of its mass inside a given region.
Two comparisons come with it: a uniform map, which has the region's share of the
image's area there, and the edges of the image, which need no network.
"""

import numpy as np
from keras import ops


def spatial_maps(
    explanation: dict[str, np.ndarray], size: tuple[int, int]
) -> dict[str, np.ndarray]:
    """Brings everything that has a place in the image to non-negative maps.

    Gradients become their absolute value, summed over channels. Several maps become
    their mean (channels of an attention mask) or, for Gan et al.'s regions, the sum
    by the weights that the model gives them. Values without a place are left out.

    Args:
        explanation: From `fer_tf.explain.explain` or `fer_tf.explain.attention`.
        size: Height and width of the image in pixels.

    Returns:
        `{name: (batch, height, width)}`, float32, non-negative; `"regions"` for
        `"region_masks"` with their `"region_weights"`.

    Example:
        >>> import numpy as np
        >>> from fer_tf.explain.localisation import spatial_maps
        >>> masks = np.full((1, 4, 4, 3), 0.5, "float32")
        >>> spatial_maps({"score": np.ones(1), "mask": masks}, (8, 8))["mask"].shape
        (1, 8, 8)
    """
    maps = {}
    for name, value in explanation.items():
        if name == "region_masks" and "region_weights" in explanation:
            weights = explanation["region_weights"][:, None, None, :]
            regions = (value * weights).sum(-1, keepdims=True)
            maps["regions"] = enlarged(regions, size)[..., 0]
        elif name.startswith("guided"):
            maps[name] = np.abs(value).sum(-1)
        elif value.ndim == 4:
            maps[name] = enlarged(value.mean(-1, keepdims=True), size)[..., 0]
        elif value.ndim == 3 and value.shape[1:] == tuple(size):
            maps[name] = value
    return maps


def edges(images: np.ndarray) -> np.ndarray:
    """How steeply the brightness changes at each pixel.

    An untrained network's gradients follow edges too: a map that lies on the right
    place no better than this one has only found the lines of the drawing.

    Args:
        images: `(batch, height, width, channels)`.

    Returns:
        float32 `(batch, height, width)`, brightness a pixel.
    """
    down, across = np.gradient(np.float32(images).mean(-1), axis=(1, 2))
    return np.hypot(down, across)


def mass_inside(maps: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Share of each map's mass that lies in its region.

    Args:
        maps: `(batch, height, width)`, non-negative.
        regions: bool, of the same shape.

    Returns:
        float64 `(batch,)` in [0, 1]; NaN for a map without mass.

    Raises:
        ValueError: If the shapes differ or a map is negative somewhere.

    Example:
        >>> import numpy as np
        >>> from fer_tf.explain.localisation import mass_inside
        >>> mass_inside(np.array([[[3.0, 1.0]]]), np.array([[[True, False]]])).tolist()
        [0.75]
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
    """Resizes maps `(batch, h, w, channels)` to `size`, bilinearly, as float32."""
    large = ops.image.resize(np.float32(maps), size, interpolation="bilinear")
    return ops.convert_to_numpy(large)
