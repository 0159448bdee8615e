"""Our detector beside the `mtcnn` package, whose faces it must find."""

import os
import pathlib

import cv2
import numpy as np
import pytest

from fer_tf.faces import MTCNNDetector, pyramid

pytest.importorskip("mtcnn")
_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


@pytest.fixture(scope="module")
def detector():
    return MTCNNDetector()


@pytest.fixture(scope="module")
def stock():
    return __import__("mtcnn").MTCNN()


@pytest.fixture(scope="module")
def astronaut():
    return pytest.importorskip("skimage.data").astronaut()


def overlap(box, other):
    (x, y, w, h), (u, v, m, n) = box, other
    shared = max(0, min(x + w, u + m) - max(x, u)) * max(
        0, min(y + h, v + n) - max(y, v)
    )
    return shared / (w * h + m * n - shared)


def assert_same_faces(faces, expected):
    assert len(faces) == len(expected)
    for face, other in zip(faces, expected):
        points = np.array([other["keypoints"][name] for name in _POINTS])
        assert overlap(face["box"], other["box"]) >= 0.95
        # The package rounds its points.
        assert abs(face["landmarks"] - points).max() <= 0.6
        assert face["confidence"] == pytest.approx(other["confidence"], abs=1e-3)


def test_the_astronaut_as_the_package_sees_her(detector, stock, astronaut):
    # Odd sides: levels whose last row and column P-Net pools alone.
    for image in (astronaut, astronaut[:333, 70:421], astronaut[:, ::-1].copy()):
        faces = detector.detect(image)
        assert_same_faces(faces, stock.detect_faces(image))
        assert len(faces) == 1
        (left, right, *_), landmarks = faces[0]["landmarks"], faces[0]["landmarks"]
        assert left[0] < right[0] and landmarks.shape == (5, 2)


@pytest.mark.real_data
def test_photographs_of_several_people(detector, stock, real_data):
    folder = real_data / "photos"
    for name in ("detection5.jpg", "identification1.jpg"):
        image = cv2.imread(str(folder / name), cv2.IMREAD_COLOR_RGB)
        assert_same_faces(detector.detect(image), stock.detect_faces(image))


@pytest.mark.real_data
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.long)])
def test_eyes_are_where_people_put_them(detector, real_data, every):
    """Prints the mean error; `pytest -s --run-long` for that of all pictures."""
    folder = real_data / "london"
    names, eyes = [], []
    for line in (folder / "landmarks5.csv").read_text().splitlines()[1::every]:
        name, *values = line.split(",")
        names.append(name)
        eyes.append(np.array(values[:4], float).reshape(2, 2))
    images = [cv2.imread(str(folder / n), cv2.IMREAD_COLOR_RGB) for n in names]
    errors = []
    for faces, points in zip(detector.detect(images), eyes):
        face = max(faces, key=lambda face: face["box"][2])
        error = np.linalg.norm(face["landmarks"][:2] - points, axis=1).mean()
        errors.append(100 * error / np.linalg.norm(points[1] - points[0]))
    print(f"eyes: {np.mean(errors):.2f} % of their distance, {len(errors)} pictures")
    assert np.mean(errors) < 3


def test_a_list_is_as_one_by_one(detector, astronaut):
    images = [astronaut, astronaut[40:300, 100:400], np.zeros_like(astronaut)]
    images += [astronaut[:, ::-1].copy()] * 2
    images += [astronaut[::-1].copy(), astronaut[:9, :9]]
    batch = detector.detect(images)
    assert [len(faces) for faces in batch] == [1, 1, 0, 1, 1, len(batch[5]), 0]
    for image, faces in zip(images, batch):
        for face, single in zip(faces, detector.detect(image), strict=True):
            # Exactly: crops must not depend on what lies beside a picture.
            assert face["box"] == single["box"]
            assert face["confidence"] == single["confidence"]
            np.testing.assert_array_equal(face["landmarks"], single["landmarks"])
    assert detector.detect([]) == []
    assert detector.detect(tuple(images[:1]))[0][0]["box"] == batch[0][0]["box"]


def test_no_size_and_no_number_is_traced_again(astronaut, monkeypatch):
    from fer_tf.faces import networks

    traced = []  # Python runs a layer's function only while tracing.
    convolution = networks._convolution
    monkeypatch.setattr(
        networks,
        "_convolution",
        lambda *arguments: traced.append(1) or convolution(*arguments),
    )
    detector = MTCNNDetector()
    assert len(traced) == 2 * 4 + 3 + 4  # P-Net for three and for four channels.
    for size in ((64, 64), (121, 83), (83, 121), (200, 300), (512, 512)):
        detector.detect([cv2.resize(astronaut, size)] * 2)
    assert len(traced) == 2 * 4 + 3 + 4


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
def test_memory_stays_flat(detector, astronaut):
    def grown():
        for side in range(60, 120, 3):
            detector.detect(cv2.resize(astronaut, (side, 2 * side)))
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) / 256

    first = [grown() for _ in range(2)][-1]
    assert [grown() for _ in range(4)][-1] - first < 10  # MiB.


