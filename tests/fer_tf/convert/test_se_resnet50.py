"""Files under the published names and shapes; the numbers are drawn."""

import hashlib

import h5py
import numpy as np
import pytest

from fer_tf.convert.se_resnet50 import from_keras_vggface, from_pytorch, load_vggface2
from fer_tf.models import create_model
from fer_tf.models.se_resnet50 import MEAN_BGR, se_resnet50

# (bottlenecks, width) of the stages conv2 .. conv5, layer1 .. layer4.
STAGES = ((3, 64), (4, 128), (6, 256), (3, 512))


def torch_shapes():
    """The state dict of VGGFace2-pytorch's senet50, from its module tree."""

    def bn(name, channels):
        keys = ("weight", "bias", "running_mean", "running_var")
        return {f"{name}.{key}": (channels,) for key in keys}

    shapes = {"conv1.weight": (64, 3, 7, 7), **bn("bn1", 64)}
    inputs = 64
    for layer, (blocks, planes) in enumerate(STAGES, start=1):
        for i in range(blocks):
            block, out, squeezed = f"layer{layer}.{i}", 4 * planes, planes // 4
            shapes |= {
                f"{block}.conv1.weight": (planes, inputs, 1, 1),
                **bn(f"{block}.bn1", planes),
                f"{block}.conv2.weight": (planes, planes, 3, 3),
                **bn(f"{block}.bn2", planes),
                f"{block}.conv3.weight": (out, planes, 1, 1),
                **bn(f"{block}.bn3", out),
                f"{block}.conv4.weight": (squeezed, out, 1, 1),
                f"{block}.conv4.bias": (squeezed,),
                f"{block}.conv5.weight": (out, squeezed, 1, 1),
                f"{block}.conv5.bias": (out,),
            }
            if i == 0:
                shapes[f"{block}.downsample.0.weight"] = (out, inputs, 1, 1)
                shapes |= bn(f"{block}.downsample.1", out)
            inputs = out
    return {**shapes, "fc.weight": (8631, 2048), "fc.bias": (8631,)}


@pytest.fixture(scope="module")
def state():
    rng = np.random.default_rng(0)
    state = {k: rng.random(s, dtype="float32") for k, s in torch_shapes().items()}
    state["bn1.num_batches_tracked"] = np.array(7)
    return state


KERAS_PARTS = {
    "conv1": "1x1_reduce",
    "bn1": "1x1_reduce/bn",
    "conv2": "3x3",
    "bn2": "3x3/bn",
    "conv3": "1x1_increase",
    "bn3": "1x1_increase/bn",
    "conv4": "1x1_down",
    "conv5": "1x1_up",
    "downsample.0": "1x1_proj",
    "downsample.1": "1x1_proj/bn",
}
STEM = {"conv1": "conv1/7x7_s2", "bn1": "conv1/7x7_s2/bn", "fc": "classifier"}
KERAS_BN = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def as_keras_vggface(state):
    """The same numbers, under the names and in the order of keras-vggface."""
    layers = {}
    for name, array in state.items():
        module, key = name.rsplit(".", 1)
        if key == "num_batches_tracked":
            continue
        if module.startswith("layer"):
            stage, block, part = module[5:].split(".", 2)
            layer = f"conv{int(stage) + 1}_{int(block) + 1}_{KERAS_PARTS[part]}"
        else:
            layer = STEM[module]
        if layer.endswith("/bn"):
            key = KERAS_BN[key]
        elif key == "weight":
            key = "kernel"
            array = array.transpose((2, 3, 1, 0) if array.ndim == 4 else (1, 0))
        layers.setdefault(layer, {})[key] = array
    return layers


def write_h5(path, layers):
    with h5py.File(path, "w") as file:
        names = ["input_1", *layers]
        file.attrs["layer_names"] = [name.encode() for name in names]
        for layer in names:
            group = file.require_group(layer)
            weights = layers.get(layer, {})
            group.attrs["weight_names"] = [f"{layer}/{w}:0".encode() for w in weights]
            for weight, array in weights.items():
                group[f"{layer}/{weight}:0"] = array


