"""A trained model -> a SavedModel that runs without this package.

The signatures take aligned crops, as uint8 or as encoded pictures, and give
named outputs; crop spec and label names travel inside. Finding and aligning
faces is the predictor's work, and so is the EXIF orientation: the signature
that decodes bytes does not turn pictures.
"""

import json
import os
import shutil

import keras
import tensorflow as tf

from fer_tf import loading
from fer_tf.inference import make_inference_model

_HIDDEN = ("expression", "is_face", "action_units")  # Logits.


def export_saved_model(model: keras.Model, output: str, *, extra=None) -> str:
    """Writes a model folder that is a SavedModel too.

    Args:
        model: From `fer_tf.load`, so that its crop spec and labels are known.
        output: Folder to write; must not exist, and appears whole or not at
            all.
        extra: More facts for `model.json`, such as measured metrics.

    Returns:
        `output`. The SavedModel has these signatures:
            - `serving_default`: `crops` uint8 `(batch, size, size, channels)`.
            - `serve_bytes`: `encoded` strings `(batch,)`, each a JPEG or PNG
              of one crop; brought to size and colour.
            - `describe`: no input; `expressions`, `action_units`, `crop_spec`
              (JSON).

    Raises:
        ValueError: If the folder exists.
    """
    if os.path.exists(output):
        raise ValueError(f"{output}: exists already; choose another --output")
    folder, name = os.path.split(os.path.abspath(output))
    os.makedirs(folder, exist_ok=True)
    part = os.path.join(folder, f".part-{name}")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _write_signatures(model, part)
        loading.save(part, model, model.card, extra=extra)
        os.replace(part, output)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return output


def _write_signatures(model, path):
    card, spec = model.card, model.card.crop_spec
    inference = make_inference_model(
        model, spec, views=card.views, average=card.average
    )

    def serve(crops):
        outputs = inference(tf.cast(crops, tf.float32), training=False)
        return {k: v for k, v in outputs.items() if k not in _HIDDEN}

    def decode(encoded):
        image = tf.io.decode_image(
            encoded, channels=spec.channels, expand_animations=False
        )
        image = tf.image.resize(image, (spec.size, spec.size), antialias=True)
        image = tf.cast(tf.clip_by_value(tf.round(image), 0, 255), tf.uint8)
        return tf.ensure_shape(image, (spec.size, spec.size, spec.channels))

    def serve_bytes(encoded):
        return serve(tf.map_fn(decode, encoded, fn_output_signature=tf.uint8))

    def describe():
        return {
            "expressions": tf.constant(card.expressions),
            "action_units": tf.constant(card.action_units),
            "crop_spec": tf.constant(json.dumps(spec.to_dict())),
        }

    shape = (None, spec.size, spec.size, spec.channels)
    archive = keras.export.ExportArchive()
    archive.track(inference)
    archive.add_endpoint("serve", serve, [tf.TensorSpec(shape, tf.uint8, "crops")])
    archive.add_endpoint(
        "serve_bytes", serve_bytes, [tf.TensorSpec((None,), tf.string, "encoded")]
    )
    archive.add_endpoint("describe", describe, [])
    archive.write_out(path, verbose=False)
