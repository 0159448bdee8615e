"""What runs on TensorFlow alone says so before it begins."""

import keras


def require_tensorflow(what: str) -> None:
    """Refuses another backend of Keras.

    Args:
        what: Needs TensorFlow; how the message begins.

    Raises:
        ValueError: If Keras runs on another.
    """
    name = keras.backend.backend()
    if name != "tensorflow":
        raise ValueError(
            f"{what} needs Keras on TensorFlow, and it is on {name}: set "
            "KERAS_BACKEND=tensorflow"
        )