@pytest.fixture(scope="module")
def model():
    return create_model("mtanet_senet50", input_shape=(64, 64, 3))


def check_weights(model, state):
    """A weight of each kind is where the published graph has it."""
    ours = {weight.path: np.asarray(weight) for weight in model.weights}
    equal = np.testing.assert_array_equal
    equal(ours["conv1/kernel"][2, 5, 1, 9], state["conv1.weight"][9, 1, 2, 5])
    equal(ours["conv1_bn/moving_variance"], state["bn1.running_var"])
    equal(ours["conv3_1_proj_bn/gamma"], state["layer2.0.downsample.1.weight"])
    equal(ours["conv4_6_down/kernel"], state["layer3.5.conv4.weight"][:, :, 0, 0].T)
    equal(ours["conv5_3_up/bias"], state["layer4.2.conv5.bias"])
    equal(ours["conv5_3_increase_bn/beta"], state["layer4.2.bn3.bias"])
    backbone = sum(a.size for path, a in ours.items() if path.startswith("conv"))
    sizes = (a.size for name, a in state.items() if name[:2] != "fc" and a.ndim)
    assert backbone == sum(sizes)


@pytest.mark.parametrize("kind", ["h5", "safetensors"])
def test_loads_the_published_names(kind, state, model, tmp_path, capsys):
    path = tmp_path / f"senet50.{kind}"
    if kind == "h5":
        write_h5(path, as_keras_vggface(state))
    else:
        reason = "needs the extra `convert`"
        pytest.importorskip("safetensors.numpy", reason=reason).save_file(state, path)
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    load_vggface2(model, path, sha256=digest)
    assert capsys.readouterr().out.startswith(digest)
    assert MEAN_BGR == (91.4953, 103.8827, 131.0912)
    check_weights(model, state)
    assert not np.asarray(model.get_layer("expression").kernel).any()


def test_published_sizes(state):
    """28,088,024 with ImageNet's 1000 classes, less those classes' layer."""
    averages = sum(a.size for name, a in state.items() if ".running_" in name)
    size = sum(a.size for name, a in state.items() if name[:2] != "fc" and a.ndim)
    assert size - averages == 28_088_024 - (2048 * 1000 + 1000)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda s: s.pop("layer2.3.bn3.bias"), "must hold 'layer2.3.bn3.bias'"),
        (lambda s: s.update({"layer1.0.conv6.bias": np.ones(1)}), "does not hold"),
        (
            lambda s: s.update({"layer1.0.conv4.weight": np.ones((16, 256))}),
            "1x1 convolution",
        ),
        (lambda s: s.update({"conv1.weight": np.ones((64, 3))}), "a convolution's"),
    ],
)
def test_refuses_another_state_dict(change, message, state):
    damaged = dict(state)
    change(damaged)
    with pytest.raises(ValueError, match=message):
        from_pytorch(damaged)


def test_refuses_another_keras_file(state):
    layers = as_keras_vggface(state)
    with pytest.raises(ValueError, match="does not hold conv6_1/kernel"):
        from_keras_vggface({**layers, "conv6_1": {"kernel": np.ones(1)}})
    del layers["conv2_1_1x1_up"]
    with pytest.raises(ValueError, match="must hold 'conv2_1_1x1_up/kernel'"):
        from_keras_vggface(layers)


def test_refuses_another_model_or_ending(state, tmp_path):
    path = tmp_path / "senet50.h5"
    write_h5(path, as_keras_vggface(state))
    with pytest.raises(ValueError, match="must have shape"):
        load_vggface2(se_resnet50(width=0.125, input_shape=(32, 32, 3)), path)
    with pytest.raises(ValueError, match="must end in .h5 or .safetensors"):
        load_vggface2(None, tmp_path / "senet50_ft_weight.pkl")
