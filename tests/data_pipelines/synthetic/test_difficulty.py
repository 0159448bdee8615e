import keras
import numpy as np
import pytest

from data_pipelines import synthetic

pytestmark = pytest.mark.long

linear_model = pytest.importorskip("sklearn.linear_model")


@pytest.fixture(scope="module")
def data():
    """Grey 48-pixel faces: pixels, action units, rated and true class, split."""
    options = synthetic.SyntheticOptions(size=48, grey=True)
    faces = [synthetic.draw(i, options) for i in range(12500)]
    test = [synthetic.split_of(face.subject) == "test" for face in faces]
    return {
        "pixels": np.stack([face.image[..., :1] for face in faces]),
        "units": np.array([list(face.au_intensities.values()) for face in faces]),
        "rated": np.array([face.expression for face in faces]),
        "true": np.array([face.clean_expression for face in faces]),
        "test": np.array(test),
    }


def accuracy(predicted, data):
    test = data["test"]
    rated, true = (np.mean(predicted == data[key][test]) for key in ("rated", "true"))
    print(f"accuracy {rated:.3f} on the rated, {true:.3f} on the true labels")
    return rated


def test_ceiling_is_what_label_noise_leaves(data):
    model = linear_model.LogisticRegression(max_iter=500)
    model.fit(data["units"][~data["test"]], data["rated"][~data["test"]])
    assert 0.86 < accuracy(model.predict(data["units"][data["test"]]), data) < 0.94


def test_pixels_are_not_enough_for_a_linear_model(data):
    pixels = data["pixels"].reshape(len(data["pixels"]), -1) / 128.0 - 1
    model = linear_model.LogisticRegression(max_iter=100, C=0.001)
    model.fit(pixels[~data["test"]], data["rated"][~data["test"]])
    assert 0.30 < accuracy(model.predict(pixels[data["test"]]), data) < 0.55


def small_network():
    layers = keras.layers
    stack = [keras.Input((48, 48, 1)), layers.Rescaling(1 / 127.5, -1)]
    stack += [layers.RandomFlip("horizontal"), layers.RandomTranslation(0.04, 0.04)]
    for width in (16, 32, 64, 96):
        stack += [
            layers.Conv2D(width, 3, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.MaxPooling2D(),
        ]
    return keras.Sequential([*stack, layers.Flatten(), layers.Dropout(0.4)])


def test_small_network_learns_and_leaves_room(data):
    keras.utils.set_random_seed(0)
    model, epochs, train = small_network(), 12, ~data["test"]
    model.add(keras.layers.Dense(7))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * (train.sum() // 64))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss)
    pixels = data["pixels"].astype("float32")
    model.fit(pixels[train], data["rated"][train], 64, epochs=epochs, verbose=0)
    predicted = model.predict(pixels[~train], verbose=0).argmax(1)
    assert 0.60 < accuracy(predicted, data) < 0.85
