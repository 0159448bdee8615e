"""Per-batch ops: factories of pure `dict -> dict` functions.

An op reads and writes named features of a batch and never edits its argument.
Random ops draw by `data_pipelines.random` from the features `key` and
`epoch`, so the same example in the same epoch is always augmented the same
way. What moves the face moves its landmarks too.
"""

import functools
import math
from collections.abc import Callable

import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from data_pipelines import random
from fer_tf import region_masks as masks

Batch = dict[str, tf.Tensor]
Op = Callable[[Batch], Batch]

# Index of the mirrored point, by number of points: five-point sets (eyes, nose,
# mouth corners) and the 68 iBUG points.
_MIRROR_68 = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
# RAF-DB's 37: brows, nose, eyes, outer lip (clockwise from the left corner).
_MIRROR_37 = (
    *range(5, -1, -1),
    *(6, 7),
    *range(12, 7, -1),
    *(22, 21, 20, 19, 24, 23, 16, 15, 14, 13, 18, 17),
    *range(31, 24, -1),
    *range(36, 31, -1),
)
MIRRORED_POINTS = {5: (1, 0, 2, 4, 3), 37: _MIRROR_37, 68: _MIRROR_68}


def random_crop(size: int, *, seed: int) -> Op:
    """Cuts a `size` x `size` window at a random place, the same for no two."""

    def op(batch):
        height, width = batch["image"].shape[1:3]
        _require_fits(size, height, width)
        draw = {
            axis: _integers(batch, extent - size + 1, seed, f"crop {axis}")
            for axis, extent in (("y", height), ("x", width))
        }
        return _crop(batch, draw["y"], draw["x"], size)

    return op


def center_crop(size: int) -> Op:
    """Cuts the central `size` x `size` window."""

    def op(batch):
        height, width = batch["image"].shape[1:3]
        _require_fits(size, height, width)
        offsets = tf.zeros_like(batch["key"])
        top, left = offsets + (height - size) // 2, offsets + (width - size) // 2
        return _crop(batch, top, left, size)

    return op


def random_flip(*, seed: int) -> Op:
    """Mirrors the face with probability 1/2, and its landmarks with it."""

    def op(batch):
        flip = _uniform(batch, seed, "flip") < 0.5
        image = batch["image"]
        mirrored = tf.reverse(image, axis=[2])
        batch = {**batch, "image": tf.where(flip[:, None, None, None], mirrored, image)}
        points = batch.get("landmarks")
        if points is not None and points.shape[1]:
            width = image.shape[2]
            moved = tf.gather(points, MIRRORED_POINTS[points.shape[1]], axis=1)
            moved = moved * [-1.0, 1.0] + [width - 1.0, 0.0]
            batch["landmarks"] = tf.where(flip[:, None, None], moved, points)
        return batch

    return op


def random_affine(
    *, seed: int, degrees: float = 0.0, zoom: float = 0.0, shift: float = 0.0
) -> Op:
    """Turns, zooms and shifts the picture about its centre, bilinearly.

    Args:
        seed: Seed of the run.
        degrees: Largest turn either way.
        zoom: Largest relative change of scale either way.
        shift: Largest shift either way, as a fraction of the side.
    """

    def op(batch):
        image = batch["image"]
        height, width = image.shape[1:3]
        draw = lambda what: _uniform(batch, seed, f"affine {what}") * 2 - 1
        angle = draw("angle") * math.radians(degrees)
        scale = 1 / (1 + zoom * draw("zoom"))
        cos, sin = tf.cos(angle) * scale, tf.sin(angle) * scale
        center_x, center_y = (width - 1) / 2, (height - 1) / 2
        to_x = center_x + draw("x") * shift * width
        to_y = center_y + draw("y") * shift * height
        # Output (x, y) is read from (cos x - sin y + dx, sin x + cos y + dy).
        dx = center_x - cos * to_x + sin * to_y
        dy = center_y - sin * to_x - cos * to_y
        zero = tf.zeros_like(dx)
        moved = tf.raw_ops.ImageProjectiveTransformV3(
            images=tf.cast(image, tf.float32),
            transforms=tf.stack([cos, -sin, dx, sin, cos, dy, zero, zero], axis=1),
            output_shape=[height, width],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )
        batch = {**batch, "image": moved}
        points = batch.get("landmarks")
        if points is not None and points.shape[1]:
            x, y = points[..., 0] - dx[:, None], points[..., 1] - dy[:, None]
            det = (scale**2)[:, None]
            cos, sin = cos[:, None], sin[:, None]
            turned = [(cos * x + sin * y) / det, (cos * y - sin * x) / det]
            batch["landmarks"] = tf.stack(turned, axis=-1)
        return batch

    return op


