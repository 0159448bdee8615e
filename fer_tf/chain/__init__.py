"""The whole chain as files, and what reads them without TensorFlow or Keras.

`python -m trainers.export --chain` writes a folder: MTCNN's networks and the expression
network as ONNX, and `chain.json`, which says everything else that decides a reading.
"""

import importlib

# Public name -> module that defines it.
_EXPORTS = {"Reader": "fer_tf.chain.reader"}
__all__ = sorted(_EXPORTS)


def __getattr__(name):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'fer_tf.chain' has no attribute {name!r}")


def __dir__():
    return __all__
