"""What a model looks at, as arrays: maps from gradients, and its own attention."""

from fer_tf.explain.gradient_maps import (
    explain,
    grad_cam,
    guided_backpropagation,
    last_feature_map,
)
from fer_tf.explain.outputs import default_task
from fer_tf.explain.own_attention import attention

__all__ = [
    "attention",
    "default_task",
    "explain",
    "grad_cam",
    "guided_backpropagation",
    "last_feature_map",
]
