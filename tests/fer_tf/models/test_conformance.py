"""What every registered model must do, on narrow builds of all of them."""

import functools
import inspect
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.models import MODELS, create_model, list_models

HOUSE_NAMES = """
    two_att_two_mt multitask_cnn first_level two_att_cnn_valence
    two_att_cnn_arousal two_att_mt two_att_two_mt_1block two_att_two_mt_3block
    two_att_two_mt_128_128 two_att_two_mt_256_256
    mtanet_senet50 mtanet_resnext50 mtanet_resnext50_cbam
    vgg19_fer meen_model1_all meen_model1_average meen_model1_conv
    meen_model2_all meen_model2_average meen_model3_facial
    meen_model3_emotion meen_model3_combination meen_model3_separately
    face_network
    gan_vgg16 gan_vgg16_se gan_man gan_rasnet
""".split()
OUTPUTS = {
    "expression": 7,
    "valence_arousal": 2,
    "valence": 1,
    "arousal": 1,
    "action_units": 8,
    "is_face": 2,
    "embedding": 128,
}

# Where they are not seven.
EXPRESSIONS = {"ferplus_vgg13": 8}

# By the builder, then by what is left out of a variant.
HEADS = {
    "two_att_two_mt": {"expression", "valence_arousal"},
    "mtanet": {"expression", "valence_arousal", "action_units"},
    "face_network": {"is_face"},
    "gan_rasnet": {"region_masks"},
    "face_embedding": {"embedding"},
}
OF_ONE_TASK = {
    "multitask_cnn": {"valence_arousal"},
    "first_level": {"valence_arousal"},
    "two_att_mt": {"valence_arousal"},
    "two_att_cnn_valence": {"valence"},
    "two_att_cnn_arousal": {"arousal"},
}

# What takes long runs on one row of each builder, and on the others when slow.
FIRST_ROWS = {variant.builder: name for name, variant in reversed(MODELS.items())}
each_builder = pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n in FIRST_ROWS.values() else pytest.mark.long)
        for n in MODELS
    ],
)


def small_shape(name):
    """The model's own input where that is small, else 96 pixels."""
    variant = MODELS[name]
    parameters = inspect.signature(variant.builder).parameters
    default = parameters["input_shape"].default
    height, width, channels = variant.arguments.get("input_shape", default)
    return (min(height, 96), min(width, 96), channels)


def build(name):
    return create_model(name, width=0.125, input_shape=small_shape(name))


def inputs_of(model, batch=3):
    rng = np.random.default_rng(0)
    values = {}
    for tensor in model.inputs:
        high = 255 if tensor.name == "image" else 1
        value = rng.uniform(0, high, (batch, *tensor.shape[1:]))
        values[tensor.name] = tf.constant(value, tf.float32)
    return values if len(values) > 1 else values["image"]


@functools.cache
def evaluated(name):
    """`(model, inputs, outputs, paths of variables no output depends on)`."""
    keras.utils.set_random_seed(0)
    model = build(name)
    inputs = inputs_of(model)
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=False)
        total = sum(tf.reduce_sum(value**2) for value in outputs.values())
    gradients = tape.gradient(total, variables)
    dead = [v.path for v, g in zip(variables, gradients) if g is None]
    return model, inputs, outputs, dead


def test_every_name_of_the_house_is_registered():
    assert set(HOUSE_NAMES) <= set(list_models())


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="`name` must be one of two_att_two_mt"):
        create_model("two_att")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n in FIRST_ROWS.values() else pytest.mark.slow)
        for n in MODELS
    ],
)
def test_inputs_and_outputs(name):
    model, _, outputs, _ = evaluated(name)
    assert model.name == name
    assert model.inputs[0].name == "image"
    assert {value.dtype for value in outputs.values()} == {tf.float32}
    assert all(np.isfinite(value).all() for value in outputs.values())
    sizes = {key: tuple(value.shape) for key, value in outputs.items()}
    heads = HEADS.get(MODELS[name].builder.__name__, {"expression"})
    assert sizes.keys() == OF_ONE_TASK.get(name, heads)
    if "region_masks" in sizes:
        regions = sizes.pop("region_masks")
        assert (len(regions), regions[0], regions[3]) == (4, 3, 8)
    expected = {**OUTPUTS, "expression": EXPRESSIONS.get(name, OUTPUTS["expression"])}
    assert sizes == {key: (3, expected[key]) for key in sizes}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_trainable_variable_is_reachable(name):
    assert not evaluated(name)[-1]


@pytest.mark.parametrize("name", MODELS)
def test_layers_are_named(name):
    """A name that Keras counts up changes with what was built before."""
    for layer in evaluated(name)[0].layers:
        automatic = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(layer).__name__)
        assert not re.fullmatch(automatic.lower() + r"_\d+", layer.name), layer.name


@pytest.mark.slow
@each_builder
def test_saved_model_is_the_same_model(name, tmp_path):
    model, inputs, outputs, _ = evaluated(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    for key, value in loaded(inputs, training=False).items():
        np.testing.assert_array_equal(value, outputs[key])


@pytest.mark.slow
@each_builder
def test_a_prediction_does_not_depend_on_its_batch(name):
    model, inputs, outputs, _ = evaluated(name)
    alone = model(keras.tree.map_structure(lambda x: x[1:2], inputs), training=False)
    for key, value in alone.items():
        np.testing.assert_allclose(value, outputs[key][1:2], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@each_builder
def test_xla_equals_eager(name):
    model, inputs, outputs, _ = evaluated(name)
    compiled = tf.function(lambda x: model(x, training=False), jit_compile=True)
    for key, value in compiled(inputs).items():
        np.testing.assert_allclose(value, outputs[key], rtol=1e-4, atol=1e-4)


@each_builder
def test_outputs_are_float32_in_half_precision(name):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        outputs = build(name).output
    finally:
        keras.config.set_dtype_policy(policy)
    assert {value.dtype for value in outputs.values()} == {"float32"}


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("vgg19_fer", dict(widht=1), "vgg19_fer has no argument 'widht'; it has"),
        ("vgg19_fer", dict(input_shape=(48, 48)), r"Received: input_shape=\(48, 48\)"),
        ("vgg19_fer", dict(width="x"), "`width` must be positive. Received: width='x'"),
        ("two_att_two_mt", dict(input_shape=(4, 4, 1)), "sides of at least 16"),
        ("gan_vgg16", dict(input_shape=(8, 8, 3)), "sides of at least 32"),
        ("gan_man", dict(input_shape=(64, 64, 3)), "at least 96"),
    ],
)
def test_what_cannot_be_built_is_said(name, overrides, message):
    with pytest.raises(ValueError, match=message):
        create_model(name, **overrides)
