import numpy as np
import tensorflow as tf

from data_pipelines.storage import array_files


def test_colour_becomes_grey_as_in_tensorflow():
    images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    theirs = tf.image.rgb_to_grayscale(images).numpy().astype(int)
    ours = array_files.to_size(images, 32, 1).astype(int)
    assert np.abs(ours - theirs).max() <= 1 and (ours == theirs).mean() > 0.999


def test_areas_are_averaged_by_hand():
    # 3 -> 2: each new pixel covers one old one and half of the middle one.
    row = np.array([10, 40, 100], np.uint8)
    image = np.broadcast_to(row, (1, 3, 3))[..., None]
    shrunk = array_files.to_size(image, 2, 1)[0, :, :, 0]
    np.testing.assert_array_equal(shrunk, [[20, 80], [20, 80]])
    # 2 -> 4: centres at -1/4, 1/4, 3/4 and 5/4 of an old pixel.
    image = np.broadcast_to(np.array([0, 100], np.uint8), (1, 2, 2))[..., None]
    grown = array_files.to_size(image, 4, 1)[0, 0, :, 0]
    np.testing.assert_array_equal(grown, [0, 25, 75, 100])
