"""RMSProp as TensorFlow 1 had it, which Wang et al. trained with."""

import keras
from keras import ops

from fer_tf.arguments import require
from fer_tf.optimizers.fused import slot_index


@keras.saving.register_keras_serializable(package="fer_tf")
class RMSpropTF1(keras.optimizers.Optimizer):
    """`tf.train.RMSPropOptimizer`: the mean square starts at **one**.

    `s = rho s + (1 - rho) g^2; b = m b + lr g / sqrt(s + eps); w -= b`. Keras
    starts `s` at zero, so its first step is `lr / sqrt(1 - rho)` per weight
    whatever the gradient; here small gradients warm up gently.

    Args:
        learning_rate: A float or a schedule.
        rho: Decay rate of the mean square, in [0, 1).
        momentum: In [0, 1).
        epsilon: Inside the root.

    Raises:
        ValueError: If `rho` or `momentum` is out of range.

    Example:
        >>> weight = keras.Variable([1.0])
        >>> RMSpropTF1(0.1, rho=0.9).apply([ops.array([0.01])], [weight])
        >>> print(weight.numpy().round(4))  # Keras' own would go to 0.684.
        [0.9989]
    """

    def __init__(
        self,
        learning_rate=0.001,
        *,
        rho=0.9,
        momentum=0.0,
        epsilon=1e-10,
        name="rmsprop_tf1",
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        require(0 <= rho < 1, "be in [0, 1)", rho=rho)
        require(0 <= momentum < 1, "be in [0, 1)", momentum=momentum)
        self.rho = float(rho)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.squares = self.add_optimizer_variables(
            variables, "square", initializer="ones"
        )
        self.momentums = []
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient, variable, learning_rate):
        dtype = variable.dtype
        rate = ops.cast(learning_rate, dtype)
        gradient = ops.cast(gradient, dtype)
        index = slot_index(self, variable)
        square = self.squares[index]
        self.assign_add(
            square, (ops.square(gradient) - square) * ops.cast(1 - self.rho, dtype)
        )
        root = ops.sqrt(square + ops.cast(self.epsilon, dtype))
        step = rate * gradient / root
        if self.momentum:
            velocity = self.momentums[index]
            self.assign(velocity, velocity * ops.cast(self.momentum, dtype) + step)
            step = velocity
        self.assign_sub(variable, step)

    def get_config(self):
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }
