"""The graph that every export holds, and the names that travel with it."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from fer_tf.model_io.card import NAMED, Card
from fer_tf.model_io.views import make_inference_model

# Logits are not exported: users read probabilities.
_HIDDEN = ("expression", "is_face", "action_units")
_HEAD_OF = {
    "probabilities": "expression",
    "face_probabilities": "is_face",
    "action_unit_probabilities": "action_units",
}

_BATCH = 64


def make_serving_model(model: keras.Model, *, dtype: str = "uint8") -> keras.Model:
    """The model that is exported: from aligned crops to all readings.

    Scaling, windows and the mean over them are inside the graph, where a user cannot
    get them wrong.

    Args:
        model: From `fer_tf.load`.
        dtype: Of the crops; the values are 0..255 in any case.

    Returns:
        Functional model from `crops` `(batch, size, size, channels)` to a dict of
        float32 outputs: `probabilities`, `valence_arousal`,
        `action_unit_probabilities` and `face_probabilities`, as far as the model was
        trained for them, and the model's maps.

    Raises:
        ValueError: If the model has further inputs, or no head of it was trained.

    Example:
        >>> import fer_tf
        >>> serving = make_serving_model(fer_tf.load("fer2013_best"))
        >>> {name: output.shape for name, output in serving.output.items()}
        {'probabilities': (None, 7)}
    """
    if len(model.inputs) != 1:
        names = ", ".join(tensor.name for tensor in model.inputs)
        raise ValueError(
            f"{model.name} takes {names}: only a model that needs nothing but a crop "
            "can be exported"
        )
    card, spec = model.card, model.card.crop_spec
    inference = make_inference_model(
        model, spec, views=card.views, average=card.average
    )
    crops = keras.Input(
        (spec.size, spec.size, spec.channels), dtype=dtype, name="crops"
    )
    outputs = inference(crops if dtype == "float32" else ops.cast(crops, "float32"))
    outputs = {k: v for k, v in read_out(outputs, card).items() if k not in _HIDDEN}
    if not outputs:
        raise ValueError(
            f"{model.name}: its card names none of its outputs as trained, so it has "
            "nothing to say"
        )
    return keras.Model(crops, outputs, name=f"{model.name}_serving")


def read_out(outputs: Mapping[str, Any], card: Card) -> dict[str, Any]:
    """The outputs of an inference model whose heads were trained."""
    return {k: v for k, v in outputs.items() if card.reads(_HEAD_OF.get(k, k))}


def crops_signature(model: keras.Model, batch: int | None) -> list[keras.InputSpec]:
    """The signature of a serving model for `Model.export`."""
    crops = model.inputs[0]
    shape = (batch, *crops.shape[1:])
    return [keras.InputSpec(shape=shape, dtype=crops.dtype, name="crops")]


def names_inside(model: keras.Model) -> dict:
    """What an exported file holds: the names of the outputs, and the crop spec."""
    card = model.card
    outputs = read_out(model.output, card)
    names = {
        field: list(getattr(card, field)[: outputs[output].shape[-1]])
        for output, field in NAMED.items()
        if output in outputs
    }
    if "valence_arousal" in outputs:
        names["valence_arousal"] = ["valence", "arousal"]
    # 2Att-CNN's networks, of one dimension each.
    names |= {name: [name] for name in ("valence", "arousal") if name in outputs}
    if "is_face" in outputs:
        names["faces"] = ["no face", "face"]
    return {**names, "crop_spec": card.crop_spec.to_dict()}


def in_batches(call, crops: np.ndarray) -> dict[str, np.ndarray]:
    """The dict of outputs of `call(crops)` over all crops, in batches of 64."""
    parts = [call(crops[i : i + _BATCH]) for i in range(0, len(crops), _BATCH)]
    return {k: np.concatenate([np.asarray(p[k]) for p in parts]) for k in parts[0]}
