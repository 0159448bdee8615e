"""The optimizers and schedules the papers trained with, where Keras' differ."""

from fer_tf.optimizers.coupled_sgd import CoupledSGD

__all__ = ["CoupledSGD"]
