import dataclasses

import cv2
import numpy as np
import pytest

from data_pipelines import synthetic
from data_pipelines.synthetic import geometry

SMALL = synthetic.SyntheticOptions(size=48)


def test_example_does_not_depend_on_order_or_on_the_global_generator():
    np.random.seed(1)
    state = np.random.get_state()[1].copy()
    first = {i: synthetic.draw(i, SMALL) for i in (3, 700, 5)}
    again = {i: synthetic.draw(i, SMALL) for i in (5, 3, 700)}
    for i, face in first.items():
        for field in dataclasses.fields(face):
            a, b = getattr(face, field.name), getattr(again[i], field.name)
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    other = synthetic.draw(3, dataclasses.replace(SMALL, seed=1))
    assert (other.image != first[3].image).mean() > 0.5


@pytest.mark.parametrize("size", [96, 131, 256])
def test_same_face_at_every_size(size):
    small = synthetic.draw(11, SMALL)
    large = synthetic.draw(11, dataclasses.replace(SMALL, size=size))
    assert large.image.shape == (size, size, 3)
    assert large.image.dtype == np.uint8
    # Pixel centres are whole numbers, so the picture's corner is at -1/2.
    np.testing.assert_allclose(
        (large.landmarks + 0.5) / size, (small.landmarks + 0.5) / 48, atol=1e-5
    )
    for name in ("expression", "valence", "arousal", "subject", "au_intensities"):
        assert getattr(large, name) == getattr(small, name)
    shrunk = cv2.resize(large.image, (48, 48), interpolation=cv2.INTER_AREA)
    difference = shrunk.astype(float) - small.image
    assert abs(difference.mean()) < 3
    assert np.abs(cv2.blur(difference, (3, 3))).mean() < 6


def test_landmarks_inside_and_around_the_template(unpainted):
    landmarks = np.stack([face.landmarks for face in unpainted(400)])
    assert landmarks.dtype == np.float32
    assert landmarks.min() >= -0.5 and landmarks.max() <= 47.5
    five = np.stack([geometry.five_points(points) for points in landmarks])
    template = synthetic.template()
    assert template.shape == (5, 2) and template.dtype == np.float64
    middle = np.median(five, axis=0) / 48
    np.testing.assert_allclose(middle[:3], template[:3], atol=0.03)
    assert template[0, 0] < template[1, 0] and template[3, 0] < template[4, 0]


def test_non_faces_have_no_labels_and_leave_the_others_alone():
    options = dataclasses.replace(SMALL, non_faces=0.4)
    faces = [synthetic.draw(i, options) for i in range(80)]
    empty = [face for face in faces if not face.is_face]
    assert 0.2 < len(empty) / len(faces) < 0.6
    unlabelled = {f.name for f in dataclasses.fields(synthetic.DrawnFace)}
    for name in unlabelled - {"image", "is_face", "subject"}:
        assert all(getattr(face, name) is None for face in empty)
    assert not synthetic.moving_regions(empty[0]).any()
    kept = next(i for i, face in enumerate(faces) if face.is_face)
    np.testing.assert_array_equal(faces[kept].image, synthetic.draw(kept, SMALL).image)


def test_subjects_return_and_stay_in_one_split(unpainted):
    subjects = [face.subject for face in unpainted(1200)]
    names, counts = np.unique(subjects, return_counts=True)
    assert len(names) == 200 and set(counts) == {6}
    splits = [synthetic.split_of(f"s0_{k:05d}", 0) for k in range(4000)]
    for split, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        assert abs(splits.count(split) / 4000 - share) < 0.02
    assert splits != [synthetic.split_of(f"s0_{k:05d}", 1) for k in range(4000)]


def test_a_person_stays_in_one_group(unpainted):
    people = {}
    for face in unpainted(1200):
        people.setdefault(face.subject, []).append(face.groups)
    assert all(g == groups[0] for groups in people.values() for g in groups)
    skins = [groups[0]["skin"] for groups in people.values()]
    for skin in ("light", "medium", "dark"):
        assert abs(skins.count(skin) / len(skins) - 1 / 3) < 0.12


def test_grey_has_three_equal_channels():
    image = synthetic.draw(0, dataclasses.replace(SMALL, grey=True)).image
    assert image.shape == (48, 48, 3)
    assert (image == image[..., :1]).all()


def test_negative_index_is_an_error():
    with pytest.raises(ValueError, match="index"):
        synthetic.draw(-1, SMALL)


@pytest.mark.long
def test_stock_mtcnn_finds_the_faces():
    detector = pytest.importorskip("mtcnn").MTCNN()
    options = synthetic.SyntheticOptions(size=224)
    names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    found, faces = 0, [synthetic.draw(i, options) for i in range(12)]
    for face in faces:
        detections = detector.detect_faces(face.image)
        if len(detections) != 1:
            continue
        found += 1
        points = np.array([detections[0]["keypoints"][name] for name in names])
        drawn = geometry.five_points(face.landmarks)
        distance = np.linalg.norm(points - drawn, axis=1).mean()
        assert distance < 0.2 * np.linalg.norm(drawn[1] - drawn[0])
    assert found >= 11
