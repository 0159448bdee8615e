import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_tf.layers.plane_normalization import PlaneNormalization


def test_what_is_left_is_that_of_least_squares_over_its_deviation():
    """Against NumPy's solver, as the owner's code has it."""
    image = np.random.default_rng(0).uniform(0, 255, (2, 5, 7, 3)).astype("float32")
    found = PlaneNormalization()(image).numpy()
    rows, columns = np.mgrid[:5, :7]
    design = np.stack([np.ones(35), columns.ravel(), rows.ravel()], axis=1)
    for picture, left in zip(image, found):
        for channel in range(3):
            flat = picture[..., channel].ravel().astype("float64")
            rest = flat - design @ np.linalg.lstsq(design, flat, rcond=None)[0]
            expected = (rest / rest.std()).reshape(5, 7)
            np.testing.assert_allclose(left[..., channel], expected, atol=1e-4)


@pytest.mark.parametrize("level", [0, 255])
def test_a_picture_of_one_grey_is_nothing(level):
    x = np.full((1, 8, 8, 1), level, "float32")
    np.testing.assert_allclose(PlaneNormalization()(x), 0, atol=1e-3)


def test_it_computes_in_float32_under_every_policy():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        y = PlaneNormalization()(np.full((1, 4, 4, 1), 200.5))
    finally:
        keras.config.set_dtype_policy(policy)
    assert y.dtype == tf.float32 and not PlaneNormalization().weights
