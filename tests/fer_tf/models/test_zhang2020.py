import keras
import numpy as np
import pytest

from fer_tf.models import create_model
from fer_tf.models.zhang2020 import mtanet

BLOCKS = (3, 4, 6, 3)
# Two branches 2048 -> 512, then 2 + 8 + 7 outputs from 1024, all with biases.
HEAD = 2 * (2048 * 512 + 512) + 1024 * 17 + 17


def conv_bn(area, inputs, outputs):
    return area * inputs * outputs + 2 * outputs


def se_resnet50_parameters():
    total, inputs = conv_bn(49, 3, 64), 64
    for stage, blocks in enumerate(BLOCKS):
        width = 64 * 2**stage
        out = 4 * width
        for block in range(blocks):
            total += conv_bn(1, inputs, width) + conv_bn(9, width, width)
            total += conv_bn(1, width, out)
            total += 2 * out * (out // 16) + out // 16 + out  # the gate
            total += conv_bn(1, inputs, out) if block == 0 else 0
            inputs = out
    return total


def resnext50_parameters(cbam):
    total, inputs = conv_bn(49, 3, 64), 64
    for stage, blocks in enumerate(BLOCKS):
        width = 32 * 4 * 2**stage
        out = 2 * width
        for block in range(blocks):
            total += conv_bn(1, inputs, width) + conv_bn(9, width // 32, width)
            total += conv_bn(1, width, out)
            if cbam:
                total += 2 * out * (out // 16) + out // 16 + out  # channels
                total += conv_bn(49, 2, 1)  # places
            total += conv_bn(1, inputs, out) if block == 0 else 0
            inputs = out
    return total


def test_published_sizes_of_the_backbones():
    """With a 1000-way classifier, as torchvision and the SENet paper's model."""
    classifier = 2048 * 1000 + 1000
    assert se_resnet50_parameters() == 28_088_024 - classifier == 26_039_024
    assert resnext50_parameters(cbam=False) == 25_028_904 - classifier


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, trainable",
    [
        ("mtanet_senet50", se_resnet50_parameters() + HEAD),
        ("mtanet_resnext50", resnext50_parameters(cbam=False) + HEAD),
        ("mtanet_resnext50_cbam", resnext50_parameters(cbam=True) + HEAD),
    ],
)
def test_parameters_and_maps(name, trainable):
    model = create_model(name)
    count = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert count == trainable
    if name == "mtanet_senet50":
        # A mean and a variance of each of its 26,560 normalised channels.
        assert model.count_params() == trainable + 2 * 26_560 == 28_207_745
    maps = [f"conv{stage}_{blocks}_relu" for stage, blocks in enumerate(BLOCKS, 2)]
    shapes = [model.get_layer(name).output.shape[1:] for name in maps]
    assert shapes == [(28, 28, 256), (14, 14, 512), (7, 7, 1024), (4, 4, 2048)]
    assert model.get_layer("shared").output.shape == (None, 1024)


def small(backbone="senet50", **overrides):
    arguments = {"input_shape": (48, 48, 3), "width": 0.125, **overrides}
    return mtanet(backbone=backbone, **arguments)


def faces(count):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (count, 48, 48, 3)).astype("float32")


def test_overrides():
    model = small(
        num_classes=8,
        num_action_units=5,
        head_hidden=(64, 32),
        valence_arousal_activation="tanh",
    )
    outputs = model(1e3 * faces(2))
    shapes = {name: tuple(value.shape) for name, value in outputs.items()}
    assert shapes == {
        "expression": (2, 8),
        "valence_arousal": (2, 2),
        "action_units": (2, 5),
    }
    assert np.abs(np.asarray(outputs["valence_arousal"])).max() <= 1
    assert model.get_layer("action_units_hidden2").units == 8  # 32 / 8, at least 8


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"backbone": "vgg16"}, "`backbone` must be one of senet50"),
        ({"valence_arousal_activation": "relu"}, "one of None, tanh"),
        ({"input_shape": (48, 48, 1)}, "three channels"),
        ({"input_shape": (48, 31, 3)}, "at least 32"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(**arguments)


def test_spatial_gates_start_at_one_half():
    model = small("resnext50_cbam")
    gate = model.get_layer("conv3_2_spatial_gate").output
    values = keras.Model(model.input, gate)(faces(1), training=False)
    np.testing.assert_array_equal(values, np.full((1, 6, 6, 1), 0.5))


def test_branches_pool_and_drop():
    """In training half of the 1024 are dropped; in inference none are."""
    model = small(dropout_rate=0.5)
    shared = keras.Model(model.input, model.get_layer("shared").output)
    after = keras.Model(model.get_layer("conv5_3_relu").output, shared.output)
    maps = 1 + np.abs(np.random.default_rng(0).normal(size=(64, 2, 2, 256)))
    kept, dropped = (np.asarray(after(maps, training=t)) for t in (False, True))
    assert kept.min() == 0  # ReLU before the dropout
    positive = kept > 0
    zero = dropped[positive] == 0
    assert 0.4 < zero.mean() < 0.6
    np.testing.assert_allclose(
        dropped[positive][~zero], 2 * kept[positive][~zero], rtol=1e-5
    )
    features = keras.Model(model.input, model.get_layer("conv5_3_relu").output)
    maps = np.asarray(features(faces(2), training=False))
    expected = [
        np.maximum(
            pooled @ np.asarray(model.get_layer(f"{branch}_dense").kernel)
            + np.asarray(model.get_layer(f"{branch}_dense").bias),
            0,
        )
        for branch, pooled in (
            ("average", maps.mean((1, 2))),
            ("max", maps.max((1, 2))),
        )
    ]
    actual = shared(faces(2), training=False)
    expected = np.concatenate(expected, axis=-1)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "backbone",
    [
        "senet50",
        *(
            pytest.param(backbone, marks=pytest.mark.long)
            for backbone in ("resnext50", "resnext50_cbam")
        ),
    ],
)
def test_overfits_one_batch(backbone):
    keras.utils.set_random_seed(0)
    model = small(backbone, input_shape=(32, 32, 3), dropout_rate=0.0)
    model.compile(
        keras.optimizers.Adam(3e-3),
        loss={
            "expression": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "valence_arousal": "mse",
            "action_units": keras.losses.BinaryCrossentropy(from_logits=True),
        },
        jit_compile=False,
    )
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 255, (8, 32, 32, 3)).astype("float32")
    labels = {
        "expression": np.arange(8) % 7,
        "valence_arousal": rng.uniform(-1, 1, (8, 2)),
        "action_units": rng.integers(0, 2, (8, 8)),
    }
    first = model.train_on_batch(image, labels)[0]
    for _ in range(30):
        last = model.train_on_batch(image, labels)[0]
    assert last < 0.1 * first
