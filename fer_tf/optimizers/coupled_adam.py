"""Adam with coupled decay, step for step as `torch.optim.Adam`."""

import math

import keras
from keras import ops

from fer_tf.optimizers.coupled_decay import CoupledDecay
from fer_tf.optimizers.fused import fused_kernels_apply, slot_index


@keras.saving.register_keras_serializable(package="fer_tf")
class CoupledAdam(CoupledDecay, keras.optimizers.Optimizer):
    """Adam whose weight decay is part of the gradient (Zhang, stage 1).

    The decay passes through both moments, unlike AdamW's and Keras'. `epsilon`
    is added to the bias-corrected root, as in PyTorch and the paper; Keras adds
    it before the correction.

    Args:
        learning_rate: A float or a schedule.
        beta_1: Decay rate of the first moment, in [0, 1).
        beta_2: Decay rate of the second moment, in (0, 1).
        epsilon: Added to the root of the second moment.
        weight_decay: The L2 coefficient.
        exclude: As in `CoupledSGD`.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> weight = keras.Variable([1.0])
        >>> CoupledAdam(0.1, weight_decay=1e-3).apply([ops.zeros(1)], [weight])
        >>> print(weight.numpy().round(3))  # Decay alone is a whole step of Adam.
        [0.9]
    """

    def __init__(
        self,
        learning_rate=0.001,
        *,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        weight_decay=0.0,
        exclude=(),
        name="coupled_adam",
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        if not (0 <= beta_1 < 1 and 0 < beta_2 < 1):
            raise ValueError(
                "`beta_1` must be in [0, 1) and `beta_2` in (0, 1). "
                f"Received: beta_1={beta_1}, beta_2={beta_2}."
            )
        self._init_decay(weight_decay, exclude)
        self.beta_1 = float(beta_1)
        self.beta_2 = float(beta_2)
        self.epsilon = float(epsilon)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._build_decay(variables)
        self.means, self.squares = self.add_optimizer_variables(
            variables, ["mean", "square"]
        )

    def update_step(self, gradient, variable, learning_rate):
        dtype = variable.dtype
        index = slot_index(self, variable)
        gradient = self._with_decay(ops.cast(gradient, dtype), variable, index)
        mean, square = self.means[index], self.squares[index]
        root = ops.sqrt(self._bias_correction(self.beta_2))
        rate = ops.cast(learning_rate, "float32") * root
        rate = ops.cast(rate / self._bias_correction(self._beta_1_or_tiny()), dtype)
        # eps / sqrt(1 - beta^t) beside sqrt(v / (1 - beta^t)), all times the root.
        epsilon = ops.cast(self.epsilon * root, dtype)
        if fused_kernels_apply():
            self._fused_step(gradient, variable, rate, epsilon, mean, square)
            return
        self.assign_add(mean, (gradient - mean) * ops.cast(1 - self.beta_1, dtype))
        self.assign_add(
            square, (ops.square(gradient) - square) * ops.cast(1 - self.beta_2, dtype)
        )
        self.assign_sub(variable, rate * mean / (ops.sqrt(square) + epsilon))

    def _beta_1_or_tiny(self):
        return self.beta_1 or 1e-38

    def _bias_correction(self, beta):
        """`1 - beta^t` in float32, without cancelling at small t."""
        step = ops.cast(self.iterations + 1, "float32")
        return -ops.expm1(step * math.log(beta))

    def _fused_step(self, gradient, variable, rate, epsilon, mean, square):
        import tensorflow as tf

        zero = tf.zeros((), variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=mean.value.handle,
            v=square.value.handle,
            # The kernel's own corrections, in float32, lose digits: off.
            beta1_power=zero,
            beta2_power=zero,
            lr=rate,
            beta1=tf.cast(self.beta_1, variable.dtype),
            beta2=tf.cast(self.beta_2, variable.dtype),
            epsilon=epsilon,
            grad=gradient,
        )

    def get_config(self):
        return {
            **super().get_config(),
            **self._decay_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
