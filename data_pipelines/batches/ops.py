"""Per-batch ops: factories of pure `dict -> dict` functions.

An op reads and writes named features of a batch and never edits its argument.
Random ops draw by `data_pipelines.batches.stateless_random` from the features `key` and
`epoch` (how often the example has come before), so the same example in the same
epoch is always augmented the same way. What moves the face moves its landmarks
too, and region masks are drawn from the landmarks after that. Other labels stay:
expressions, valence and arousal have no side, and every action unit of the
vocabulary is either side's.

`data_pipelines.batches.array_ops` has the same ops in NumPy.
"""

import functools
from collections.abc import Callable, Sequence

import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from data_pipelines.batches import geometry
from fer_tf.faces import region_masks as masks

Batch = dict[str, tf.Tensor]
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
        flip = geometry.uniform(tnp, batch, seed, "flip") < 0.5
        image = batch["image"]
        mirrored = tf.reverse(image, axis=[2])
        batch = {**batch, "image": tf.where(flip[:, None, None, None], mirrored, image)}
        points = batch["landmarks"]
        if points.shape[1]:
            moved = geometry.mirrored_points(tnp, points, image.shape[2])
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
        cos, sin, dx, dy = found = geometry.affine(
            tnp, batch, seed=seed, degrees=degrees, zoom=zoom, shift=shift
        )
        zero = tf.zeros_like(dx)
        moved = tf.raw_ops.ImageProjectiveTransformV3(
            images=tf.cast(batch["image"], tf.float32),
            transforms=tf.stack([cos, -sin, dx, sin, cos, dy, zero, zero], axis=1),
            output_shape=batch["image"].shape[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )
        batch = {**batch, "image": moved}
        if batch["landmarks"].shape[1]:
            batch["landmarks"] = geometry.moved_points(tnp, batch["landmarks"], *found)
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
        gone = geometry.erased(
            tnp, batch, seed=seed, probability=probability, area=area
        )
        image = tf.cast(batch["image"], tf.float32)
        mean = tf.reduce_mean(image, axis=(1, 2), keepdims=True)
        return {**batch, "image": tf.where(gone[..., None], mean, image)}

    return op


def region_masks(*, region_sizes: str = "swapped", cell_anchor: str = "corner") -> Op:
    """Adds the masks that RASnet learns, drawn from the landmarks in the window.

    See `fer_tf.faces.region_masks`; `region_masks` is float32 `(batch, h / 16, w / 16,
    8)`, `region_masks_weight` that of the landmarks. Comes after everything that
    moves the face.
    """

    def op(batch):
        height, width = batch["image"].shape[1:3]
        draw = functools.partial(
            masks.region_masks,
            image_size=(height, width),
            region_sizes=region_sizes,
            cell_anchor=cell_anchor,
        )
        drawn = tf.numpy_function(
            draw, [batch["landmarks"]], tf.float32, stateful=False
        )
        shape = (batch["image"].shape[0], height // 16, width // 16, 8)
        return {
            **batch,
            "region_masks": tf.ensure_shape(drawn, shape),
            "region_masks_weight": batch["landmarks_weight"],
        }

    return op


def class_weights(weights: Sequence[float]) -> Op:
    """Multiplies the weight of the expression by that of its class.

    With inverse frequencies this is the weighted loss of AffectNet's baselines.
    A loss is the weighted mean over a batch, so only ratios of weights matter.
    """

    def op(batch):
        table = tf.constant(weights, tf.float32)
        weight = batch["expression_weight"] * tf.gather(table, batch["expression"])
        return {**batch, "expression_weight": weight}

    return op


def numbers_only() -> Op:
    """Drops ids and other text, which a step compiled by XLA cannot hold."""
    return lambda batch: {k: v for k, v in batch.items() if v.dtype != tf.string}


def to_model_input() -> Op:
    """The picture as models take it: float32 in 0..255."""
    return lambda batch: {**batch, "image": tf.cast(batch["image"], tf.float32)}


def _crop(batch, size, seed):
    top, left = geometry.crop_offsets(tnp, batch, size, seed)
    window = tf.range(size, dtype=tf.int64)
    image = tf.gather(batch["image"], top[:, None] + window, axis=1, batch_dims=1)
    image = tf.gather(image, left[:, None] + window, axis=2, batch_dims=1)
    offset = tf.cast(tf.stack([left, top], axis=1), tf.float32)
    return {
        **batch,
        "image": image,
        "landmarks": batch["landmarks"] - offset[:, None],
    }
