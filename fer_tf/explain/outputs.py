"""Which output of a model is explained, and its value as a function of the inputs."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from fer_tf.arguments import require, require_one_of


def default_task(model: keras.Model) -> str:
    """Name of the output that is explained by default.

    It is the expression, or else the first output that the model was trained for.
    """
    card = getattr(model, "card", None)
    tasks = [name for name in model.output if card is None or card.reads(name)]
    return "expression" if "expression" in tasks else tasks[0]


def score_function(
    model: keras.Model, task: str | None, target: int | np.ndarray | None, batch: int
) -> Callable:
    """A function from inputs to what is explained, which can be differentiated.

    Args:
        model: Functional model.
        task: Name of the output, or None for `default_task`.
        target: Index within that output, one for all images or one for each; None
            for the largest value.
        batch: Number of images.

    Returns:
        A function of a dict of inputs. It returns the sum of the explained values
        over the batch, and a dict of `"target"` and `"score"`, each `(batch,)`.

    Raises:
        ValueError: If the task or the target does not exist.
    """
    task = _chosen_task(model, task)
    size = model.output[task].shape[-1]
    if target is not None:
        target = np.broadcast_to(np.asarray(target), (batch,)).astype("int32")
        require(
            not target.size or 0 <= target.min() <= target.max() < size,
            f"be in 0..{size - 1} for {task!r}",
            target=target.tolist(),
        )

    def score(inputs):
        output = model(as_model_input(model, inputs), training=False)[task]
        # Masks are summed over their pixels.
        output = ops.reshape(output, (batch, -1, size))
        output = ops.sum(ops.cast(output, "float32"), axis=1)
        index = ops.argmax(output, axis=-1) if target is None else target
        chosen = ops.sum(output * ops.one_hot(index, size, dtype="float32"), axis=-1)
        values = {"target": ops.convert_to_tensor(index), "score": chosen}
        return ops.sum(chosen), values

    return score


def _chosen_task(model, task):
    if task is None:
        return default_task(model)
    require_one_of(model.output, task=task)
    return task


def as_arrays(images: np.ndarray | dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A model's inputs by name, as float32 arrays."""
    inputs = images if isinstance(images, dict) else {"image": images}
    return {name: np.asarray(value, np.float32) for name, value in inputs.items()}


def as_model_input(model: keras.Model, inputs: dict):
    """Inputs by name as tensors, in the form in which the model takes them."""
    # Keras takes tensors or arrays, not one of each.
    inputs = {name: ops.convert_to_tensor(value) for name, value in inputs.items()}
    return inputs if isinstance(model.input, dict) else inputs["image"]
