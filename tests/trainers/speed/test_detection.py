import cv2
import numpy as np
import pytest

from trainers.speed import detection

pytest.importorskip("mtcnn")
NAMES = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
POINTS = np.array([(10, 10), (30, 10), (20, 20), (12, 30), (28, 30)], float)


def ours(box=(0, 0, 40, 40), move=(0, 0)):
    return {"box": list(box), "landmarks": POINTS + move}


def theirs(box=(0, 0, 40, 40)):
    return {"box": list(box), "keypoints": dict(zip(NAMES, POINTS.tolist()))}


@pytest.mark.parametrize(
    "found, expected",
    [
        ([ours()], (1, 1, 0)),
        ([ours(move=(1.4, -1.4))], (1, 1, 0)),
        ([ours(move=(1.6, 0))], (1, 0, 1)),
        ([ours(box=(0, 0, 39, 39))], (1, 1, 0)),  # 1521 of 1600.
        ([ours(box=(1, 1, 40, 40))], (1, 0, 1)),  # 1521 of 1679.
        ([], (1, 0, 0)),
        ([ours(), ours(box=(50, 0, 40, 40))], (1, 1, 1)),
    ],
)
def test_agreement(found, expected):
    counts = detection._agreement([(found, [theirs()]), ([], [])])
    assert tuple(counts.values()) == expected
    assert list(counts) == ["stock_faces", "same_faces", "invented_faces"]


@pytest.mark.parametrize(
    "boxes, count",
    [
        ([(0, 0, 40, 40)], 1),
        ([(10, 0, 40, 40)], 1),  # 1200 of 2000.
        ([(20, 0, 40, 40)], 0),  # 800 of 2400.
        ([(0, 0, 40, 40), (1, 0, 40, 40)], 1),  # One face of theirs, found twice.
        ([], 0),
    ],
)
def test_a_face_is_found_if_half_of_it_is_shared(boxes, count):
    assert detection._found([ours(box) for box in boxes], [theirs()]) == count


def test_both_see_the_same_photographs(tmp_path):
    astronaut = pytest.importorskip("skimage.data").astronaut()
    for name in ("a/1.jpg", "b/2.PNG"):
        path = tmp_path / name
        path.parent.mkdir()
        cv2.imwrite(str(path), astronaut[:200, 120:320, ::-1])
    result = detection.compare(f"{tmp_path}/a,{tmp_path}/b", seconds=0)
    assert result["photographs"] == result["stock_faces"] == result["same_faces"] == 2
    assert result["invented_faces"] == 0
    assert result["larger_faces"] == 2  # They are over 80 pixels high.
    rates = [
        result[f"{k}_per_second"] for k in ("images", "stock", "batched", "larger")
    ]
    assert min(rates) > 0
    assert result["stock_ratio"] == pytest.approx(rates[0] / rates[1])
    assert result["batched_ratio"] == pytest.approx(rates[2] / rates[1])
    assert result["larger_ratio"] == pytest.approx(rates[3] / rates[1])


def test_which_photograph_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match="no photographs here"):
        detection.compare(str(tmp_path), seconds=0)
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="a.jpg: empty file"):
        detection.compare(str(tmp_path), seconds=0)
