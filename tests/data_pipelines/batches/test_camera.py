import math

import cv2
import numpy as np
import pytest
import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from data_pipelines.batches import camera

KINDS = pytest.mark.parametrize("xp", [np, tnp], ids=["numpy", "tensorflow"])


def numbers(xp, *values):
    array = np.array(values, np.float32)
    return array if xp is np else tf.constant(array)


def flat(xp, *levels):
    """Pictures of 12x20 pixels, each of one grey."""
    return numbers(xp, *levels)[:, None, None, None] + np.zeros(
        (1, 12, 20, 1), np.float32
    )


def photograph():
    """A picture with slow and quick changes."""
    y, x = np.mgrid[:44, :44]
    wave = 60 * np.sin(x / 3) + 50 * np.cos(y / 7) + 20 * ((x // 4 + y // 4) % 2)
    return (wave + 120).clip(0, 255).astype(np.uint8)


@KINDS
def test_light_by_hand(xp):
    image = numbers(xp, [[[50.0], [150.0]]], [[[50.0], [150.0]]])  # Two of 1x2.
    lit = camera.relight(xp, image, numbers(xp, 0.5, -1), numbers(xp, 0, 0.2))
    # 100 +- 75; no contrast is left, and 51 are added.
    np.testing.assert_allclose(np.asarray(lit).squeeze(), [[25, 175], [151, 151]])
    bright = camera.relight(xp, image, numbers(xp, 0, 0), numbers(xp, 0.5, -0.5))
    np.testing.assert_allclose(np.asarray(bright).squeeze(), [[177.5, 255], [0, 22.5]])


@KINDS
def test_a_point_becomes_a_gaussian_and_nothing_gets_lost(xp):
    image = np.zeros((2, 15, 21, 1), np.float32)
    image[:, 7, 10] = 100
    image = image if xp is np else tf.constant(image)
    found = np.asarray(camera.blur(xp, image, numbers(xp, 0, 1)))[..., 0]
    np.testing.assert_allclose(found[0], np.asarray(image)[0, ..., 0], atol=1e-4)
    # The sum of exp(-n^2 / 2) over all whole n is 2.5066.
    ratio = math.exp(-0.5)
    np.testing.assert_allclose(found[1, 7, 10], 100 / 2.5066**2, rtol=1e-3)
    np.testing.assert_allclose(found[1, 6, 10], found[1, 7, 10] * ratio, rtol=1e-4)
    np.testing.assert_allclose(found[1, 6, 9], found[1, 7, 10] * ratio**2, rtol=1e-4)
    np.testing.assert_allclose(found[1].sum(), 100, rtol=1e-4)
    even = camera.blur(xp, flat(xp, 90), numbers(xp, 3))
    np.testing.assert_allclose(even, np.asarray(flat(np, 90)), rtol=1e-5)


@KINDS
def test_jpegs_first_wave_by_hand(xp):
    """At quality 25 the first number of 16 is doubled: steps of 32 / 8 in the mean."""
    found = camera.jpeg(xp, flat(xp, 128, 129, 131, 133, 255), numbers(xp, *[25] * 5))
    np.testing.assert_allclose(
        np.asarray(found)[:, 3, 11, 0], [128, 128, 132, 132, 255], atol=1e-3
    )
    # At 100 every step is 1 / 8.
    found = camera.jpeg(xp, flat(xp, 7, 133), numbers(xp, 100, 100))
    np.testing.assert_allclose(np.asarray(found)[:, 0, 0, 0], [7, 133], atol=1e-3)


@KINDS
@pytest.mark.parametrize("quality", [10, 40, 75, 95])
def test_jpeg_is_that_of_the_library(xp, quality):
    picture = photograph()
    encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    expected = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    image = numbers(xp, picture[..., None])
    found = np.asarray(camera.jpeg(xp, image, numbers(xp, quality)))[0, ..., 0]
    # The library computes with whole numbers.
    assert np.abs(found - expected).max() <= 3
    apart = np.abs(found - expected).mean()
    assert apart < 0.15 and np.abs(found - picture).mean() > 6 * apart


@KINDS
def test_an_edge_comes_from_its_side_as_far_as_told(xp):
    quarter = math.pi / 2
    angles = numbers(xp, 0, quarter, 2 * quarter, 3 * quarter, quarter / 2, 0)
    depths = numbers(xp, 0.25, 0.5, 0.25, 0.5, 0.25, 0)
    found = np.asarray(camera.behind_edge(xp, (4, 8), angles, depths))
    right, bottom, left, top, corner, none = found
    assert right[:, 6:].all() and right.sum() == 2 * 4
    assert bottom[2:].all() and bottom.sum() == 2 * 8
    assert left[:, :2].all() and left.sum() == 2 * 4
    assert top[:2].all() and top.sum() == 2 * 8
    # A quarter of the diagonal: the half square of the corner, an eighth of the area.
    assert corner[3, 7] and not corner[0].any() and not corner[:, :4].any()
    assert abs(corner.mean() - 1 / 8) < 0.05 and not none.any()


@pytest.mark.parametrize("channels", [1, 3])
def test_many_pictures_at_once_are_as_in_numpy(channels):
    # TensorFlow on oneDNN multiplied four axes wrongly, or the process died of it.
    noise = np.random.default_rng(0).uniform(0, 255, (32, 44, 44, channels))
    image, strength = noise.astype(np.float32), np.linspace(1, 90, 32, dtype=np.float32)
    for what in (camera.jpeg, camera.blur):
        expected = what(np, image, strength)
        for _ in range(5):
            found = what(tnp, tf.constant(image), tf.constant(strength))
            # A rounding that falls the other way moves a wave of JPEG by a step.
            assert np.median(np.abs(found - expected)) < 1e-3
            assert np.abs(found - expected).mean() < 0.05
