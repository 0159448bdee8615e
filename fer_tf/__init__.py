"""Facial expression recognition: four published systems, rebuilt on Keras 3.

The package imports nothing heavy until it is used: `import fer_tf` is cheap,
and `labels` and `faces.crop_spec` work without Keras. Beside Keras, it registers the
classes that a `.keras` file may name, whichever of the two is imported first.
"""

import importlib

from fer_tf.registration import register_with_keras

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
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'fer_tf' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)


register_with_keras()
