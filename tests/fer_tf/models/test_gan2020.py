import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import synthetic
from fer_tf.models import gan2020
from trainers.tables import runs

SMALL = {"input_shape": (96, 96, 3), "width": 1 / 8}


def images(count=2, side=96):
    return np.random.default_rng(0).uniform(0, 255, (count, side, side, 3))


def parameters(classes=7, *, side=224, width=1):
    """Every network's count on paper: kernels and biases, layer by layer."""

    def conv(kernel, inputs, filters):
        return (kernel * kernel * inputs + 1) * filters

    def n(units):
        return int(units * width)

    def half(length):
        return -(-length // 2)

    filters = [3] + [n(f) for f in (64, 128, 256, 512, 512)]
    vgg = sum(
        conv(3, filters[i], filters[i + 1])
        + (depth - 1) * conv(3, filters[i + 1], filters[i + 1])
        for i, depth in enumerate((2, 2, 3, 3, 3))
    )
    grid, c = side // 16, filters[4]
    fc = n(4096)
    vgg += conv(1, half(grid) ** 2 * filters[5], fc) + conv(1, fc, fc)
    vgg += conv(1, fc, classes)
    se = conv(1, c, c // 16) + conv(1, c // 16, c)
    branch = conv(1, c, n(64)) + conv(1, half(grid) ** 2 * n(64), 8)

    side = half((side - 3) // 3 + 1)
    side = half(half((side - 3) // 3 + 1) - 2)
    rasnet = conv(5, 3, n(64)) + conv(5, n(64), n(128)) + conv(3, n(128), n(128))
    rasnet += conv(1, side**2 * n(128), n(2048)) + conv(1, n(2048), 8 * grid**2)

    given = vgg + 8 * conv(1, c, c) + 8 * se + branch
    return {
        "gan_rasnet": rasnet,
        "gan_vgg16": vgg,
        "gan_vgg16_se": vgg + se,
        "given": given,
        "gan_man": given + rasnet,
    }


def test_parameters_on_paper():
    """4,864 + 204,928 + 147,584 + 1,050,624 + 3,212,832 is RASnet, and so on."""
    assert parameters() == {
        "gan_rasnet": 4_620_832,
        "gan_vgg16": 134_289_223,
        "gan_vgg16_se": 134_322_535,
        "given": 136_714_895,
        "gan_man": 141_335_727,
    }


def build(name, **arguments):
    if name == "given":
        name, arguments = "gan_man", {**arguments, "masks": "given"}
    return gan2020.VARIANTS[name](name=name, **arguments)


NAMES = ("gan_rasnet", "gan_vgg16", "gan_vgg16_se", "given", "gan_man")


@pytest.mark.parametrize("name", NAMES)
def test_parameters(name):
    expected = parameters(5, side=96, width=1 / 4)[name]
    classes = {} if name == "gan_rasnet" else {"num_classes": 5}
    model = build(name, input_shape=(96, 96, 3), width=1 / 4, **classes)
    assert model.count_params() == expected


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_parameters_at_full_size(name):
    assert build(name).count_params() == parameters()[name]
    keras.backend.clear_session()


def test_outputs():
    keras.utils.set_random_seed(0)
    model = gan2020.gan_man(**SMALL, masks="given", num_classes=6)
    assert {k: v.shape for k, v in model.input.items()} == {
        "image": (None, 96, 96, 3),
        "region_masks": (None, 6, 6, 8),
    }
    masks = np.random.default_rng(0).uniform(size=(2, 6, 6, 8))
    out = model({"image": images(), "region_masks": masks})
    assert {k: tuple(v.shape) for k, v in out.items()} == {"expression": (2, 6)}
    other = model({"image": images(), "region_masks": np.roll(masks, 1, axis=-1)})
    assert np.abs(out["expression"] - other["expression"]).max() > 0

    model = gan2020.gan_man(**SMALL, intermediate_outputs=True)
    out = model(images())
    assert set(out) == {"expression", "region_masks", "region_weights"}
    np.testing.assert_allclose(np.sum(out["region_weights"], axis=1), 1, atol=1e-6)
    # Fresh weights say nothing: every class is as likely as the others.
    p = np.asarray(tf.nn.softmax(out["expression"]))
    np.testing.assert_allclose(-np.log(p).mean(), np.log(7), atol=0.3)


@pytest.mark.parametrize("name", ["gan_rasnet", "gan_vgg16_se", "given", "gan_man"])
def test_gradients_reach_what_trains(name):
    model = build(name, **SMALL)
    inputs = tf.constant(images(), tf.float32)
    if name == "given":
        masks = tf.random.stateless_uniform((2, 6, 6, 8), (0, 0))
        inputs = {"image": inputs, "region_masks": masks}
    weights = model.weights
    with tf.GradientTape() as tape:
        out = model(inputs, training=True)
        total = sum(tf.reduce_sum((v - 1) ** 2) for v in out.values())
    grads = tape.gradient(total, [v.value for v in weights])
    reached = {v.path for v, g in zip(weights, grads) if g is not None and np.any(g)}
    assert reached == {v.path for v in model.trainable_variables}
    frozen = {v.path for v in weights} - reached
    assert len(frozen) == (10 if name == "gan_man" else 0)
    assert all(path.startswith("rasnet_") for path in frozen)


def test_frozen_even_if_somebody_makes_it_trainable():
    model = gan2020.gan_man(**SMALL)
    model.get_layer("rasnet").trainable = True
    with tf.GradientTape() as tape:
        logits = model(tf.constant(images(), tf.float32))["expression"]
    rasnet = model.get_layer("rasnet").trainable_variables
    assert rasnet and not any(
        g is not None for g in tape.gradient(logits, [v.value for v in rasnet])
    )


@pytest.mark.parametrize("name", ["gan_rasnet", "gan_man", "gan_vgg16_se"])
def test_saves_and_loads(name, tmp_path):
    model = build(name, **SMALL)
    expected = model(images())
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    rebuilt = build(name, **SMALL)
    rebuilt.load_weights(tmp_path / "m.weights.h5")
    for copy in (loaded, rebuilt):
        for key, value in copy(images()).items():
            np.testing.assert_allclose(value, expected[key], rtol=1e-5, atol=1e-6)
    assert [v.path for v in loaded.trainable_variables] == [
        v.path for v in model.trainable_variables
    ]


def test_rasnet_alone_gives_the_rasnet_inside(tmp_path):
    """Stage 1 trains RASnet by itself; stage 2 takes its weights."""
    rasnet = gan2020.gan_rasnet(**SMALL)
    rasnet.save_weights(tmp_path / "r.weights.h5")
    model = gan2020.gan_man(**SMALL, intermediate_outputs=True)
    model.get_layer("rasnet").load_weights(tmp_path / "r.weights.h5")
    np.testing.assert_allclose(
        model(images())["region_masks"], rasnet(images())["region_masks"], atol=1e-6
    )


def test_pixels_are_scaled_about_the_mean_face():
    plain = gan2020.gan_rasnet(**SMALL)
    scaled = gan2020.gan_rasnet(**SMALL, pixel_scale=0.25)
    scaled.set_weights(plain.get_weights())
    mean = np.array([129.1863, 104.7624, 93.5940])  # Red, green, blue.
    np.testing.assert_allclose(
        scaled(images())["region_masks"],
        plain(mean + 0.25 * (images() - mean))["region_masks"],
        atol=1e-4,
    )


def test_fresh_masks_of_the_recipe_are_not_saturated():
    """A saturated sigmoid hardly learns: nine in ten are, of pixels as they are."""
    keras.utils.set_random_seed(0)
    options = synthetic.SyntheticOptions(size=96)
    faces = np.array([synthetic.draw(i, options).image for i in range(8)])
    arguments = runs.load_config("gan_rafdb_man").model.arguments.to_dict()
    model = gan2020.gan_man(**{**arguments, **SMALL}, intermediate_outputs=True)
    masks = model(faces.astype(float))["region_masks"].numpy()
    assert np.mean((masks > 0.05) & (masks < 0.95)) > 0.99


@pytest.mark.slow
def test_one_batch_overfits():
    keras.utils.set_random_seed(0)
    model = gan2020.gan_man(input_shape=(32, 32, 3), width=1 / 8, masks="given")
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # Compiling takes longer than the training.
    )
    masks = np.random.default_rng(0).uniform(size=(8, 2, 2, 8))
    x = {"image": images(8, 4).repeat(8, 1).repeat(8, 2), "region_masks": masks}
    y = np.arange(8) % 7
    model.fit(x, {"expression": y}, epochs=80, batch_size=8, verbose=0)
    assert (model(x)["expression"].numpy().argmax(1) == y).all()


def test_training_leaves_rasnet_as_it_was():
    model = gan2020.gan_man(**SMALL)
    before = {v.path: v.numpy() for v in model.weights}
    model.compile(
        keras.optimizers.SGD(0.01, weight_decay=0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    model.train_on_batch(images(), {"expression": np.array([0, 1])})
    moved = {v.path for v in model.weights if np.any(v.numpy() != before[v.path])}
    assert moved == {v.path for v in model.trainable_variables}


@pytest.mark.parametrize(
    "builder, arguments, message",
    [
        ("gan_rasnet", {"input_shape": (80, 96, 3)}, "at least 96.*80, 96, 3"),
        ("gan_man", {"input_shape": (80, 80, 3)}, "at least 96"),
        ("gan_man", {"input_shape": (100, 96, 3)}, "multiples of 16"),
        ("gan_man", {"masks": "gt"}, "masks='gt'"),
        ("gan_man", {"weight_normalisation": "l2"}, "softmax, sigmoid, relu"),
    ],
)
def test_errors(builder, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(gan2020, builder)(**arguments)
