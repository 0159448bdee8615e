"""The ops of `data_pipelines.batches.ops` on NumPy batches, without TensorFlow.

Names, arguments and random numbers are the same, so that a batch is augmented
alike in both: crops and flips bit for bit, what interpolates to rounding.
"""

from collections.abc import Callable, Sequence

import numpy as np

from data_pipelines.batches import geometry
from fer_tf.faces import region_masks as masks

Batch = dict[str, np.ndarray]
Op = Callable[[Batch], Batch]


def random_crop(size: int, *, seed: int) -> Op:
    """Cuts a `size` x `size` window at a random place, the same for no two."""
    return lambda batch: _crop(batch, size, seed)


def center_crop(size: int) -> Op:
    """Cuts the central `size` x `size` window."""
    return lambda batch: _crop(batch, size, None)


def random_flip(*, seed: int) -> Op:
    """Mirrors the face with probability 1/2, and its landmarks with it."""

    def op(batch):
        flip = geometry.uniform(np, batch, seed, "flip") < 0.5
        image = batch["image"].copy()
        image[flip] = image[flip, :, ::-1]
        batch = {**batch, "image": image}
        points = batch["landmarks"]
        if points.shape[1]:
            moved = geometry.mirrored_points(np, points, image.shape[2])
            batch["landmarks"] = np.where(flip[:, None, None], moved, points)
        return batch

    return op


def random_affine(
    *, seed: int, degrees: float = 0.0, zoom: float = 0.0, shift: float = 0.0
) -> Op:
    """Turns, zooms and shifts the picture about its centre, bilinearly."""

    def op(batch):
        cos, sin, dx, dy = found = geometry.affine(
            np, batch, seed=seed, degrees=degrees, zoom=zoom, shift=shift
        )
        height, width = batch["image"].shape[1:3]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        each = lambda value: value[:, None, None]
        from_x = each(cos) * x - each(sin) * y + each(dx)
        from_y = each(sin) * x + each(cos) * y + each(dy)
        batch = {**batch, "image": _sample(batch["image"], from_x, from_y)}
        if batch["landmarks"].shape[1]:
            batch["landmarks"] = geometry.moved_points(np, batch["landmarks"], *found)
        return batch

    return op


def random_erase(*, seed: int, probability: float, area: float) -> Op:
    """Fills a random square with the mean grey of its picture."""

    def op(batch):
        gone = geometry.erased(np, batch, seed=seed, probability=probability, area=area)
        image = batch["image"].astype(np.float32)
        mean = image.mean(axis=(1, 2), keepdims=True)
        return {**batch, "image": np.where(gone[..., None], mean, image)}

    return op


def region_masks(*, region_sizes: str = "swapped", cell_anchor: str = "corner") -> Op:
    """Adds the masks that RASnet learns, drawn from the landmarks in the window."""

    def op(batch):
        drawn = masks.region_masks(
            batch["landmarks"],
            image_size=batch["image"].shape[1:3],
            region_sizes=region_sizes,
            cell_anchor=cell_anchor,
        )
        weight = batch["landmarks_weight"]
        return {**batch, "region_masks": drawn, "region_masks_weight": weight}

    return op


def class_weights(weights: Sequence[float]) -> Op:
    """Multiplies the weight of the expression by that of its class."""
    table = np.asarray(weights, np.float32)

    def op(batch):
        weight = batch["expression_weight"] * table[batch["expression"]]
        return {**batch, "expression_weight": weight}

    return op


def numbers_only() -> Op:
    """Drops ids and other text, which no device can hold."""
    return lambda batch: {k: v for k, v in batch.items() if v.dtype.kind not in "SUO"}


def to_model_input() -> Op:
    """The picture as models take it: float32 in 0..255."""
    return lambda batch: {**batch, "image": batch["image"].astype(np.float32)}


def _sample(images, x, y):
    """Bilinear values at (x, y); beyond an edge, the edge."""
    height, width = images.shape[1:3]
    left, top = np.floor(x), np.floor(y)
    across, down = (x - left)[..., None], (y - top)[..., None]
    rows = np.arange(len(images))[:, None, None]
    at = lambda dy, dx: images[
        rows,
        (top + dy).clip(0, height - 1).astype(np.int64),
        (left + dx).clip(0, width - 1).astype(np.int64),
    ].astype(np.float32)
    above = at(0, 0) * (1 - across) + at(0, 1) * across
    below = at(1, 0) * (1 - across) + at(1, 1) * across
    return above * (1 - down) + below * down


def _crop(batch, size, seed):
    top, left = geometry.crop_offsets(np, batch, size, seed)
    window = np.arange(size)
    rows = (top[:, None] + window)[:, :, None]
    columns = (left[:, None] + window)[:, None, :]
    each = np.arange(len(rows))[:, None, None]
    offset = np.stack([left, top], axis=1).astype(np.float32)
    return {
        **batch,
        "image": batch["image"][each, rows, columns],
        "landmarks": batch["landmarks"] - offset[:, None],
    }
