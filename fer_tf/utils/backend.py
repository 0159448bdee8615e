"""Refuses backends other than TensorFlow."""

import keras


def require_tensorflow(what: str) -> None:
    """Refuses another backend of Keras.

    Args:
        what: Subject of the message, which needs TensorFlow.

    Raises:
        ValueError: If Keras runs on another backend.
    """
    name = keras.backend.backend()
    if name != "tensorflow":
        raise ValueError(
            f"{what} needs Keras on TensorFlow, and it is on {name}: set "
            "KERAS_BACKEND=tensorflow"
        )
