import tensorflow as tf


def gradient(fn, x):
    """The sum of `fn(x)`, and its gradient."""
    x = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(fn(x))
    return value.numpy(), tape.gradient(value, x).numpy()
