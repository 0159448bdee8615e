"""A temperature inside the weights: probabilities that mean what they say."""

import keras

TEMPERATURE = "temperature"
"""What `model.json` says of it: `{"value", "num_fitted"}`, or None for none inside."""


def divide_logits(model: keras.Model, temperature: float) -> None:
    """Divides a model's expression logits by a temperature, for good.

    The weights of the last layer are divided, so every format of an export has it.
    Which expression is the likeliest stays the same. Guo et al. 2017, On calibration
    of modern neural networks.

    Args:
        model: From `fer_tf.create_model`; its weights change.
        temperature: Above 0, as `fer_tf.scores.calibration.fit_temperature` gives it.

    Raises:
        ValueError: If the model names no expressions.

    Example:
        >>> import numpy as np
        >>> from fer_tf import create_model
        >>> model = create_model("small_resnet", width=0.125, blocks=1)
        >>> image = np.ones((1, 44, 44, 1))
        >>> before = model(image)["expression"]
        >>> divide_logits(model, 2.0)
        >>> np.allclose(model(image)["expression"], before / 2)
        True
    """
    if "expression" not in model.output:
        raise ValueError(f"{model.name}: names no expressions")
    head = model.get_layer("expression")
    head.set_weights([weights / temperature for weights in head.get_weights()])
