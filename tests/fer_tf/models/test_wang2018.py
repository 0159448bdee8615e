import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.models.wang2018 import VARIANTS, two_att_two_mt

# Parameters on paper: a convolution is k * k * in * out (+ out), BN 4 a channel.
TRUNK = (25 * 64 + 64) + (25 * 64 * 192 + 192) + (9 * 192 * 384 + 384)
TRUNK += (9 * 384 * 384 + 384) + (9 * 384 * 256 + 256)
LEVELS = (64 + 1) * 128 + (192 + 1) * 128 + (256 + 1) * 128
RNN = 2 * (128 * 128 + 128 * 128 + 128)
SEQUENCE = 3 * 2 * 128


def unit(c):
    q = c // 4
    return 4 * c + c * q + 4 * q + 9 * q * q + 4 * q + q * c


def block(c, depth):
    """Units of the trunk path, of the mask (r each way, 2r below, a skip), gate."""
    units = 4 + (2 + 3 * (depth - 1))
    return units * unit(c) + 2 * (4 * c + c * c)


def heads(features, dimensional, categorical, targets=2):
    count = (features + 1) * dimensional
    if categorical:
        count += (features + 1) * categorical + (categorical + 1) * 7
    return count + targets * (dimensional + categorical + 1)


BLOCKS = (block(64, 2), block(192, 1), block(256, 1))
SECOND = LEVELS + RNN
COUNTS = {
    "two_att_two_mt": SECOND + sum(BLOCKS[:2]) + heads(SEQUENCE, 256, 128),
    "two_att_two_mt_1block": SECOND + BLOCKS[0] + heads(SEQUENCE, 256, 128),
    "two_att_two_mt_3block": SECOND + sum(BLOCKS) + heads(SEQUENCE, 256, 128),
    "two_att_two_mt_128_128": SECOND + sum(BLOCKS[:2]) + heads(SEQUENCE, 128, 128),
    "two_att_two_mt_256_256": SECOND + sum(BLOCKS[:2]) + heads(SEQUENCE, 256, 256),
    "two_att_mt": SECOND + sum(BLOCKS[:2]) + heads(SEQUENCE, 256, 0),
    "two_att_cnn_valence": SECOND + sum(BLOCKS[:2]) + heads(SEQUENCE, 256, 0, 1),
    "two_att_cnn_arousal": SECOND + sum(BLOCKS[:2]) + heads(SEQUENCE, 256, 0, 1),
    "first_level": sum(BLOCKS[:2]) + heads(6 * 6 * 256, 256, 0),
    "multitask_cnn": heads(6 * 6 * 256, 256, 0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_parameters(name):
    assert VARIANTS[name]().count_params() == TRUNK + COUNTS[name]


def test_parameters_without_blocks_are_the_specifications():
    count = two_att_two_mt(attention_blocks=0).count_params()
    assert count == TRUNK + SECOND + heads(SEQUENCE, 256, 128) == 3_614_153


def resolved(name):
    parameters = inspect.signature(two_att_two_mt).parameters.values()
    return {p.name: p.default for p in parameters} | dict(VARIANTS[name].arguments)


@pytest.mark.parametrize(
    "names, varied",
    [
        # Tables 1 to 4.
        ("multitask_cnn first_level two_att_mt", "attention_blocks levels"),
        ("two_att_two_mt_1block two_att_two_mt two_att_two_mt_3block",
         "attention_blocks"),
        ("two_att_cnn_valence two_att_cnn_arousal two_att_mt two_att_two_mt",
         "target categorical_units"),
        ("two_att_two_mt_128_128 two_att_two_mt two_att_two_mt_256_256",
         "dimensional_units categorical_units"),
    ],
)  # fmt: skip
def test_a_tables_rows_differ_in_what_the_table_varies(names, varied):
    rows = [resolved(name) for name in names.split()]
    differ = {key for key in rows[0] if len({row[key] for row in rows}) > 1}
    assert differ == set(varied.split())


def test_attention_maps_have_their_names_sizes_and_ranges():
    keras.utils.set_random_seed(0)
    model = two_att_two_mt(attention_blocks=3, width=0.125)
    names = ["attention1_mask", "attention2_mask", "attention3_mask"]
    names += ["level_attention"]
    maps = keras.Model(model.input, [model.get_layer(n).output for n in names])
    images = np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 1))
    *masks, levels = (keras.ops.convert_to_numpy(m) for m in maps(images))
    sizes = [(2, 24, 24, 8), (2, 12, 12, 24), (2, 6, 6, 32)]
    assert [m.shape for m in masks] == sizes
    # A sigmoid of an untrained network may round to 1.
    assert all(0 <= m.min() < m.max() <= 1 for m in masks)
    assert levels.shape == (2, 3, 3)
    np.testing.assert_allclose(levels.sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize("levels, count", [("stages", 3), ("blocks", 2)])
def test_levels_are_the_stages_or_the_blocks(levels, count):
    model = two_att_two_mt(levels=levels, width=0.125)
    assert model.get_layer("level_attention").output.shape == (None, count, count)


def test_one_block_alone_attends_to_itself():
    model = two_att_two_mt(levels="blocks", attention_blocks=1, width=0.125)
    attention = keras.Model(model.input, model.get_layer("level_attention").output)
    np.testing.assert_array_equal(attention(np.zeros((1, 48, 48, 1))), [[[1]]])


@pytest.mark.parametrize("cell, gates", [("simple", 1), ("gru", 3), ("lstm", 4)])
def test_recurrent_cells(cell, gates):
    model = two_att_two_mt(rnn_cell=cell, width=0.125)
    kernels = [w for w in model.get_layer("level_rnn").weights if "kernel" in w.name]
    assert {w.shape for w in kernels} == {(16, gates * 16)}
    assert model.get_layer("level_rnn").output.shape == (None, 3, 32)


@pytest.mark.slow
def test_a_mask_without_skips_has_a_unit_less():
    with_skip, without = (two_att_two_mt(skip=s) for s in (True, False))
    assert with_skip.count_params() - without.count_params() == unit(64)


def test_fully_connected_layers_of_alexnet():
    model = VARIANTS["multitask_cnn"](fc_units=(4096, 4096), widths="alexnet")
    assert model.get_layer("fc6").kernel.shape == (6 * 6 * 256, 4096)
    assert model.get_layer("fc7_dropout").rate == 0.5
    assert model.get_layer("stage1_conv1").kernel.shape == (5, 5, 1, 96)


def test_initial_weights_are_he_for_convolutions_and_xavier_for_dense():
    keras.utils.set_random_seed(0)
    model = two_att_two_mt(width=0.5)
    kernel = keras.ops.convert_to_numpy(model.get_layer("stage3_conv2").kernel)
    fan_in = np.prod(kernel.shape[:3])
    np.testing.assert_allclose(kernel.std(), np.sqrt(2 / fan_in), rtol=0.01)
    kernel = keras.ops.convert_to_numpy(model.get_layer("dimensional").kernel)
    limit = np.sqrt(6 / sum(kernel.shape))
    assert 0.99 * limit < np.abs(kernel).max() <= limit


def test_pixels_are_scaled_inside():
    images = np.array([0, 127.5, 255], "float32").reshape(3, 1, 1, 1)
    for pixel_range, expected in (((-1, 1), [-1, 0, 1]), ((0, 1), [0, 0.5, 1])):
        model = VARIANTS["multitask_cnn"](pixel_range=pixel_range, width=0.125)
        scaled = model.get_layer("scale_pixels")(images)
        np.testing.assert_allclose(np.ravel(scaled), expected, atol=1e-6)


@pytest.mark.slow
def test_a_batch_can_be_learned_by_heart():
    keras.utils.set_random_seed(1)
    model = two_att_two_mt(width=0.125, input_shape=(16, 16, 1), attention_blocks=1)
    variables = model.trainable_variables
    optimizer = keras.optimizers.Adam(5e-3)
    optimizer.build(variables)
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (7, 16, 16, 1)).astype("float32")
    affect = rng.uniform(-1, 1, (7, 2)).astype("float32")

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            outputs = model(images, training=True)
            logits = tf.nn.log_softmax(outputs["expression"])
            loss = -tf.reduce_mean(tf.linalg.diag_part(logits))
            loss += tf.reduce_mean((outputs["valence_arousal"] - affect) ** 2)
        optimizer.apply(tape.gradient(loss, variables), variables)

    for _ in range(120):
        step()
    # What it learned with batch statistics must hold with the averages, too.
    predictions = model(images, training=False)
    np.testing.assert_array_equal(tf.argmax(predictions["expression"], -1), range(7))
    np.testing.assert_allclose(predictions["valence_arousal"], affect, atol=0.2)


