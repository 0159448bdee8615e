import re

import keras
import numpy as np
import pytest

from fer_tf import losses
from fer_tf.models import create_model, meen

NARROW = {"width": 0.125}


def _vgg19(planes, outputs, width=1.0):
    """Parameters counted on paper: 3x3 kernels and biases, 4 of BN a channel."""
    total = 0
    for depth, filters in ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512)):
        for _ in range(depth):
            filters_ = int(filters * width)
            total += 9 * planes * filters_ + 5 * filters_
            planes = filters_
    return total + (planes + 1) * outputs


def _rows(c3, c):
    """Each row's parameters beside its two VGG19s: `(planes, extra)`.

    `c3` maps of 11x11 from block 3, `c` of 5x5 and 2x2 from blocks 4 and 5.
    """
    # Projection of block 3, a score of c channels a tap, one of the three v_k.
    model3 = c3 * c + 3 * c + (c + 1)
    return {
        "meen_model1_all": (c, 0),
        "meen_model1_average": (1, 0),
        "meen_model1_conv": (1, c + 1),
        "meen_model2_all": (1 + c, 25 + 1),
        "meen_model2_average": (1, 25 + 1),
        "meen_model3_facial": (1, model3),
        "meen_model3_combination": (1, model3),
        "meen_model3_separately": (c3 + 2 * c, model3 + 122 + 26 + 5),
    }


def _images(batch=2, shape=(44, 44, 1)):
    return np.random.default_rng(0).uniform(0, 255, (batch, *shape)).astype("float32")


def test_parameters_of_the_baseline():
    # 20,049,991 is the public PyTorch model's count, BN statistics included.
    assert create_model("vgg19_fer", input_shape=(44, 44, 3)).count_params() == (
        20_049_991
    )
    assert _vgg19(3, 7) == 20_049_991
    assert create_model("face_network").count_params() == _vgg19(1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", _rows(32, 64))
def test_parameters(name):
    planes, extra = _rows(32, 64)[name]
    expected = _vgg19(planes, 7, 0.125) + extra + _vgg19(1, 2, 0.125)
    assert create_model(name, **NARROW).count_params() == expected


def test_parameters_of_full_width():
    model = create_model("meen_model3_separately")
    # 256 + 512 + 512 planes make the emotion network's input 1,280 deep.
    planes, extra = _rows(256, 512)["meen_model3_separately"]
    assert planes == 1280
    assert model.count_params() == _vgg19(1280, 7) + extra + _vgg19(1, 2)


def test_emotion_features_need_no_face_network():
    model = create_model("meen_model3_emotion", **NARROW)
    extra = 32 * 64 + 3 * 64 + 65
    assert model.count_params() == _vgg19(1, 7, 0.125) + extra


@pytest.mark.slow
@pytest.mark.parametrize(
    "backbone, count",
    # Trainable counts of the public CIFAR-10 models, and two BN statistics for
    # each of ResNet-18's 4,800 and DenseNet-121's 41,760 normalised channels.
    [("resnet18", 11_173_962 + 9_600), ("densenet121", 6_956_298 + 83_520)],
)
def test_parameters_of_the_alternatives(backbone, count):
    model = meen.vgg19_fer(backbone=backbone, input_shape=(44, 44, 3), num_classes=10)
    assert model.count_params() == count


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["vgg19", "resnet18", "densenet121"])
def test_takes_the_weights_of_a_face_network(backbone):
    face = meen.face_network(backbone=backbone, **NARROW)
    for variable in face.weights:  # Where a statistic moved, order shows.
        variable.assign(variable + np.random.default_rng(0).uniform(0, 0.1))
    network = meen.meen_model3(source="facial", backbone=backbone, **NARROW).get_layer(
        "face_network"
    )
    network.set_weights(face.get_weights())
    image = _images()
    np.testing.assert_array_equal(
        network(image)["is_face"], face(image, training=False)["is_face"]
    )


def test_the_face_network_may_be_dlibs():
    """Its stages of 11, 5 and 2 pixels stand where VGG19's blocks 3 to 5 did."""
    model = create_model(
        "meen_model3_facial", face_backbone="face_resnet29", width=0.25
    )
    face = model.get_layer("face_network")
    assert not face.trainable_variables
    assert {w.path for w in face.weights if not w.path.startswith("conv")} == set()
    sides = {name: maps.shape[1:] for name, maps in face.output.items()}
    assert sides == {
        "conv64": (11, 11, 64),
        "conv128": (5, 5, 128),
        "conv256": (2, 2, 256),
        "features": (256,),
    }
    assert model.get_layer("attention_block4").output.shape == (None, 5, 5, 1)
    with pytest.raises(ValueError, match="`source` may not be combination"):
        create_model("meen_model3_combination", face_backbone="face_resnet29")
    with pytest.raises(ValueError, match="`face_backbone` must be one of face_resnet"):
        create_model("meen_model1_all", face_backbone="vgg16")


