"""What only training shows: where weights start, dropout, moving averages."""

import keras
import numpy as np
import pytest

from fer_tf.models import create_model


def small(name, size=96, channels=3):
    shape = (size, size, channels)
    return create_model(name, width=0.125, input_shape=shape)


def fan_in(kernel):
    return int(np.prod(kernel.shape[:-1]))


def test_gans_networks_start_as_caffes_xavier():
    """Uniform, of the variance 1 / fan_in: within the root of 3 / fan_in."""
    keras.utils.set_random_seed(0)
    model = small("gan_vgg16")
    for name in ("conv3_2", "conv5_3", "fc6", "fc7"):
        kernel, bias = (np.asarray(w) for w in model.get_layer(name).weights)
        limit = np.sqrt(3 / fan_in(kernel))
        assert np.abs(kernel).max() == pytest.approx(limit, rel=0.01)
        assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
        assert not bias.any()


@pytest.mark.parametrize("name", ["vgg19_fer", "meen_model3_facial"])
def test_vgg19_starts_as_pytorchs(name):
    keras.utils.set_random_seed(0)
    model = create_model(name, width=0.125)
    for number in (1, 2, 3, 4):
        layer = model.get_layer(f"block4_conv{number}")
        kernel, bias = (np.asarray(w) for w in layer.weights)
        limit = 1 / np.sqrt(fan_in(kernel))
        assert np.abs(kernel).max() == pytest.approx(limit, rel=0.01)
        assert 0.8 * limit < np.abs(bias).max() <= limit


@pytest.mark.parametrize(
    "name, layer",
    [("mtanet_senet50", "conv4_2_3x3"), ("mtanet_resnext50", "conv4_2_grouped")],
)
def test_residual_networks_start_as_pytorchs(name, layer):
    """Normal, of the variance 2 / (area * filters)."""
    keras.utils.set_random_seed(0)
    kernel = np.asarray(small(name, 32).get_layer(layer).kernel)
    assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * kernel.shape[-1])), rel=0.05)
    assert np.abs(kernel).max() > 2.5 * kernel.std()  # Not cut off.


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, rates",
    [
        ("mtanet_senet50", {"average_dropout": 0.5, "max_dropout": 0.5}),
        ("gan_vgg16", {"fc6_dropout": 0.5, "fc7_dropout": 0.5}),
        ("gan_man", {"fc6_dropout": 0.5, "fc7_dropout": 0.5}),
        ("vgg19_fer", {"dropout": 0.5}),
        ("meen_model1_all", {"dropout": 0.5}),
        ("small_resnet", {"dropout": 0.2}),
        ("two_att_two_mt", {}),
    ],
)
def test_dropout(name, rates):
    model = create_model(name, width=0.125)
    found = {
        x.name: x.rate for x in model.layers if isinstance(x, keras.layers.Dropout)
    }
    assert found == rates


@pytest.mark.parametrize(
    "name",
    ["two_att_two_mt", "mtanet_senet50", "mtanet_resnext50_cbam", "vgg19_fer",
     "small_resnet"],
)  # fmt: skip
def test_moving_averages_keep_nine_tenths(name):
    """PyTorch's momentum of 0.1; the gate of CBAM's authors has 0.01."""
    model = create_model(name, width=0.125)
    kept = {
        layer.name: (layer.momentum, layer.epsilon)
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    gates = {layer for layer in kept if "spatial" in layer}
    assert len(gates) == (16 if name.endswith("cbam") else 0)
    assert {kept[layer] for layer in kept.keys() - gates} == {(0.9, 1e-5)}
    assert {kept[layer] for layer in gates} <= {(0.99, 1e-5)}