def test_where_there_is_no_face(detector):
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    for image in (np.zeros((200, 300, 3)), np.full((64, 64, 3), 255), noise):
        assert detector.detect(image.astype(np.uint8)) == []


@pytest.mark.parametrize("shape", [(0, 0), (0, 50), (1, 1), (19, 400), (24, 24)])
def test_too_small_for_a_face(detector, shape):
    assert detector.detect(np.full((*shape, 3), 90, np.uint8)) == []


def test_large_pictures_are_shrunk_and_boxes_scaled_back(detector, astronaut):
    large = cv2.resize(astronaut, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    (face,) = MTCNNDetector(max_side=512).detect(large)
    (small,) = detector.detect(astronaut)
    assert overlap(face["box"], [3 * v for v in small["box"]]) > 0.9
    error = abs(face["landmarks"] - 3 * small["landmarks"]).max()
    assert error < 0.06 * face["box"][2]


def test_least_face_size(astronaut):
    (face,) = MTCNNDetector(min_face_size=60).detect(astronaut)
    assert face["box"][2] > 60
    assert MTCNNDetector(min_face_size=250).detect(astronaut) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((50, 50)),
        np.zeros((50, 50, 3)),
        np.zeros((50, 50, 4), np.uint8),
        np.zeros((2, 50, 50, 3), np.uint8),
        "a.jpg",
        None,
    ],
    ids=lambda image: str(getattr(image, "shape", image)),
)
def test_other_inputs_are_refused(detector, image):
    for images in (image, [image]):
        with pytest.raises(ValueError, match="must be uint8 RGB .* Received"):
            detector.detect(images)


@pytest.mark.parametrize(
    "arguments",
    [
        {"min_face_size": 11},
        {"scale_factor": 1.0},
        {"thresholds": (0.6, 0.7)},
        {"thresholds": (0, 0.7, 0.8)},
        {"max_side": 0},
    ],
)
def test_arguments_are_checked(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        MTCNNDetector(**arguments)


@pytest.mark.parametrize("side", [(301, 417), (47, 50)])
def test_every_level_is_the_area_average(astronaut, side):
    """Against TensorFlow's own area resizing, for odd sides too."""
    tf = pytest.importorskip("tensorflow")
    image = astronaut[: side[0], : side[1]]
    for sheet in pyramid.sheets(*side, 20, 0.709):
        out = np.full((sheet.height, sheet.width, sheet.channels), -1, np.float32)
        pyramid.draw(image, sheet, out)
        for level in sheet.levels:
            part = out[level.top :, level.left :][: level.height, : level.width]
            size = (level.height, level.width)
            expected = tf.image.resize(image.astype(np.float32), size, method="area")
            np.testing.assert_allclose(part[..., :3], expected, rtol=0, atol=0.01)
            assert (part[..., 3:] == 0).all()
        if sheet.channels == 4:
            gaps = out[out[..., 3] == 1]
            filled = sum(level.height * level.width for level in sheet.levels)
            assert len(gaps) == sheet.height * sheet.width - filled
            assert (gaps[:, :3] == 0).all()


def test_proposals_are_those_of_the_package_level_by_level(astronaut):
    """P-Net on sheets against the package's own P-Net, for even and odd levels."""
    from fer_tf.faces import networks

    stage = __import__("mtcnn").stages.StagePNet()
    for image in (astronaut[:301, :418], astronaut[:47, :50]):
        for sheet in pyramid.sheets(*image.shape[:2], 20, 0.709):
            sheets = networks.empty((1, sheet.height, sheet.width, sheet.channels))
            pyramid.draw(image, sheet, sheets[0])
            drawn = sheets[0].copy()
            network = networks.proposal_network(sheet.channels)
            places, outputs = network(networks.tensor(sheets), -100.0)
            where = places.numpy()[:, 1:]
            everywhere = np.full((*where.max(axis=0) + 1, 5), np.nan)
            everywhere[tuple(where.T)] = outputs
            for level in sheet.levels:
                part = drawn[level.top :, level.left :, :3]
                part = part[: level.height, : level.width]
                offsets, faces = stage.model((part[None] - 127.5) / 128)
                rows, columns = faces.shape[1:3]
                ours = everywhere[level.top // 2 :, level.left // 2 :]
                ours = ours[:rows, :columns]
                np.testing.assert_allclose(ours[..., :4], offsets[0], atol=1e-4)
                confidences = 1 / (1 + np.exp(-ours[..., 4]))
                np.testing.assert_allclose(confidences, faces[0, ..., 1], atol=1e-4)
