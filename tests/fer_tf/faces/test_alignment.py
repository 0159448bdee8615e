import dataclasses

import cv2
import numpy as np
import pytest

from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CROP_SPECS

GREY = CROP_SPECS["wang2018"]
RGB = CROP_SPECS["zhang2020"]
BOX = dataclasses.replace(RGB, size=50, margin=0.0)


def picture(height=200, width=260, seed=0):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 20, width // 20, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def moved(points, angle, scale, shift):
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return points @ np.array([[c, -s], [s, c]]).T + shift


@pytest.mark.parametrize("transform", ["similarity", "affine"])
def test_an_exact_transform_is_recovered(transform):
    spec = dataclasses.replace(RGB, transform=transform)
    target = alignment.template_points(spec)
    source = moved(target, 0.4, 2.5, (30, 40))
    if transform == "affine":  # Which no similarity undoes.
        source = source * (1.3, 0.8)
    matrix = alignment.align_matrix(source, spec)
    np.testing.assert_allclose(
        alignment.transform_points(source, matrix), target, atol=1e-9
    )


def test_similarity_is_the_least_squares_one():
    """Against the normal equations of (a, b, tx, ty), and no reflection."""
    rng = np.random.default_rng(1)
    target = alignment.template_points(RGB)
    source = moved(target, -0.7, 0.6, (90, 50)) + rng.normal(0, 4, (5, 2))
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        values += [u, v]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    expected = [[a, -b, tx], [b, a, ty]]
    matrix = alignment.align_matrix(source, RGB)
    np.testing.assert_allclose(matrix, expected, atol=1e-9)
    mirrored = alignment.align_matrix(source * (-1, 1), RGB)
    assert np.linalg.det(mirrored[:, :2]) > 0


@pytest.mark.parametrize("times", [0.5, 1.0, 3.3, 9.0])
def test_marks_land_on_the_template_at_every_scale(times):
    """Discs around five points; the crop's brightest spots are the template."""
    spec = dataclasses.replace(GREY, size=64)
    target = alignment.template_points(spec)
    points = moved(target, 0.3, times, (60, 20))
    points += 20 * times - points.min(axis=0)
    side = int(points.max() + 20 * times)
    ys, xs = np.mgrid[:side, :side]
    bumps = sum(
        np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * (2.5 * times) ** 2))
        for x, y in points
    )
    image = np.repeat((200 * bumps).clip(0, 255).astype(np.uint8)[..., None], 3, -1)
    crop = alignment.align(image, points, spec)[..., 0].astype(float)
    for x, y in target:
        r, c = int(round(y)), int(round(x))
        window = crop[r - 3 : r + 4, c - 3 : c + 4]
        gy, gx = np.mgrid[r - 3 : r + 4, c - 3 : c + 4]
        weights = (window - window.min()) ** 2
        assert abs((gx * weights).sum() / weights.sum() - x) < 0.3
        assert abs((gy * weights).sum() / weights.sum() - y) < 0.3


def test_shrinking_averages_and_does_not_alias():
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    for size in (48, 100, 200, 300):
        crop = alignment.whole(stripes, dataclasses.replace(BOX, size=size))
        # 40: what a box as wide as the step leaves of the finest stripes, which
        # are 127 away from their mean.
        assert abs(crop.astype(float) - 127.5).max() < 40


@pytest.mark.parametrize("spec", [GREY, RGB], ids=["grey", "rgb"])
def test_shape_dtype_and_black_outside(spec):
    points = moved(alignment.template_points(spec), 0, 1, (-30, 0))
    crop = alignment.align(np.full((90, 90, 3), 200, np.uint8), points, spec)
    assert crop.shape == (spec.size, spec.size, spec.channels)
    assert crop.dtype == np.uint8
    assert (crop[:, :25] == 0).all() and crop[20, 40, 0] == 200


def test_whole_of_the_right_size_is_untouched():
    image = picture(50, 60)[:, :50]
    np.testing.assert_array_equal(alignment.whole(image, BOX), image)
    np.testing.assert_array_equal(
        alignment.crop_box(image, [-0.5, -0.5, 50, 50], BOX), image
    )


