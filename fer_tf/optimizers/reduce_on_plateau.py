"""Drops the learning rate when the loss stops falling, for a custom loop."""

import math


class ReduceOnPlateau:
    """Wang et al.: "when the loss did not drop, divided by 10".

    Plain Python: the loop feeds it the logged losses again after a kill. The
    paper names neither the loss watched nor the patience.

    Args:
        factor: What a drop multiplies the rate by, in (0, 1).
        patience: Updates without an improvement that cause a drop.
        min_delta: A loss must fall by more than this to have dropped.

    Raises:
        ValueError: If `factor` or `patience` is out of range.

    Example:
        >>> plateau = ReduceOnPlateau(factor=0.1, patience=1)
        >>> [plateau.update(loss) for loss in (2.0, 1.5, 1.5, 1.2)]
        [1.0, 1.0, 0.1, 0.1]
    """

    def __init__(self, *, factor=0.1, patience=1, min_delta=1e-4):
        if not 0 < factor < 1 or patience < 1:
            raise ValueError(
                "`factor` must be in (0, 1) and `patience` at least 1. "
                f"Received: factor={factor}, patience={patience}."
            )
        self.factor = factor
        self.patience = patience
        self.min_delta = min_delta
        self._best = math.inf
        self._waited = 0
        self._drops = 0

    @property
    def scale(self):
        """What the base rate is multiplied by, 1 before the first drop."""
        return self.factor**self._drops

    def update(self, loss):
        """Takes an epoch's loss; returns `scale`. NaN is no improvement."""
        if loss < self._best - self.min_delta:
            self._best = float(loss)
            self._waited = 0
            return self.scale
        self._waited += 1
        if self._waited >= self.patience:
            self._drops += 1
            self._waited = 0
        return self.scale