@pytest.mark.parametrize(
    "argument, value",
    [
        ("attention_blocks", 4),
        ("levels", "block"),
        ("combine", "product"),
        ("target", "dominance"),
        ("widths", "vgg"),
        ("rnn_cell", "rnn"),
        ("fc_units", (4096,)),
    ],
)
def test_wrong_arguments_are_named(argument, value):
    with pytest.raises(ValueError, match=rf"`{argument}` must .*Received: {argument}="):
        two_att_two_mt(**{argument: value})


def test_levels_of_blocks_need_a_block():
    with pytest.raises(ValueError, match="`levels` must be 'stages' or None"):
        two_att_two_mt(levels="blocks", attention_blocks=0)


@pytest.mark.slow
def test_activated_blocks_start_where_tukeys_loss_has_a_slope():
    """As cited, the outputs start beyond its cut-off of 4.685, where it is flat."""
    faces = np.random.default_rng(0).uniform(0, 255, (32, 48, 48, 1))
    faces = np.round(faces).astype("float32")
    distance = {}
    for activate in (False, True):
        found = []
        for seed in range(3):
            keras.utils.set_random_seed(seed)
            model = VARIANTS["first_level"](width=0.125, activate_blocks=activate)
            outputs = model(faces, training=True)["valence_arousal"]
            found.append(np.abs(np.asarray(outputs)).mean())
        distance[activate] = np.median(found)
    assert distance[True] < 4.685 / 2 < 4.685 < distance[False]
