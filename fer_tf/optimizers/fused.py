"""When an update may use TensorFlow's own fused kernels."""

import keras


def fused_kernels_apply():
    """Whether variables are plain `tf.Variable`s, which the kernels update.

    Not under a distribution strategy: its variables have no one handle.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.distribute.has_strategy()
