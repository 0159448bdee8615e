import keras
import numpy as np
import pytest

from fer_tf.models import create_model
from fer_tf.models.face_resnet29 import face_resnet29_features


def taps(size, **arguments):
    image = keras.Input((size, size, 3))
    return face_resnet29_features(image, **arguments)


def test_twenty_nine_convolutions_of_the_published_sizes():
    """Counted on paper: kernels and biases of a stage, then the embedding."""
    model = create_model("face_embedding")
    convolutions = [x for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    assert len(convolutions) == 29
    stem, stage32 = 7 * 7 * 3 * 32 + 32, 6 * (9 * 32 * 32 + 32)
    stage64 = (9 * 32 * 64 + 64) + 7 * (9 * 64 * 64 + 64)
    stage128 = (9 * 64 * 128 + 128) + 5 * (9 * 128 * 128 + 128)
    stage256 = (9 * 128 * 256 + 256) + 7 * (9 * 256 * 256 + 256)
    total = stem + stage32 + stage64 + stage128 + stage256 + 256 * 128
    assert model.count_params() == total == 5_607_488


@pytest.mark.parametrize(
    "size, sides", [(150, (35, 17, 8, 4)), (96, (22, 11, 5, 2)), (44, (9, 4, 2, 1))]
)
def test_maps_of_each_stage(size, sides):
    """Floors of dlib's graph: 7/2 and 3/2 without padding, then halves."""
    maps, pooled = taps(size, width=0.25)
    assert tuple(x.shape[1] for x in maps.values()) == sides
    assert list(maps) == ["conv32", "conv64", "conv128", "conv256"]
    assert pooled.shape == (None, 64)


@pytest.mark.parametrize("size", [71, 96, 112])
def test_smaller_crops_have_an_embedding_too(size):
    model = create_model("face_embedding", input_shape=(size, size, 3), width=0.25)
    image = np.random.default_rng(0).uniform(0, 255, (1, size, size, 3))
    embedding = np.asarray(model(image.astype("float32"))["embedding"])
    assert np.isfinite(embedding).all() and embedding.std() > 0


@pytest.mark.parametrize("name, size", [("face_embedding", 70), ("face_resnet29", 38)])
def test_too_small_crops_are_refused(name, size):
    with pytest.raises(ValueError, match=f"sides of at least {size + 1}"):
        create_model(name, input_shape=(size, size, 3))


def test_a_grey_face_is_that_face_in_three_channels():
    keras.utils.set_random_seed(0)
    grey, color = (
        create_model("face_resnet29", input_shape=(96, 96, n), width=0.25)
        for n in (1, 3)
    )
    color.set_weights(grey.get_weights())
    face = np.random.default_rng(0).uniform(0, 255, (2, 96, 96, 1)).astype("float32")
    np.testing.assert_array_equal(
        grey(face)["expression"], color(face.repeat(3, -1))["expression"]
    )


def test_a_small_face_is_enlarged_first():
    """By OpenCV's linear rule, whose grid is the same."""
    import cv2

    keras.utils.set_random_seed(0)
    small = create_model(
        "face_resnet29", input_shape=(48, 48, 1), enlarge=2, width=0.25
    )
    large = create_model("face_resnet29", input_shape=(96, 96, 1), width=0.25)
    large.set_weights(small.get_weights())
    face = np.random.default_rng(0).uniform(0, 255, (48, 48)).astype("float32")
    by_hand = cv2.resize(face, (96, 96), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(
        small(face[None, ..., None])["expression"],
        large(by_hand[None, ..., None])["expression"],
        atol=1e-4,
    )


def test_normalisation_takes_the_place_of_biases():
    model = create_model("face_resnet29", width=0.25, batch_norm=True)
    names = {weight.path for weight in model.weights}
    assert "conv64_down_conv2_bn/moving_mean" in names
    assert "conv64_down_conv2/bias" not in names
    # 27 convolutions, and the pooled feature.
    assert len([n for n in names if n.endswith("/gamma")]) == 28
