import keras
import numpy as np
import pytest

from fer_tf.layers.attended_conv2d import AttendedConv2D

SHAPES = {"one": [(5, 5, 7)], "three": [(11, 11, 4), (5, 3, 6), (2, 2, 3)]}


def _enlarge(maps, height, width):
    """Bilinear, half-pixel centres, one output pixel at a time."""
    _, h, w, _ = maps.shape
    out = np.zeros((len(maps), height, width, maps.shape[-1]))
    for y in range(height):
        for x in range(width):
            sy = min(max((y + 0.5) * h / height - 0.5, 0), h - 1)
            sx = min(max((x + 0.5) * w / width - 0.5, 0), w - 1)
            y0, x0 = int(sy), int(sx)
            y1, x1 = min(y0 + 1, h - 1), min(x0 + 1, w - 1)
            top = maps[:, y0, x0] * (1 - sx + x0) + maps[:, y0, x1] * (sx - x0)
            low = maps[:, y1, x0] * (1 - sx + x0) + maps[:, y1, x1] * (sx - x0)
            out[:, y, x] = top * (1 - sy + y0) + low * (sy - y0)
    return out


def _planes(image, maps, combine):
    u = np.concatenate([_enlarge(m, *image.shape[1:3]) for m in maps], axis=-1)
    if combine == "concat":
        return np.concatenate([image, u], axis=-1)
    u = u + (combine == "residual_product")
    planes = [
        u[..., c] * image[..., j]
        for c in range(u.shape[-1])
        for j in range(image.shape[-1])
    ]
    return np.stack(planes, axis=-1)


def _convolve(x, kernel, bias):
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    y = np.zeros((*x.shape[:3], kernel.shape[-1]))
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            y[:, i, j] = np.tensordot(padded[:, i : i + 3, j : j + 3], kernel, 3)
    return y + bias


def _inputs(shapes, channels):
    rng = np.random.default_rng(0)
    shapes = [(11, 9, channels), *shapes]
    return [rng.normal(size=(2, *shape)).astype("float32") for shape in shapes]


@pytest.mark.parametrize("combine", ["concat", "product", "residual_product"])
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_convolving_the_planes(combine, shapes, channels):
    image, *maps = inputs = _inputs(SHAPES[shapes], channels)
    layer = AttendedConv2D(5, combine=combine, bias_initializer="normal")
    y = keras.ops.convert_to_numpy(layer(inputs))
    kernel, bias = layer.get_weights()
    planes = _planes(image, maps, combine)
    assert kernel.shape == (3, 3, planes.shape[-1], 5)
    expected = _convolve(planes, kernel, bias)
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_enlarges_as_the_resizing_layer_does():
    maps = _inputs([(5, 5, 7)], 1)[1]
    resized = keras.layers.Resizing(44, 44, interpolation="bilinear")(maps)
    resized = keras.ops.convert_to_numpy(resized)
    np.testing.assert_allclose(resized, _enlarge(maps, 44, 44), atol=1e-5)


@pytest.mark.parametrize("combine", ["concat", "residual_product"])
def test_gradient_is_the_convolutions(combine):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients through tf.GradientTape")
    image, maps = _inputs(SHAPES["one"], 1)
    layer = AttendedConv2D(5, combine=combine)
    layer.build([image.shape, maps.shape])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer([image, maps]) ** 2)
    gradient = tape.gradient(loss, layer.kernel.value)
    planes = tf.constant(_planes(image, [maps], combine), "float32")
    with tf.GradientTape() as tape:
        tape.watch(kernel := tf.constant(layer.kernel.value))
        loss = tf.reduce_sum(tf.nn.conv2d(planes, kernel, 1, "SAME") ** 2)
    np.testing.assert_allclose(
        gradient, tape.gradient(loss, kernel), rtol=1e-4, atol=1e-3
    )


def test_config_and_arguments():
    layer = AttendedConv2D(5, combine="concat", use_bias=False)
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
    for one in (layer, copy):
        one.build([(None, 44, 44, 1), (None, 5, 5, 512)])
        assert one.count_params() == 9 * 513 * 5
    with pytest.raises(ValueError, match="Received: combine='sum'"):
        AttendedConv2D(5, combine="sum")
    with pytest.raises(ValueError, match="Received: kernel_size=4"):
        AttendedConv2D(5, 4, combine="concat")