def random_erase(*, seed: int, probability: float, area: float) -> Op:
    """Fills a random square with the mean grey of its picture.

    Args:
        seed: Seed of the run.
        probability: How often.
        area: Largest part of the picture that goes, in (0, 1].
    """

    def op(batch):
        image = tf.cast(batch["image"], tf.float32)
        height, width = image.shape[1:3]
        draw = lambda what: _uniform(batch, seed, f"erase {what}")[:, None]
        half = tf.sqrt(draw("area") * area) / 2
        half = tf.where(draw("whether") < probability, half, 0.0)
        rows = tf.abs((tf.range(height, dtype=tf.float32) + 0.5) / height - draw("y"))
        columns = tf.abs((tf.range(width, dtype=tf.float32) + 0.5) / width - draw("x"))
        gone = (rows < half)[:, :, None] & (columns < half)[:, None, :]
        mean = tf.reduce_mean(image, axis=(1, 2), keepdims=True)
        return {**batch, "image": tf.where(gone[..., None], mean, image)}

    return op


def region_masks(*, region_sizes: str = "swapped", cell_anchor: str = "corner") -> Op:
    """Adds the masks that RASnet learns, drawn from the landmarks in the window.

    See `fer_tf.region_masks`; `region_masks` is float32 `(batch, h / 16, w / 16,
    8)`. Comes after everything that moves the face.
    """

    def op(batch):
        height, width = batch["image"].shape[1:3]
        draw = functools.partial(
            masks.region_masks,
            image_size=(height, width),
            region_sizes=region_sizes,
            cell_anchor=cell_anchor,
        )
        drawn = tf.numpy_function(draw, [batch["landmarks"]], tf.float32)
        shape = (batch["image"].shape[0], height // 16, width // 16, 8)
        return {**batch, "region_masks": tf.ensure_shape(drawn, shape)}

    return op


def keep(*names: str) -> Op:
    """Drops every feature not named."""
    return lambda batch: {name: batch[name] for name in names}


def numbers_only() -> Op:
    """Drops ids and other text, which a step compiled by XLA cannot hold."""
    return lambda batch: {k: v for k, v in batch.items() if v.dtype != tf.string}


def to_model_input() -> Op:
    """The picture as models take it: float32 in 0..255."""
    return lambda batch: {**batch, "image": tf.cast(batch["image"], tf.float32)}


def _uniform(batch, seed, purpose):
    keys, epoch = batch["key"], batch["epoch"]
    return random.uniform(tnp, keys, seed=seed, epoch=epoch, purpose=purpose)


def _integers(batch, bound, seed, purpose):
    keys, epoch = batch["key"], batch["epoch"]
    return random.integers(tnp, keys, bound, seed=seed, epoch=epoch, purpose=purpose)


def _require_fits(size, height, width):
    if size > min(height, width):
        raise ValueError(
            f"`size` must not exceed the picture. Received: size={size}, picture "
            f"{height}x{width}."
        )


def _crop(batch, top, left, size):
    window = tf.range(size, dtype=tf.int64)
    image = tf.gather(batch["image"], top[:, None] + window, axis=1, batch_dims=1)
    image = tf.gather(image, left[:, None] + window, axis=2, batch_dims=1)
    batch = {**batch, "image": image}
    points = batch.get("landmarks")
    if points is not None and points.shape[1]:
        offset = tf.cast(tf.stack([left, top], axis=1), tf.float32)
        batch["landmarks"] = points - offset[:, None]
    return batch
