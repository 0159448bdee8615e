"""L2 decay added to the gradient, as PyTorch and Caffe do.

Keras' own `weight_decay` is decoupled: it shrinks the weights by `lr * decay`
beside the step. With momentum 0.9 the coupled decay is about ten times
stronger, and inside Adam the two are different methods altogether.
"""

import re

from keras import ops

from fer_tf.arguments import require

# The learned variances of a multi-task loss are not weights: decay would pull
# every sigma towards 1.
_NEVER_DECAYED = "log_variance"


class CoupledDecay:
    """Mixin: which variables decay, and a gradient with its decay added."""

    def _init_decay(self, weight_decay, exclude):
        require(weight_decay >= 0, "not be negative", weight_decay=weight_decay)
        several = not isinstance(exclude, str)
        require(several, "be a sequence of patterns", exclude=exclude)
        # Not the base class's `weight_decay`, which would decay a second time.
        self.coupled_decay = float(weight_decay)
        self.exclude = tuple(exclude)
        self._decayed = frozenset()

    def _build_decay(self, variables):
        paths = [_path(variable) for variable in variables]
        for pattern in self.exclude:
            if not any(re.search(pattern, path) for path in paths):
                raise ValueError(
                    "Each pattern of `exclude` must match a variable. Received: "
                    f"{pattern!r}, which matches none of {len(paths)} paths."
                )
        kept_out = re.compile("|".join((_NEVER_DECAYED, *self.exclude)))
        if self.coupled_decay:
            self._decayed = frozenset(
                i for i, path in enumerate(paths) if not kept_out.search(path)
            )

    def _with_decay(self, gradient, variable, index):
        """`g + decay * w`, or `g` for a variable that does not decay."""
        if index not in self._decayed:
            return gradient
        decay = ops.cast(self.coupled_decay, variable.dtype)
        return ops.add(gradient, ops.multiply(variable, decay))

    def _decay_config(self):
        return {"weight_decay": self.coupled_decay, "exclude": list(self.exclude)}


def _path(variable):
    return getattr(variable, "path", None) or variable.name
