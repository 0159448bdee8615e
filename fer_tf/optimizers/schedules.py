"""Learning rates as functions of the step."""

import itertools
import math
import operator

import keras
from keras import ops

from fer_tf.arguments import require


def piecewise(
    base_rate,
    *,
    total_steps,
    boundaries_fractions=(0.5, 0.75, 0.9),
    factor=0.1,
    steps_per_epoch=1,
):
    """A rate multiplied by `factor` at fractions of the training.

    The defaults are Meen's: tenths after 50, 75 and 90 percent. Gan's is
    `boundaries_fractions=(0.25, 0.5, 0.75)` of 20,000 steps.

    Args:
        base_rate: The rate until the first drop.
        total_steps: Steps of the whole training.
        boundaries_fractions: Rising fractions in (0, 1).
        factor: What each drop multiplies by, or a number for each.
        steps_per_epoch: Drops fall on multiples of this many steps.

    Returns:
        A `keras.optimizers.schedules.PiecewiseConstantDecay`: the first step
        of the epoch at a boundary has the new rate.

    Raises:
        ValueError: If the fractions do not rise within (0, 1), or the factors are not
            as many.

    Example:
        >>> rate = piecewise(0.01, total_steps=100)
        >>> [f"{float(rate(step)):.5f}" for step in (49, 50, 75, 90)]
        ['0.01000', '0.00100', '0.00010', '0.00001']
    """
    fractions = tuple(boundaries_fractions)
    rising = all(a < b for a, b in zip((0, *fractions), (*fractions, 1)))
    require(rising, "rise within (0, 1)", boundaries_fractions=fractions)
    alike = isinstance(factor, (int, float))
    factors = (factor,) * len(fractions) if alike else tuple(factor)
    one_each = len(factors) == len(fractions)
    require(one_each, f"be a number or {len(fractions)} of them", factor=factor)
    epochs = total_steps / steps_per_epoch
    starts = [math.floor(f * epochs + 0.5) * steps_per_epoch for f in fractions]
    # Keras keeps the old rate while `step <= boundary`, and counts from 0.
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        boundaries=[start - 1 for start in starts],
        values=list(
            itertools.accumulate(factors, operator.mul, initial=float(base_rate))
        ),
    )


def _cosine(start, end, fraction):
    """From `start` at fraction 0 to `end` at 1, along half a cosine."""
    fraction = ops.clip(fraction, 0.0, 1.0)
    return end + (start - end) * 0.5 * (1.0 + ops.cos(math.pi * fraction))


@keras.saving.register_keras_serializable(package="fer_tf")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise from 0 to `peak_rate`, then half a cosine down.

    Args:
        peak_rate: The rate at step `warmup_steps`.
        total_steps: The step at which the final rate is reached.
        warmup_steps: Length of the rise; 0 for none.
        final_fraction: The final rate over the peak.

    Raises:
        ValueError: Unless `0 <= warmup_steps < total_steps`.

    Example:
        >>> rate = WarmupCosine(1.0, total_steps=100, warmup_steps=20)
        >>> [f"{float(rate(step)):.2f}" for step in (0, 10, 20, 60, 100)]
        ['0.00', '0.50', '1.00', '0.50', '0.00']
    """

    def __init__(self, peak_rate, *, total_steps, warmup_steps=0, final_fraction=0.0):
        if not 0 <= warmup_steps < total_steps:
            raise ValueError(
                "`warmup_steps` must be in [0, total_steps). Received: "
                f"warmup_steps={warmup_steps}, total_steps={total_steps}."
            )
        self.peak_rate = peak_rate
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps
        self.final_fraction = final_fraction

    def __call__(self, step):
        step = ops.cast(step, "float32")
        decay_steps = self.total_steps - self.warmup_steps
        down = _cosine(
            self.peak_rate,
            self.peak_rate * self.final_fraction,
            (step - self.warmup_steps) / decay_steps,
        )
        rise = self.peak_rate * step / max(1, self.warmup_steps)
        return ops.where(step < self.warmup_steps, rise, down)

    def get_config(self):
        return {
            "peak_rate": self.peak_rate,
            "total_steps": self.total_steps,
            "warmup_steps": self.warmup_steps,
            "final_fraction": self.final_fraction,
        }


@keras.saving.register_keras_serializable(package="fer_tf")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """`torch.optim.lr_scheduler.OneCycleLR`, its rate: up and down in cosines.

    From `peak / initial_divisor` to `peak` over `rise_fraction` of the steps,
    then to `peak / initial_divisor / final_divisor` at the last one.

    Args:
        peak_rate: The highest rate.
        total_steps: Steps of the whole training.
        rise_fraction: In (0, 1).
        initial_divisor: The peak over the first rate.
        final_divisor: The first rate over the last.

    Raises:
        ValueError: If no step is left to rise or to fall.

    Example:
        >>> rate = OneCycle(1.0, total_steps=100)
        >>> [f"{float(rate(step)):.2f}" for step in (0, 29, 99)]
        ['0.04', '1.00', '0.00']
    """

    def __init__(
        self,
        peak_rate,
        *,
        total_steps,
        rise_fraction=0.3,
        initial_divisor=25.0,
        final_divisor=1e4,
    ):
        if not 1 < rise_fraction * total_steps < total_steps - 1:
            raise ValueError(
                "`rise_fraction` must leave more than one step to rise and to fall; a "
                "very short run needs more epochs or data. "
                f"Received: rise_fraction={rise_fraction}, total_steps={total_steps}."
            )
        self.peak_rate = peak_rate
        self.total_steps = total_steps
        self.rise_fraction = rise_fraction
        self.initial_divisor = initial_divisor
        self.final_divisor = final_divisor

    def __call__(self, step):
        step = ops.cast(step, "float32")
        first = self.peak_rate / self.initial_divisor
        last = first / self.final_divisor
        top = self.rise_fraction * self.total_steps - 1
        end = self.total_steps - 1
        up = _cosine(first, self.peak_rate, step / top)
        down = _cosine(self.peak_rate, last, (step - top) / (end - top))
        return ops.where(step <= top, up, down)

    def get_config(self):
        return {
            "peak_rate": self.peak_rate,
            "total_steps": self.total_steps,
            "rise_fraction": self.rise_fraction,
            "initial_divisor": self.initial_divisor,
            "final_divisor": self.final_divisor,
        }
