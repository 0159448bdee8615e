"""Running averages of a model's weights, which often generalise better."""

import contextlib

import tensorflow as tf

from trainers.common.cli import UsageError


class WeightAverage(tf.Module):
    """Exponential average of a model's weights and moving statistics.

    Batch normalisation's statistics are averaged together with the weights that they
    belong to. The decay rises with the steps, `(1 + t) / (10 + t)`, so that the first
    weights are soon forgotten.

    Args:
        model: Its floating-point variables are averaged.
        decay: In (0, 1), the highest; 0.999 averages over some thousand steps.

    Attributes:
        averaged: The variables of the model.
        averages: The average of each of them.

    Raises:
        UsageError: If the decay is out of range.
    """

    def __init__(self, model, decay: float):
        super().__init__()
        if not 0 < decay < 1:
            raise UsageError(f"`ema_decay` must be in [0, 1). Received: {decay}.")
        self.decay = decay
        self.count = tf.Variable(0, dtype=tf.int64, trainable=False)
        values = [variable.value for variable in model.variables]
        self.averaged = [value for value in values if value.dtype.is_floating]
        self.averages = [tf.Variable(v, trainable=False) for v in self.averaged]

    def parts(self) -> dict:
        """Its variables, for a checkpoint."""
        return {"count": self.count, "averages": self.averages}

    def begin(self) -> None:
        """Starts again from the model's weights."""
        self.count.assign(0)
        for average, variable in zip(self.averages, self.averaged):
            average.assign(variable)

    def update(self) -> None:
        """Adds the weights after a step to the average."""
        self.count.assign_add(1)
        steps = tf.cast(self.count, tf.float32)
        rest = 1.0 - tf.minimum(self.decay, (1.0 + steps) / (10.0 + steps))
        for average, variable in zip(self.averages, self.averaged):
            # A frozen weight stays the same bit for bit: its difference is 0.
            average.assign_add((variable - average) * tf.cast(rest, average.dtype))

    def to_model(self) -> None:
        """Sets the model's weights to the averages."""
        for average, variable in zip(self.averages, self.averaged):
            variable.assign(average)

    @contextlib.contextmanager
    def in_model(self):
        """Sets the model's weights to the averages within a block."""
        kept = [tf.convert_to_tensor(variable) for variable in self.averaged]
        self.to_model()
        try:
            yield
        finally:
            for variable, value in zip(self.averaged, kept):
                variable.assign(value)
