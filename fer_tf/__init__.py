"""Facial expression recognition: four published systems, rebuilt on Keras 3.

`import fer_tf` imports neither Keras nor TensorFlow; they are imported when a public
name is first used, without TensorFlow's start-up notices. Classes that a `.keras` file
may name are registered with Keras, whichever of the two packages is imported first.
"""

import importlib

from fer_tf.registration import register_with_keras
from fer_tf.utils import collector
from fer_tf.utils.stderr import quiet_start

__version__ = "0.1.0"

# Public name -> module that defines it.
_EXPORTS = {
    "create_model": "fer_tf.models",
    "list_models": "fer_tf.models",
    "load": "fer_tf.model_io.model_folder",
    "Predictor": "fer_tf.predictor",
}
__all__ = [*_EXPORTS, "__version__"]


def __getattr__(name):
    if name in _EXPORTS:
        with quiet_start(), collector.paused():
            module = importlib.import_module(_EXPORTS[name])
        return getattr(module, name)
    raise AttributeError(f"module 'fer_tf' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)


register_with_keras()
