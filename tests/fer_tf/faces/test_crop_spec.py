import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from data_pipelines import synthetic
from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CROP_SPECS, CropSpec

SPECS = list(CROP_SPECS.values())
WANG = CROP_SPECS["wang2018"]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_json_round_trip_is_exact(spec):
    again = CropSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert again.difference(spec) == []
    again.require_same(spec, "itself")


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_templates_are_faces(spec):
    (lx, ly), (rx, ry), (nx, ny), (mlx, mly), (mrx, mry) = spec.template
    assert 0.1 < lx < nx < rx < 0.9
    assert mlx < nx < mrx
    assert max(ly, ry) < ny < min(mly, mry) < 0.95
    assert abs((lx + rx) / 2 - 0.5) < 0.01


@pytest.mark.parametrize(
    "name, size, color",
    [
        ("wang2018", 56, "grey"),
        ("zhang2020", 112, "rgb"),
        ("meen", 48, "grey"),
        ("gan2020", 224, "rgb"),
        ("dlib_face", 150, "rgb"),
        ("synthetic", 96, "rgb"),
    ],
)
def test_sizes_of_the_papers(name, size, color):
    spec = CROP_SPECS[name]
    assert (spec.name, spec.size, spec.color) == (name, size, color)
    assert spec.channels == {"grey": 1, "rgb": 3}[color]


def test_the_48_pixels_of_wang_are_framed_like_the_112():
    for small, usual in zip(WANG.template, CROP_SPECS["zhang2020"].template):
        for a, b in zip(small, usual):
            assert (a * 56 - 4) / 48 == pytest.approx(b, abs=1e-5)


def test_templates_are_the_published_ones():
    """ArcFace's pixels, and the eyes of RAF-DB's aligned pictures."""
    published = [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366),
                 (41.5493, 92.3655), (70.7299, 92.2041)]  # fmt: skip
    points = alignment.template_points(CROP_SPECS["zhang2020"])
    np.testing.assert_allclose(points, published, atol=1e-4)
    (left, top), (right, _) = CROP_SPECS["gan2020"].template[:2]
    assert (right - left, (left + right) / 2, top) == pytest.approx(
        (0.43, 0.5, 0.34), abs=1e-5
    )


def test_dlibs_chip_is_its_mean_face_with_a_quarter_around():
    """dlib's five points are corners of the eyes, whose middle is nearly the eye's."""
    corners = [(0.1205750620789, 0.2137274526848), (0.3340850613712, 0.2290642403242),
               (0.6460604764104, 0.2289674387677), (0.8595674595992, 0.2134981538014),
               ]  # fmt: skip
    outer_left, inner_left, inner_right, outer_right = (
        (0.25 + np.array(corner)) / 1.5 * 150 for corner in corners
    )
    left, right, *_ = alignment.template_points(CROP_SPECS["dlib_face"])
    np.testing.assert_allclose(left, (outer_left + inner_left) / 2, atol=0.6)
    np.testing.assert_allclose(right, (outer_right + inner_right) / 2, atol=0.6)


def test_require_same_names_every_difference():
    other = dataclasses.replace(WANG, size=48, color="rgb")
    assert WANG.difference(other) == ["size", "color"]
    with pytest.raises(ValueError, match="the weights: size is 56, there 48; color is"):
        WANG.require_same(other, "the weights")


def test_strangers_are_refused():
    values = WANG.to_dict()
    with pytest.raises(ValueError, match="newer"):
        CropSpec.from_dict({**values, "version": 2, "tilt": 1})
    with pytest.raises(ValueError, match="unknown fields: tilt"):
        CropSpec.from_dict({**values, "tilt": 1})
    with pytest.raises(ValueError, match="lacks: size"):
        CropSpec.from_dict({k: v for k, v in values.items() if k != "size"})
    with pytest.raises(ValueError, match="must be a dict"):
        CropSpec.from_dict([1])


@pytest.mark.parametrize(
    "field, value",
    [
        ("size", 0),
        ("size", 56.0),
        ("size", True),
        ("color", "gray"),
        ("transform", "warp"),
        ("template", ((0, 0),) * 4),
        ("template", ((0, float("nan")),) * 5),
        ("interpolation", None),
        ("value_range", (0,)),
        ("margin", -0.1),
        ("mean", ("a",)),
        ("version", "1"),
        ("name", ""),
    ],
)
def test_each_field_is_checked(field, value):
    with pytest.raises(ValueError, match=f"`{field}` must be .* Received: {field}="):
        dataclasses.replace(WANG, **{field: value})


def test_imports_nothing_heavy():
    code = (
        "import sys, fer_tf.faces, fer_tf.faces.crop_spec;"
        "print([m for m in ('keras', 'tensorflow', 'numpy', 'cv2', 'mtcnn') "
        "if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout.strip() == "[]", out.stderr


def test_the_synthetic_crop_is_framed_like_the_synthetic_faces():
    spec = CROP_SPECS["synthetic"]
    np.testing.assert_allclose(spec.template, synthetic.template(), atol=1e-6)
