"""Photographs to aligned crops of faces. Nothing heavy loads until it is used."""

import importlib

# Public name -> module that defines it.
_EXPORTS = {
    "CROP_SPECS": "fer_tf.faces.crop_spec",
    "CropSpec": "fer_tf.faces.crop_spec",
    "FaceEmbedder": "fer_tf.faces.recognition",
    "ImageError": "fer_tf.faces.images",
    "MTCNNDetector": "fer_tf.faces.detector",
    "WholePicture": "fer_tf.faces.whole_picture",
    "align": "fer_tf.faces.alignment",
    "crop_box": "fer_tf.faces.alignment",
    "landmarks5": "fer_tf.faces.alignment",
    "read_image": "fer_tf.faces.images",
    "whole": "fer_tf.faces.alignment",
}
__all__ = sorted(_EXPORTS)


def __getattr__(name):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'fer_tf.faces' has no attribute {name!r}")


def __dir__():
    return __all__
