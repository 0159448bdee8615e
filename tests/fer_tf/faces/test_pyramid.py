import numpy as np

from fer_tf.faces.pyramid import shrunk


def test_the_longer_side_decides_and_nothing_is_enlarged():
    wide = np.zeros((100, 400, 3), np.uint8)
    assert shrunk(wide, 200).shape == (50, 200, 3)
    assert shrunk(wide, 400) is wide


def test_of_a_line_of_pixels_one_remains():
    assert shrunk(np.zeros((1, 30000, 3), np.uint8), 1280).shape == (1, 1280, 3)
