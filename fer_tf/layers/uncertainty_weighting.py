"""Multi-task weights learned as log-variances (Zhang & Gu, 2020, Eq. 5)."""

import keras
from keras import ops

from fer_tf.arguments import require


@keras.saving.register_keras_serializable(package="fer_tf")
class UncertaintyWeighting(keras.layers.Layer):
    """Adds task losses, each weighted by a learned variance.

    `sum_t scale_t exp(-s_t) loss_t + s_t / 2` with `s = log sigma^2`, one
    trainable scalar per task, from 0. It is Eq. 5 of MTANet term by term:
    `1 / (2 sigma^2)` on valence-arousal, `1 / sigma^2` on action units and
    expression, `log sigma` each (Kendall et al., 2018, derive the half for
    regression only). The total may be negative.

    Weight decay would pull the variances to 1: `CoupledSGD` and `CoupledAdam`
    leave variables called `log_variance` alone.

    Args:
        scales: `{task: scale}`; for MTANet `{"valence_arousal": 0.5,
            "action_units": 1.0, "expression": 1.0}`.

    Raises:
        ValueError: If there is no task, or a scale is not positive.

    Example:
        >>> layer = UncertaintyWeighting({"expression": 1.0, "valence_arousal": 0.5})
        >>> losses = {"expression": ops.array(2.0), "valence_arousal": ops.array(0.6)}
        >>> print(f"{layer(losses):.1f}")  # At first every variance is 1.
        2.3
    """

    def __init__(self, scales, **kwargs):
        # The losses are float32 under every policy; a cast would overflow them.
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        positive = bool(scales) and min(scales.values()) > 0
        require(positive, "map tasks to positive numbers", scales=scales)
        self.scales = {task: float(scale) for task, scale in scales.items()}

    def build(self, losses_shape=None):
        self.log_variances = {
            task: self.add_weight(
                name=f"log_variance_{task}",
                shape=(),
                initializer="zeros",
                dtype="float32",
            )
            for task in sorted(self.scales)
        }
        self.built = True

    def call(self, losses, active=None):
        """Returns the float32 total.

        Args:
            losses: `{task: scalar}`, a loss for each task of `scales`.
            active: `{task: number of valid rows}` or any flag; a task that is
                0 there adds neither its loss nor its log term, so that the
                variance does not move. Tasks absent there are active.

        Raises:
            ValueError: If a task of `scales` has no loss, or a loss no scale.
        """
        wanted, received = sorted(self.scales), sorted(losses)
        require(received == wanted, f"have the tasks {wanted}", losses=received)
        total = ops.zeros((), dtype="float32")
        for task, scale in sorted(self.scales.items()):
            s = ops.convert_to_tensor(self.log_variances[task])
            loss = ops.cast(losses[task], "float32")
            term = scale * ops.exp(-s) * loss + 0.5 * s
            if active is not None and task in active:
                here = ops.cast(active[task], "float32") > 0
                term = ops.where(here, term, 0.0)
            total = total + term
        return total

    def compute_output_shape(self, *args, **kwargs):
        return ()

    def get_config(self):
        return {**super().get_config(), "scales": self.scales}
