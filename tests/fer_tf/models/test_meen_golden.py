"""Meen et al.'s models against plane-by-plane NumPy, with random weights."""

import keras
import numpy as np
import pytest

from fer_tf.models import meen
from tests.fer_tf.models import meen_reference as reference

NARROW = {"width": 0.125, "input_shape": (32, 32, 1)}
VGG_TAPS = ("block3", "block4", "block5")


def _check(model, image, expected):
    logits = keras.ops.convert_to_numpy(model(image, training=False)["expression"])
    assert np.ptp(expected, axis=0).max() > 0.01  # The image matters.
    # Float32 against float64: products of unbounded maps cost 2e-5 in places.
    scale = np.abs(expected).max()
    np.testing.assert_allclose(logits / scale, expected / scale, atol=1e-4)


def _image(shape=(32, 32, 1)):
    return np.random.default_rng(1).uniform(0, 255, (2, *shape)).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize(
    "backbone, width", [("vgg19", 0.125), ("resnet18", 0.125), ("densenet121", 0.25)]
)
def test_backbones(backbone, width):
    model = meen.vgg19_fer(backbone=backbone, width=width, input_shape=(44, 36, 3))
    reference.randomize(model)
    image, w = _image((44, 36, 3)), reference.weights_of(model)
    _, x = reference.BACKBONES[backbone](w, image / 255)
    kernel, bias = w["expression"]
    _check(model, image, x @ kernel + bias)


@pytest.mark.slow
@pytest.mark.parametrize(
    "maps, combine, weighting",
    [
        pytest.param("all", "concat", None, marks=pytest.mark.long),
        ("all", "concat", "channel"),
        pytest.param("all", "product", None, marks=pytest.mark.long),
        ("all", "residual_product", None),
        pytest.param("average", "concat", None, marks=pytest.mark.long),
        pytest.param("average", "product", None, marks=pytest.mark.long),
        ("average", "residual_product", "channel"),
        ("conv", "residual_product", None),
    ],
)
def test_models_1_and_2(maps, combine, weighting):
    model = meen.meen_model1(maps=maps, combine=combine, weighting=weighting, **NARROW)
    reference.randomize(model)
    expected = reference.model1(model, _image(), maps, combine, weighting=weighting)
    _check(model, _image(), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "maps, normalize, weighting, rescale",
    [
        ("all", "max", "channel", True),
        ("all", "sigmoid", "squeeze", True),
        pytest.param("average", "max", "squeeze", False, marks=pytest.mark.long),
        ("average", "none", "spatial", True),
    ],
)
def test_options_of_models_1_and_2(maps, normalize, weighting, rescale):
    model = meen.meen_model1(
        maps=maps,
        normalize=normalize,
        weighting=weighting,
        rescale=rescale,
        **{**NARROW, "input_shape": (32, 32, 3)},
    )
    reference.randomize(model)
    image = _image((32, 32, 3))
    expected = reference.model1(
        model, image, maps, "residual_product", normalize, weighting, rescale
    )
    _check(model, image, expected)


@pytest.mark.parametrize(
    "source, combine",
    [
        ("facial", "product"),
        ("emotion", "residual_product"),
        pytest.param("combination", "product", marks=pytest.mark.long),
        pytest.param("combination", "residual_product", marks=pytest.mark.long),
        ("combination", "concat"),
        ("separately", "product"),
        pytest.param("separately", "concat", marks=pytest.mark.long),
    ],
)
def test_model_3(source, combine):
    model = meen.meen_model3(source=source, combine=combine, **NARROW)
    reference.randomize(model)
    expected = reference.model3(model, _image(), source, combine, VGG_TAPS)
    _check(model, _image(), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"maps": "average"},
        {"compatibility": "sigmoid"},
        pytest.param({"merge": "concat"}, marks=pytest.mark.long),
        pytest.param({"taps": ("block2", "block3", "block4")}, marks=pytest.mark.long),
        pytest.param(
            {"backbone": "resnet18", "taps": ("stage2", "stage3", "stage4")},
            marks=pytest.mark.long,
        ),
    ],
    ids=str,
)
def test_options_of_model_3(options):
    model = meen.meen_model3(**options, **NARROW)
    reference.randomize(model)
    options = {"taps": VGG_TAPS, **options}
    expected = reference.model3(model, _image(), "separately", "product", **options)
    _check(model, _image(), expected)
