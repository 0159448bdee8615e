from collections import Counter

import numpy as np
import pytest

from data_pipelines import synthetic
from data_pipelines.preparation import cropping
from data_pipelines.sources import DataError, Sample
from fer_tf import faces
from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CROP_SPECS

SPEC = CROP_SPECS["zhang2020"]
FACE = synthetic.draw(0, synthetic.SyntheticOptions(size=200))
FIVE = np.array([(20, 25), (40, 25), (30, 35), (22, 45), (38, 45)], float)
BLANK = np.full((90, 120, 3), 127, np.uint8)


def crop(sample, image, **kwargs):
    how = Counter()
    made = cropping.Cropping(SPEC, **kwargs)
    ((sample, _, found),) = made.crops([(sample, image)], how)
    return sample, found, dict(how)


class Stub:
    """Finds what the test says."""

    found = []

    def detect(self, images):
        return [self.found for _ in images]


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setattr(faces, "MTCNNDetector", Stub, raising=False)
    return Stub


def test_annotated_landmarks_align_and_move_into_the_crop():
    sample = Sample(sample_id="a", landmarks=FACE.landmarks)
    sample, found, how = crop(sample, FACE.image, detector="annotated")
    assert how == {"aligned": 1} and found.shape == (112, 112, 3)
    five = alignment.landmarks5(FACE.landmarks)
    np.testing.assert_array_equal(found, alignment.align(FACE.image, five, SPEC))
    moved = alignment.landmarks5(sample.landmarks)
    template = alignment.template_points(SPEC)
    assert np.abs(moved - template).max() < 112 * 0.12


def test_points_on_a_line_are_as_good_as_none():
    spec = CROP_SPECS["gan2020"]  # Affine: a line leaves it undetermined.
    sample = Sample(
        sample_id="a", box=(5, 5, 60, 60), landmarks=[[k, k] for k in range(5)]
    )
    how = Counter()
    ((_, _, found),) = cropping.Cropping(spec, "annotated").crops(
        [(sample, BLANK)], how
    )
    assert how == {"box": 1}
    np.testing.assert_array_equal(found, alignment.crop_box(BLANK, sample.box, spec))


def test_the_face_of_the_annotated_box_is_chosen_not_the_largest(stub):
    points = alignment.landmarks5(FACE.landmarks)
    beside = {"box": [150, 10, 40, 40], "confidence": 1.0, "landmarks": points + 60}
    large = {"box": [0, 0, 120, 120], "confidence": 1.0, "landmarks": points}
    stub.found = [large, beside]
    at = lambda box: crop(Sample(sample_id="a", box=box), FACE.image, detector="mtcnn")[
        1
    ]
    small = at((148, 8, 44, 44))
    np.testing.assert_array_equal(small, alignment.align(FACE.image, points + 60, SPEC))
    np.testing.assert_array_equal(at(None), alignment.align(FACE.image, points, SPEC))


def test_a_face_beside_the_box_is_somebody_elses(stub):
    points = alignment.landmarks5(FACE.landmarks)
    stub.found = [{"box": [150, 10, 40, 40], "confidence": 1.0, "landmarks": points}]
    sample = Sample(sample_id="a", box=(5, 120, 60, 60))
    assert crop(sample, FACE.image, detector="mtcnn")[2] == {"box": 1}


@pytest.mark.parametrize(
    "choice, box, way",
    [("whole", (1, 2, 30, 40), "whole"), ("box", (1, 2, 30, 40), "box"),
     ("box", None, "whole"), ("skip", None, "skip")],
)  # fmt: skip
def test_where_no_face_is_found_the_choice_is_made_and_counted(choice, box, way, stub):
    stub.found = []
    sample = Sample(sample_id="a", box=box)
    _, found, how = crop(sample, BLANK, detector="mtcnn", on_no_face=choice)
    assert how == {way: 1}
    assert (found is None) == (way == "skip")


@pytest.mark.parametrize("detector", ["annotated", "mtcnn"])
def test_an_annotation_beside_the_picture_is_as_good_as_none(detector, stub):
    """A crop of it would be black, under a label."""
    stub.found = []
    beside = [
        Sample(sample_id="a", box=(500, 20, 50, 50)),
        Sample(sample_id="b", box=(-60, 20, 50, 50)),
        Sample(sample_id="c", landmarks=FACE.landmarks + 900),
    ]
    for sample in beside:
        kept, found, how = crop(sample, BLANK, detector=detector)
        assert how == {"whole": 1} and found.max() > 0
        assert kept.box is None and kept.landmarks is None  # Nor into the record.
    # One that reaches into it is as owners draw them.
    edge = Sample(sample_id="d", box=(100, 20, 50, 50))
    assert crop(edge, BLANK, detector=detector)[2] == {"box": 1}
    if detector == "mtcnn":  # The face that is found is not far from no box.
        stub.found = [{"box": [10, 10, 40, 40], "landmarks": FIVE, "confidence": 1.0}]
        assert crop(beside[0], BLANK, detector=detector)[2] == {"aligned": 1}


def test_a_face_without_a_box_that_is_not_found_is_cut_by_its_landmarks(stub):
    stub.found = []
    sample = Sample(sample_id="a", landmarks=FACE.landmarks)
    missed, found, how = crop(sample, FACE.image, detector="mtcnn")
    asked, wanted, _ = crop(sample, FACE.image, detector="annotated")
    assert how == {"landmarks": 1}
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(missed.landmarks, asked.landmarks)


def test_no_face_can_be_an_error_that_names_the_picture(stub):
    stub.found = []
    with pytest.raises(DataError, match="a.jpg: no face found"):
        crop(Sample(sample_id="a", path="a.jpg"), BLANK, detector="mtcnn",
             on_no_face="error")  # fmt: skip


def test_a_grey_crop_that_fits_is_stored_untouched():
    image = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    made = cropping.Cropping(CROP_SPECS["meen"])
    ((_, _, found),) = made.crops([(Sample(sample_id="a"), image)], Counter())
    np.testing.assert_array_equal(found[..., 0], image)


def test_pictures_keep_their_order_over_batches(stub):
    stub.found = []
    images = [np.full((20, 20), value, np.uint8) for value in range(40)]
    pictures = [(Sample(sample_id=str(i)), image) for i, image in enumerate(images)]
    found = list(cropping.Cropping(SPEC, "mtcnn", "whole").crops(pictures, Counter()))
    assert [sample.sample_id for sample, *_ in found] == list(map(str, range(40)))
    assert [int(image.max()) for *_, image in found] == list(range(40))


def test_large_pictures_are_not_gathered():
    """Sixteen photographs of 64 megapixels are 3 GB."""
    shapes = [(8000, 8000)] * 2 + [(9, 9)] * 20 + [(4000, 3000)] * 4
    pictures = ((None, np.broadcast_to(np.uint8(0), (*s, 3))) for s in shapes)
    sizes = [len(batch) for batch in cropping._batches(pictures)]
    assert sizes == [1, 1, 16, 7, 1]