def test_whole_is_centred_between_black_bars_without_a_dark_rim():
    image = np.full((20, 40, 3), 9, np.uint8)
    wide = alignment.whole(image, BOX)
    assert (wide[:11] == 0).all() and (wide[-11:] == 0).all()
    assert (wide[13:37] == 9).all()


def test_box_is_squared_about_its_centre():
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:60, 20:60] = 255
    spec = dataclasses.replace(BOX, size=20, interpolation="nearest")
    crop = alignment.crop_box(image, [19.5, 39.5, 40, 20], spec)[..., 0]
    assert (
        (crop[5:15] == 255).all() and (crop[:5] == 0).all() and (crop[15:] == 0).all()
    )
    wider = alignment.crop_box(
        image, [19.5, 39.5, 40, 20], dataclasses.replace(spec, margin=0.5)
    )[..., 0]
    assert wider[10].tolist() == [0] * 5 + [255] * 10 + [0] * 5


def test_grey_weights_and_equal_channels():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert alignment.to_color(colours, "grey").ravel().tolist() == [76, 150, 29]
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, -1)
    np.testing.assert_array_equal(alignment.to_color(ramp, "grey"), ramp[..., :1])
    assert alignment.to_color(colours, "rgb") is colours


def test_bgr_is_rgb_reversed():
    points = moved(alignment.template_points(RGB), 0.1, 1.4, (20, 10))
    bgr = dataclasses.replace(RGB, channel_order="bgr")
    np.testing.assert_array_equal(
        alignment.align(picture(), points, bgr),
        alignment.align(picture(), points, RGB)[..., ::-1],
    )


@pytest.mark.parametrize("count", [37, 68])
def test_landmarks_of_every_annotation(count):
    """Point i lies at (i, 2i): the picked indices are read off the x."""
    points = np.stack([np.arange(count), 2 * np.arange(count)], 1)
    five = alignment.landmarks5(points)
    picked = {37: [15.5, 21.5, 7, 25, 31], 68: [38.5, 44.5, 30, 48, 54]}[count]
    assert five[:, 0].tolist() == picked
    np.testing.assert_array_equal(five[:, 1], 2 * five[:, 0])


def test_five_points_stay():
    five = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 84]], float)
    np.testing.assert_array_equal(alignment.landmarks5(five), five)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3), np.uint16),
        np.zeros((9, 9, 3), np.float32),
        np.zeros((0, 9, 3), np.uint8),
        [[0]],
        None,
    ],
)
def test_other_images_are_refused(image):
    points = alignment.template_points(RGB)
    calls = (
        lambda: alignment.align(image, points, RGB),
        lambda: alignment.whole(image, RGB),
        lambda: alignment.crop_box(image, [0, 0, 5, 5], RGB),
    )
    for call in calls:
        with pytest.raises(ValueError, match="`image` must be uint8 RGB"):
            call()


def test_bad_landmarks_and_boxes_are_refused():
    image, good = picture(), alignment.template_points(RGB)
    affine = dataclasses.replace(RGB, transform="affine")
    line = np.stack([np.arange(5.0), np.arange(5.0)], 1)
    for points, spec, message in (
        (np.zeros((5, 2)), RGB, "must not coincide"),
        (np.full((5, 2), np.nan), RGB, "finite"),
        (good[:4], RGB, "shape"),
        (line, affine, "on a line"),
        (good, dataclasses.replace(RGB, transform="box"), "transform"),
    ):
        with pytest.raises(ValueError, match=message):
            alignment.align(image, points, spec)
    for box in ([0, 0, 0, 5], [0, 0, -2, 5], [0, 0, np.nan, 5], [400, 0, 9, 9]):
        with pytest.raises(ValueError, match="`box`"):
            alignment.crop_box(image, box, RGB)
    for points in (np.zeros((6, 2)), np.zeros((68, 3)), np.zeros(10)):
        with pytest.raises(ValueError, match="`points`"):
            alignment.landmarks5(points)


def test_absurd_landmarks_do_not_ask_for_gigabytes():
    points = alignment.template_points(GREY) * 1e6
    assert alignment.align(picture(), points, GREY).shape == (56, 56, 1)
