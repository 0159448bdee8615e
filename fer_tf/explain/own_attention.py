"""The attention that a model computes by construction, read from its layers."""

import re

import keras
import numpy as np
from keras import ops

from fer_tf.explain.outputs import as_arrays, as_model_input

# Layers whose output is attention -> the name under which it is returned.
_ATTENTION = {
    r"attention\d_mask|level_attention": r"\g<0>",  # Wang et al.
    r"(block|stage)\d_face|face_features|attention_map": r"\g<0>",  # Meen, 1, 2
    r"attention_(block|stage)\d|tap_weights": r"\g<0>",  # Meen, Model 3
    r"used_masks|rasnet_masks": "region_masks",  # Gan
    r"region_weights": r"\g<0>",  # Gan
    r"conv\d_\d_spatial_gate": r"\g<0>",  # CBAM
}


def attention(
    model: keras.Model, images: np.ndarray | dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns the attention that a model computes; empty if it has none.

    Args:
        model: Functional model.
        images: float32 `(batch, height, width, channels)` in 0..255, or a dict
            of inputs with the images as `"image"`.

    Returns:
        float32 arrays by name. All but Meen's face maps lie in [0, 1]:
            - Wang et al.: `"attention1_mask"` ..., the masks of the residual
              attention, `(batch, h, w, channels)`; `"level_attention"`, the
              weights of Eq. 3, `(batch, levels, levels)`.
            - Meen et al., Models 1 and 2: `"block4_face"` ..., feature maps of the
              frozen face network, `(batch, h, w, maps)`; `"face_features"`, those
              that weigh the image; `"attention_map"`, enlarged to the image, where
              there is a single map.
            - Meen et al., Model 3: `"attention_block3"` ... `(batch, h, w, 1)`,
              which sum to 1, and `"tap_weights"`, one for each stage.
            - Gan et al.: `"region_masks"` `(batch, h, w, 8)` in the order of
              `fer_tf.faces.region_masks.REGIONS`, and `"region_weights"`
              `(batch, 8)`.
            - CBAM: `"conv2_1_spatial_gate"` ..., `(batch, h, w, 1)`.

    Example:
        >>> import keras, numpy as np
        >>> from fer_tf import explain
        >>> image = keras.Input((8, 8, 1), name="image")
        >>> gate = keras.layers.Conv2D(1, 1, name="conv1_1_spatial_gate")(image)
        >>> model = keras.Model(image, {"expression": keras.layers.Flatten()(gate)})
        >>> list(explain.attention(model, np.ones((2, 8, 8, 1))))
        ['conv1_1_spatial_gate']
    """
    layers = {
        re.sub(pattern, name, layer.name): layer.output
        for layer in model.layers
        for pattern, name in _ATTENTION.items()
        if re.fullmatch(pattern, layer.name)
    }
    if not layers:
        return {}
    inputs = as_model_input(model, as_arrays(images))
    outputs = keras.Model(model.input, layers)(inputs, training=False)
    return {
        name: ops.convert_to_numpy(ops.cast(value, "float32"))
        for name, value in outputs.items()
    }
