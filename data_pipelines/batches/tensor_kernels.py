"""The pixel kernels of `data_pipelines.batches.ops` on TensorFlow tensors.

Each function does what its namesake in `array_kernels` says.
"""

import tensorflow as tf
import tensorflow.experimental.numpy as xp  # noqa: F401

to_float = lambda feature: tf.cast(feature, tf.float32)
is_text = lambda feature: feature.dtype == tf.string


def crop(images, top, left, size: int):
    """Windows of the images."""
    window = tf.range(size, dtype=tf.int64)
    images = tf.gather(images, top[:, None] + window, axis=1, batch_dims=1)
    return tf.gather(images, left[:, None] + window, axis=2, batch_dims=1)


def mirror(images, flip):
    """The images, mirrored where `flip` says so."""
    return tf.where(flip[:, None, None, None], tf.reverse(images, axis=[2]), images)


def warp(images, cos, sin, dx, dy):
    """The images, moved bilinearly."""
    zero = tf.zeros_like(dx)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=to_float(images),
        transforms=tf.stack([cos, -sin, dx, sin, cos, dy, zero, zero], axis=1),
        output_shape=images.shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def fill_with_mean(images, where):
    """The images, with their mean where `where` is."""
    images = to_float(images)
    mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
    return tf.where(where[..., None], mean, images)


def drawn(draw, landmarks, shape):
    """What a NumPy function draws."""
    # Stateless: with deterministic ops, others would not run in parallel.
    masks = tf.numpy_function(draw, [landmarks], tf.float32, stateful=False)
    return tf.ensure_shape(masks, shape)


def look_up(table, index):
    """Entries of a table."""
    return tf.gather(tf.constant(table, tf.float32), index)


def fill_up(feature, batch_size: int):
    """The feature with rows of zeros behind it."""
    missing = batch_size - tf.shape(feature)[0]
    padding = [[0, missing]] + [[0, 0]] * (feature.shape.rank - 1)
    empty = "" if feature.dtype == tf.string else tf.zeros((), feature.dtype)
    feature = tf.pad(feature, padding, constant_values=empty)
    return tf.ensure_shape(feature, [batch_size, *feature.shape[1:]])
