import cv2
import numpy as np
import pytest

from fer_tf.faces.sharpness import LEAST_SHARPNESS, doubt, sharpness

NOISE = np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)


def rgb(grey):
    return np.dstack([grey] * 3)


def test_sharpness_of_a_grating_by_hand():
    """At 48 px a wave of wavelength L has a Laplacian of 4 sin(pi / L)^2 of itself."""
    length = 94 / 8  # Whole half waves fit between the middles of the edge pixels.
    wave = np.cos(2 * np.pi * np.arange(48) / length)
    image = rgb(np.tile(np.round(127 + 100 * wave), (48, 1)).astype(np.uint8))
    expected = 4 * np.sin(np.pi / length) ** 2
    assert sharpness(image, [0, 0, 48, 48]) == pytest.approx(expected, rel=0.02)


def test_blur_and_smallness_take_sharpness_brightness_does_not():
    box = [0, 0, 96, 96]
    whole = sharpness(rgb(NOISE), box)
    assert sharpness(rgb(50 + NOISE // 2), box) == pytest.approx(whole, rel=0.02)
    blurred = cv2.GaussianBlur(NOISE, (0, 0), 6)
    blurred = rgb(cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX))
    assert sharpness(blurred, box) < LEAST_SHARPNESS < whole
    assert sharpness(rgb(NOISE), [5, 5, 8, 8]) < LEAST_SHARPNESS
    assert doubt({"box": box, "sharpness": LEAST_SHARPNESS - 0.01}) == "blurred"
    assert doubt({"box": [0, 0, 96, 47], "sharpness": 0.2}) == "small"


def test_a_face_may_say_itself_that_it_is_unsure():
    face = {"box": [0, 0, 96, 96], "sharpness": LEAST_SHARPNESS}
    assert doubt({**face, "unsure": True}) == "unsure"
    assert doubt({**face, "unsure": False}) == "" == doubt({"box": [0, 0, 9, 9]})


def test_a_box_beside_the_picture_has_no_detail():
    assert sharpness(rgb(NOISE), [200, 200, 30, 30]) == 0
