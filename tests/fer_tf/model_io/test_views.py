import keras
import numpy as np
import pytest

from fer_tf import models
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.layers.crop_views import CropViews
from fer_tf.model_io.card import Card
from fer_tf.model_io.serving import make_serving_model
from fer_tf.model_io.views import make_inference_model


def test_ten_crop_is_four_corners_the_centre_and_their_mirrors():
    crops = np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 1)).astype("float32")
    views = np.asarray(CropViews(44, "ten_crop")(crops)).reshape(2, 10, 44, 44, 1)
    expected = []
    for y, x in ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2)):
        window = crops[:, y : y + 44, x : x + 44]
        expected += [window, window[:, :, ::-1]]
    for window in expected:
        distance = np.abs(views - window[:, None]).max((2, 3, 4)).min(1)
        np.testing.assert_array_equal(distance, 0)


def linear_model(size=44):
    """Logits that are a fixed linear function of the window."""
    image = keras.Input((size, size, 1), name="image")
    flat = keras.layers.Flatten()(image)
    dense = keras.layers.Dense(3, name="expression")(flat)
    return keras.Model(image, {"expression": dense})


@pytest.mark.parametrize("average", ["logits", "probabilities"])
def test_outputs_are_averaged_over_the_views(average):
    keras.utils.set_random_seed(0)
    model = linear_model()
    model.set_weights([w * 0.05 for w in model.get_weights()])
    crops = np.random.default_rng(0).uniform(0, 255, (3, 48, 48, 1)).astype("float32")
    inference = make_inference_model(
        model, CROP_SPECS["meen"], views="center_mirror", average=average
    )
    found = inference(crops)
    center = crops[:, 2:46, 2:46]
    logits = [
        np.asarray(model(view)["expression"]) for view in (center, center[:, :, ::-1])
    ]
    softmax = lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    if average == "logits":
        expected = softmax(np.mean(logits, axis=0))
        np.testing.assert_allclose(found["expression"], np.mean(logits, 0), rtol=1e-4)
    else:
        expected = np.mean([softmax(x) for x in logits], axis=0)
        np.testing.assert_allclose(softmax(found["expression"]), expected, rtol=1e-4)
    np.testing.assert_allclose(found["probabilities"], expected, rtol=1e-4)


@pytest.mark.parametrize("average", ["logits", "probabilities"])
def test_units_and_dimensions_are_averaged_too(average):
    keras.utils.set_random_seed(0)
    image = keras.Input((44, 44, 1), name="image")
    flat = keras.layers.Flatten()(image)
    names = {"action_units": 8, "valence_arousal": 2}
    outputs = {k: keras.layers.Dense(n, name=k)(flat) for k, n in names.items()}
    model = keras.Model(image, outputs)
    model.set_weights([w * 0.02 for w in model.get_weights()])
    crops = np.random.default_rng(0).uniform(0, 255, (3, 48, 48, 1)).astype("float32")
    inference = make_inference_model(
        model, CROP_SPECS["meen"], views="center_mirror", average=average
    )
    found = {name: np.asarray(value) for name, value in inference(crops).items()}
    center = crops[:, 2:46, 2:46]
    views = [model(view) for view in (center, center[:, :, ::-1])]
    logits, numbers = (np.array([view[k] for view in views]) for k in names)
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    assert np.abs(logits[0] - logits[1]).max() > 1  # Or the two means are one.
    expected = sigmoid(logits.mean(0)), logits.mean(0)
    if average == "probabilities":
        p = sigmoid(logits).mean(0)
        expected = p, np.log(p / (1 - p))
    found_two = found["action_unit_probabilities"], found["action_units"]
    for ours, theirs in zip(found_two, expected):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found["valence_arousal"], numbers.mean(0), rtol=1e-4)


def test_crops_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="size is 48, but the model takes 50x50"):
        make_inference_model(linear_model(50), CROP_SPECS["meen"])
    with pytest.raises(ValueError, match="color is 'rgb', but the model takes 44x44"):
        make_inference_model(linear_model(), CROP_SPECS["zhang2020"])
    with pytest.raises(ValueError, match="views='five'"):
        make_inference_model(linear_model(), CROP_SPECS["meen"], views="five")


def test_a_model_whose_card_trained_nothing_has_nothing_to_say():
    model = models.create_model("small_resnet", width=0.125, blocks=1)
    model.card = Card(
        model="small_resnet", arguments={}, crop_spec=CROP_SPECS["meen"],
        views="center", average="logits", trained=("nothing",),
    )  # fmt: skip
    with pytest.raises(ValueError, match="none of its outputs as trained"):
        make_serving_model(model)
