"""What a model looks at, as arrays."""

from fer_tf.explain.maps import (
    attention,
    default_task,
    explain,
    grad_cam,
    guided_backpropagation,
    guided_grad_cam,
    last_feature_map,
)

__all__ = [
    "attention",
    "default_task",
    "explain",
    "grad_cam",
    "guided_backpropagation",
    "guided_grad_cam",
    "last_feature_map",
]
