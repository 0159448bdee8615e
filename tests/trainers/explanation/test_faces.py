import cv2
import numpy as np
import pytest

from tests.trainers.explanation.untrained import loaded
from trainers.explanation import faces
from trainers.prediction import picture_files


@pytest.mark.parametrize("spec, size", [("synthetic", 48), ("meen", 48), ("meen", 44)])
def test_the_moving_parts_are_where_the_model_sees_them(spec, size, drawn):
    """A picture that is white where the face moves is white there in the crop too."""
    white = [
        faces.Picture(
            name=p.name,
            image=np.repeat(255 * p.moving[..., None].astype(np.uint8), 3, axis=-1),
            points=p.points,
            moving=p.moving,
        )
        for p in drawn[:6]
    ]
    model = loaded("small_resnet", spec, size=size)
    images, moving = faces.windows(white, model)
    assert images.shape == (6, 44, 44, 1) and moving.shape == (6, 44, 44)
    assert moving.any((1, 2)).sum() >= 5 and moving.mean() < 0.3
    np.testing.assert_array_equal(images[..., 0] > 127, moving)


class OneFace:
    """Finds a face in any picture that is not black."""

    def detect(self, image):
        points = np.array([(30, 40), (66, 40), (48, 55), (35, 70), (61, 70)])
        small = {"box": [0, 0, 5, 5], "landmarks": points / 10}
        large = {"box": [10, 10, 80, 80], "landmarks": points}
        return [small, large] if image.any() else []


def test_photographs_in_folders(tmp_path):
    for name in ("Happy/b.png", "anger/b.png", "anger/a.png", "x.png", "wall.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        image = np.full((96, 96, 3), 0 if "wall" in name else 200, np.uint8)
        cv2.imwrite(str(tmp_path / name), image)
    (tmp_path / "page.jpg").write_text("<html>")
    found = list(faces.photographs(picture_files.find(str(tmp_path)), OneFace()))
    pictures = [each for each in found if isinstance(each, faces.Picture)]
    failed = dict(each for each in found if not isinstance(each, faces.Picture))
    assert failed.keys() == {"page.jpg", "wall.png"}
    assert failed["wall.png"] == "no face found"
    assert [(p.name, p.expression, p.person) for p in pictures] == [
        ("x.png", None, "x.png"),
        ("Happy/b.png", "happiness", "b.png"),
        ("anger/a.png", "anger", "a.png"),
        ("anger/b.png", "anger", "b.png"),
    ]
    assert pictures[0].points[0].tolist() == [30, 40]  # Of the larger face.
    files = picture_files.find(str(tmp_path / "x.png"))
    (one,) = faces.photographs(files, OneFace())
    assert one.name == "x.png"


def test_without_a_detector_a_picture_is_a_whole_crop(tmp_path):
    crop = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), crop[..., ::-1])
    (picture,) = faces.photographs(picture_files.find(str(tmp_path)), None)
    assert picture.points is None
    images, _ = faces.windows([picture], loaded("small_resnet", "meen", size=48))
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[2:-2, 2:-2]
    np.testing.assert_allclose(images[0, ..., 0], grey, atol=1)
