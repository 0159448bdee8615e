"""The optimizers and schedules the papers trained with, where Keras' differ."""

from fer_tf.optimizers.coupled_adam import CoupledAdam
from fer_tf.optimizers.coupled_sgd import CoupledSGD
from fer_tf.optimizers.reduce_on_plateau import ReduceOnPlateau
from fer_tf.optimizers.rmsprop_tf1 import RMSpropTF1
from fer_tf.optimizers.schedules import OneCycle, WarmupCosine, piecewise

__all__ = [
    "CoupledAdam",
    "CoupledSGD",
    "OneCycle",
    "RMSpropTF1",
    "ReduceOnPlateau",
    "WarmupCosine",
    "piecewise",
]
