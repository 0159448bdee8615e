"""What an update step needs of Keras and TensorFlow beyond the public API."""

import keras


def fused_kernels_apply():
    """Whether variables are plain `tf.Variable`s, which the kernels update.

    Not under a distribution strategy: its variables have no one handle.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.distribute.has_strategy()


def slot_index(optimizer, variable):
    """Place of a variable among those that the optimizer was built with.

    Keras offers no public way from a variable to its slot. An `id` or a path of
    our own would not do: `update_step` is given the backend's variable, and under
    a strategy one replica's part of it, which Keras traces back.
    """
    return optimizer._get_variable_index(variable)
