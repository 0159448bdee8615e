import h5py
import keras
import numpy as np
import pytest

from fer_tf.convert import vgg_face
from fer_tf.models import gan2020

# As published: layer, its inputs and its filters; then what Gan re-initialises.
CONVOLUTIONS = {
    "conv1_1": (3, 64), "conv1_2": (64, 64),
    "conv2_1": (64, 128), "conv2_2": (128, 128),
    "conv3_1": (128, 256), "conv3_2": (256, 256), "conv3_3": (256, 256),
    "conv4_1": (256, 512), "conv4_2": (512, 512), "conv4_3": (512, 512),
    "conv5_1": (512, 512), "conv5_2": (512, 512), "conv5_3": (512, 512),
}  # fmt: skip
KERAS_2 = ("{}/kernel:0", "{}/bias:0")
KERAS_1 = ("{}_W_1:0", "{}_b_1:0")


def published(width=1):
    """Numbers that tell every weight of every layer from every other."""
    layers = {}
    for number, (name, (inputs, filters)) in enumerate(CONVOLUTIONS.items()):
        inputs = inputs if inputs == 3 else int(inputs * width)
        filters = int(filters * width)
        kernel = np.arange(9 * inputs * filters, dtype="float32")
        kernel = (kernel + number).reshape(3, 3, inputs, filters) / 1e6
        layers[name] = [kernel, np.full(filters, number + 0.5, "float32")]
    return layers


def write(path, layers, names=KERAS_2):
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [n.encode() for n in ("input_1", *layers, "pool5")]
        file.create_group("input_1").attrs["weight_names"] = []
        file.create_group("pool5").attrs["weight_names"] = []
        for layer, arrays in layers.items():
            group = file.create_group(layer)
            full = [pattern.format(layer) for pattern in names]
            group.attrs["weight_names"] = [n.encode() for n in full]
            for name, array in zip(full, arrays):
                group[name] = array


@pytest.fixture(scope="module")
def model():
    """An eighth of the width: the same names, shapes that scale."""
    return gan2020.gan_man(input_shape=(96, 96, 3), width=1 / 8)


@pytest.mark.parametrize("names", [KERAS_2, KERAS_1])
def test_convolutions_arrive_and_nothing_else_moves(names, model, tmp_path):
    layers = published(1 / 8)
    dense = {f"fc{i}": [np.zeros((4, 4)), np.zeros(4)] for i in (6, 7, 8)}
    write(tmp_path / "w.h5", {**layers, **dense}, names)
    before = {v.path: v.numpy() for v in model.variables}
    vgg_face.load_vgg_face(model, tmp_path / "w.h5")
    pixels = model.get_layer("preprocess")
    assert pixels.mean == [93.5940, 104.7624, 129.1863]
    assert pixels.channel_order == "bgr"
    for variable in model.variables:
        layer, kind = variable.path.rsplit("/", 1)
        expected = before[variable.path]
        if layer in layers:
            expected = layers[layer][kind == "bias"]
        np.testing.assert_array_equal(variable.numpy(), expected, err_msg=layer)


def test_names_and_shapes_are_those_of_the_published_file():
    """At full width, without the 500 MB of dense layers."""
    image = keras.Input((32, 32, 3))
    x = image
    for block in range(1, 6):
        x = gan2020.vgg16.convolution_block(x, block)
    shapes = {v.path: tuple(v.shape) for v in keras.Model(image, x).variables}
    assert shapes == {
        f"{name}/{kind}": shape
        for name, (inputs, filters) in CONVOLUTIONS.items()
        for kind, shape in (("kernel", (3, 3, inputs, filters)), ("bias", (filters,)))
    }


def drop(layers):
    del layers["conv4_2"]


def add(layers):
    layers["conv6_1"] = layers["conv5_3"]


def transpose(layers):
    layers["conv1_1"][0] = layers["conv1_1"][0].transpose(3, 2, 0, 1)


@pytest.mark.parametrize(
    "damage, message",
    [
        (drop, "conv4_2/kernel is missing"),
        (add, "no layers conv6_1"),
        (transpose, "conv1_1/kernel must have shape"),
    ],
)
def test_anything_unexpected_is_an_error(damage, message, model, tmp_path):
    layers = published(1 / 8)
    damage(layers)
    write(tmp_path / "w.h5", layers)
    before = [v.numpy() for v in model.variables]
    with pytest.raises(ValueError, match=message):
        vgg_face.load_vgg_face(model, tmp_path / "w.h5")
    pixels = model.get_layer("preprocess")
    assert pixels.mean == [93.5940, 104.7624, 129.1863]
    assert pixels.channel_order == "bgr"
    for variable, value in zip(model.variables, before):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_unknown_weight_and_wrong_digest(model, tmp_path):
    layers = published(1 / 8)
    write(tmp_path / "w.h5", layers, ("{}/kernel:0", "{}/gamma:0"))
    with pytest.raises(ValueError, match="a kernel and a bias.*gamma"):
        vgg_face.load_vgg_face(model, tmp_path / "w.h5")
    with pytest.raises(ValueError, match="sha256"):
        vgg_face.load_vgg_face(model, tmp_path / "w.h5", sha256="0" * 64)
