"""From a model of windows to a model of crops, which is evaluated and exported.

A network sees a window (44 px) of the stored crop (48 px). The choice of windows at
test time and the average of their outputs belong to a paper's protocol. They are put
into the graph here, so that evaluation, prediction and every export give the same
numbers.
"""

import keras
from keras import layers, ops

from fer_tf.arguments import require_one_of
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.layers.crop_views import VIEWS, CropViews, MeanOverViews

AVERAGES = ("logits", "probabilities")
"""What may be averaged over the views of a classification."""


def make_inference_model(
    model: keras.Model,
    crop_spec: CropSpec,
    *,
    views: str = "center",
    average: str = "logits",
) -> keras.Model:
    """Wraps a model so that it takes whole crops and gives probabilities.

    Args:
        model: A model from `fer_tf.create_model`.
        crop_spec: Recipe of the crops; they may be larger than the model's
            input, which then sees windows of them.
        views: `center`, `center_mirror` or `ten_crop`.
        average: What is averaged over the views of a classification: `logits`
            (Meen et al.'s reference code) or `probabilities` (2Att-2Mt).

    Returns:
        Functional model from `image`, float32 `(batch, size, size, channels)`
        in 0..255, to a dict with the model's outputs averaged over the views
        and, beside logits, their probabilities: `expression` and
        `probabilities` (softmax), `action_units` and
        `action_unit_probabilities` (sigmoid), `is_face` and
        `face_probabilities` (softmax), `valence_arousal`.

    Raises:
        ValueError: If the crops do not fit the model.

    Example:
        >>> from fer_tf import create_model
        >>> from fer_tf.faces.crop_spec import CROP_SPECS
        >>> network = create_model("small_resnet", width=0.125, blocks=1)
        >>> model = make_inference_model(network, CROP_SPECS["meen"], views="ten_crop")
        >>> model(ops.zeros((2, 48, 48, 1)))["probabilities"].shape
        TensorShape([2, 7])
    """
    height, width, channels = model.inputs[0].shape[1:]
    crop_spec.require_fit((height, width, channels), model.name)
    require_one_of(AVERAGES, average=average)
    crops = keras.Input(
        (crop_spec.size, crop_spec.size, channels), dtype="float32", name="image"
    )
    windows = crops
    if height < crop_spec.size or views != "center":
        windows = CropViews(height, views, dtype="float32", name="views")(crops)
    outputs = {}
    for name, value in model(windows, training=False).items():
        outputs |= _averaged(name, value, len(VIEWS[views]), average)
    return keras.Model(crops, outputs, name=f"{model.name}_inference")


def _averaged(name, value, num_views, average):
    """Averages one output of the model over the views, and adds its probabilities."""
    mean = lambda x: (
        MeanOverViews(num_views, dtype="float32", name=f"{name}_mean")(x)
        if num_views > 1
        else x
    )
    activations = {
        "expression": ("probabilities", "softmax"),
        "is_face": ("face_probabilities", "softmax"),
        "action_units": ("action_unit_probabilities", "sigmoid"),
    }
    if name not in activations:
        return {name: mean(value)}
    probabilities, function = activations[name]
    activate = layers.Activation(function, dtype="float32", name=probabilities)
    if average == "logits" or num_views == 1:
        logits = mean(value)
        return {name: logits, probabilities: activate(logits)}
    averaged = mean(activate(value))
    # Logits again, so that calibration and losses find what they expect.
    clipped = ops.clip(averaged, 1e-7, 1.0 - 1e-7)
    logits = ops.log(clipped)
    if function == "sigmoid":
        logits = logits - ops.log(1.0 - clipped)
    return {name: logits, probabilities: averaged}
