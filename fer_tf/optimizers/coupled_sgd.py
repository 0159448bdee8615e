"""SGD with momentum and coupled decay, step for step as PyTorch or Caffe."""

import keras
from keras import ops

from fer_tf.arguments import require, require_one_of
from fer_tf.optimizers.coupled_decay import CoupledDecay
from fer_tf.optimizers.fused import fused_kernels_apply, slot_index


@keras.saving.register_keras_serializable(package="fer_tf")
class CoupledSGD(CoupledDecay, keras.optimizers.Optimizer):
    """SGD whose weight decay is added to the gradient before the momentum.

    With `g = gradient + weight_decay * w` and `m` the momentum:

    - "torch": `v = m v + g; w -= lr v` (`torch.optim.SGD`; Meen, Zhang);
    - "caffe": `v = m v - lr g; w += v` (Caffe, also `keras.optimizers.SGD`;
      Gan). After a drop of the learning rate it keeps the old, larger velocity
      for some ten steps; at a constant rate the two agree.

    Gradient clipping happens before the decay is added, as in PyTorch.

    Args:
        learning_rate: A float or a schedule.
        momentum: In [0, 1).
        weight_decay: The L2 coefficient.
        nesterov: Nesterov's momentum ("torch" style only).
        momentum_style: "torch" or "caffe".
        exclude: Regular expressions; a variable whose path one of them finds
            does not decay. By default all do, biases and normalisation
            included, except the log-variances of `UncertaintyWeighting`.

    Raises:
        ValueError: If an argument is out of range, or, on `build`, if a
            pattern of `exclude` matches no variable.

    Example:
        >>> weight = keras.Variable([1.0])
        >>> optimizer = CoupledSGD(0.1, momentum=0.9, weight_decay=0.5)
        >>> optimizer.apply([ops.ones(1)], [weight])
        >>> print(weight.numpy().round(3))
        [0.85]
    """

    def __init__(
        self,
        learning_rate=0.01,
        *,
        momentum=0.0,
        weight_decay=0.0,
        nesterov=False,
        momentum_style="torch",
        exclude=(),
        name="coupled_sgd",
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        require(0 <= momentum < 1, "be in [0, 1)", momentum=momentum)
        require_one_of(("torch", "caffe"), momentum_style=momentum_style)
        if nesterov and momentum_style == "caffe":
            raise ValueError(
                '`nesterov` needs momentum_style="torch". Received: nesterov=True, '
                "momentum_style='caffe'."
            )
        self._init_decay(weight_decay, exclude)
        self.momentum = float(momentum)
        self.nesterov = nesterov
        self.momentum_style = momentum_style

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._build_decay(variables)
        self.momentums = []
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient, variable, learning_rate):
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        index = slot_index(self, variable)
        if self.momentum and fused_kernels_apply():
            self._fused_step(gradient, variable, rate, index)
            return
        gradient = self._with_decay(gradient, variable, index)
        if not self.momentum:
            self.assign_sub(variable, ops.multiply(gradient, rate))
            return
        velocity = self.momentums[index]
        momentum = ops.cast(self.momentum, variable.dtype)
        step = gradient if self.momentum_style == "torch" else -gradient * rate
        self.assign(velocity, ops.add(ops.multiply(velocity, momentum), step))
        if self.momentum_style == "caffe":
            self.assign_add(variable, velocity)
        elif self.nesterov:
            ahead = ops.add(gradient, ops.multiply(velocity, momentum))
            self.assign_sub(variable, ops.multiply(ahead, rate))
        else:
            self.assign_sub(variable, ops.multiply(velocity, rate))

    def _fused_step(self, gradient, variable, rate, index):
        """The same step in TensorFlow's kernels, in place.

        They take half the time of the ops above on a CPU. They have no decay,
        so it is added to the velocity beforehand: `m (v + decay/m w) + g`.
        """
        import tensorflow as tf

        velocity = self.momentums[index].value.handle
        torch_style = self.momentum_style == "torch"
        if index in self._decayed and not self.nesterov:
            decay = ops.cast(self.coupled_decay / self.momentum, variable.dtype)
            tf.raw_ops.ResourceApplyGradientDescent(
                var=velocity,
                alpha=-decay if torch_style else rate * decay,
                delta=variable,
            )
        else:
            # Nesterov's step uses the decayed gradient a second time.
            gradient = self._with_decay(gradient, variable, index)
        # The two accumulate `m v + g` and, negated, `m v - lr g`.
        kernel = (
            tf.raw_ops.ResourceApplyMomentum
            if torch_style
            else tf.raw_ops.ResourceApplyKerasMomentum
        )
        kernel(
            var=variable.handle,
            accum=velocity,
            lr=rate,
            grad=gradient,
            momentum=ops.cast(self.momentum, variable.dtype),
            use_nesterov=self.nesterov,
        )

    def get_config(self):
        return {
            **super().get_config(),
            **self._decay_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "momentum_style": self.momentum_style,
        }
