"""The frequencies of the training data's classes, taken out of the weights."""

from collections.abc import Sequence

import keras
import numpy as np

from fer_tf.arguments import require

BALANCE = "balance"
"""What `model.json` says of it: the share that was taken out; absent for none."""


def take_out_frequencies(
    model: keras.Model, counts: Sequence[int], share: float
) -> None:
    """Makes a model name rare expressions more often, for good.

    A network learns how often each class occurs in its data. `share` times the
    logarithm of that frequency is taken from each expression's logit, so every format
    of an export has it. Menon et al. 2021, Long-tail learning via logit adjustment.

    Args:
        model: From `fer_tf.create_model`; its weights change.
        counts: Training examples of each expression, in the order of the outputs. One
            without any is treated as the most frequent.
        share: 0 changes nothing; 1 expects every expression equally often.

    Raises:
        ValueError: If the share is not within 0 and 1, or the counts are not those of
            the model's expressions.

    Example:
        >>> from fer_tf import create_model
        >>> model = create_model("small_resnet", width=0.125, blocks=1, num_classes=2)
        >>> image = np.ones((1, 44, 44, 1))
        >>> before = np.asarray(model(image)["expression"])
        >>> take_out_frequencies(model, [300, 100], 1.0)
        >>> change = np.asarray(model(image)["expression"]) - before
        >>> round(float(np.exp(change[0, 1] - change[0, 0])), 3)
        3.0
    """
    require(0 <= share <= 1, "be within 0 and 1", ValueError, share=share)
    counts = np.asarray(counts, float)
    kernel, bias = model.get_layer("expression").get_weights()
    if counts.shape != bias.shape or not counts.any():
        raise ValueError(
            f"{counts.size} counts, of {counts.sum():g} examples, for {bias.size} "
            "expressions"
        )
    present = np.where(counts > 0, counts, counts.max())
    shift = share * np.log(present / counts.sum())
    model.get_layer("expression").set_weights([kernel, bias - shift])