def test_training_leaves_the_face_network_alone():
    model = create_model("meen_model3_separately", **NARROW)
    face, own = model.get_layer("face_network"), model.get_layer("block1_bn1")
    assert not face.trainable_variables
    before, own_before = face.get_weights(), np.asarray(own.moving_mean)
    model(_images(), training=True)
    for old, new in zip(before, face.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert np.abs(own.moving_mean - own_before).max() > 0


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        "meen_model1_all",
        "meen_model2_all",
        "meen_model2_average",
        "meen_model3_combination",
        "meen_model3_separately",
    ],
)
def test_learns_a_batch_and_leaves_the_face_network_alone(name, tmp_path):
    keras.utils.set_random_seed(0)
    small = {"width": 0.125, "input_shape": (32, 32, 1)}
    model = create_model(name, dropout_rate=0.0, **small)
    face = model.get_layer("face_network")
    assert not face.trainable_variables
    before = face.get_weights()
    rng = np.random.default_rng(0)
    labels = np.arange(8) % 7
    shades = 30.0 * (labels[:, None, None, None] + 1)
    images = (shades + rng.uniform(0, 30, (8, 32, 32, 1))).astype("float32")
    model.compile(
        keras.optimizers.Adam(3e-3),
        {"expression": losses.CrossEntropy()},
        metrics={"expression": "sparse_categorical_accuracy"},
        jit_compile=False,
    )
    history = model.fit(images, {"expression": labels}, epochs=60, verbose=0).history
    # A product of two networks' maps, of an untrained one here, learns slowly.
    enough = 0.5 if name == "meen_model3_combination" else 1.0
    assert history["sparse_categorical_accuracy"][-1] >= enough
    assert history["loss"][-1] < 0.75 * history["loss"][0]
    for old, new in zip(before, face.get_weights()):
        np.testing.assert_array_equal(old, new)

    model.save_weights(tmp_path / "model.weights.h5")
    copy = create_model(name, **small)
    copy.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(
        copy(images, training=False)["expression"],
        model(images, training=False)["expression"],
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert not loaded.get_layer("face_network").trainable_variables


def test_attention_of_one_map_is_reachable():
    model = create_model("meen_model1_average", **NARROW)
    names = ("rescale", "face_features", "attention_map", "attended_image")
    parts = keras.Model(model.input, [model.get_layer(n).output for n in names])
    image, features, attention, attended = map(np.asarray, parts(_images()))
    assert features.shape == (2, 5, 5, 1)
    assert attention.shape == (2, 44, 44, 1)
    # Enlarging interpolates: no value leaves the features' range.
    assert features.min() >= 0 and attention.max() <= features.max() * (1 + 1e-6)
    np.testing.assert_allclose(attended, (1 + attention) * image, rtol=1e-6)


def test_attention_of_model_3_is_reachable():
    model = create_model("meen_model3_facial", **NARROW)
    names = ("attention_block3", "attention_block4", "attention_block5", "tap_weights")
    parts = keras.Model(model.input, [model.get_layer(n).output for n in names])
    *maps, weights = map(np.asarray, parts(_images()))
    assert [x.shape for x in maps] == [(2, 11, 11, 1), (2, 5, 5, 1), (2, 2, 2, 1)]
    for x in [*maps, weights]:
        np.testing.assert_allclose(x.reshape(2, -1).sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    "builder, argument, value",
    [
        (meen.vgg19_fer, "backbone", "vgg16"),
        (meen.vgg19_fer, "input_shape", (31, 44, 1)),
        (meen.meen_model1, "maps", "some"),
        (meen.meen_model1, "combine", "sum"),
        (meen.meen_model1, "normalize", "mean"),
        (meen.meen_model1, "weighting", "softmax"),
        (meen.meen_model1, "tap", "block6"),
        (meen.meen_model3, "source", "all"),
        (meen.meen_model3, "compatibility", "tanh"),
        (meen.meen_model3, "merge", "sum"),
    ],
)
def test_unknown_values_are_named(builder, argument, value):
    message = re.escape(f"Received: {argument}={value!r}")
    with pytest.raises(ValueError, match=message):
        builder(**{argument: value}, **NARROW)
