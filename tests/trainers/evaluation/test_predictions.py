import numpy as np
import pytest

from trainers.evaluation.predictions import Predictions


@pytest.mark.parametrize(
    "subject, video, unit, count",
    [
        ([b"", b"", b""], [b"", b"", b""], "example", 3),
        ([b"", b"", b""], [b"v", b"v", b"w"], "video", 2),
        ([b"a", b"a", b""], [b"v", b"w", b"w"], "subject or video", 2),
        # A set of people beside one of videos: a video stays one unit.
        ([b"a", b"", b""], [b"", b"v", b"v"], "subject or video", 2),
        # A person called like a picture is not that picture.
        ([b"z", b"a", b""], [b"", b"", b""], "subject or example", 3),
    ],
)
def test_what_is_independent(subject, video, unit, count):
    predictions = Predictions(
        outputs={},
        labels={},
        weights={},
        sample_id=np.array([b"x", b"y", b"z"], object),
        subject=np.array(subject, object),
        video=np.array(video, object),
    )
    found, name = predictions.independent_units()
    assert (name, len(np.unique(found))) == (unit, count)


def test_pictures_of_two_sets_that_share_ids_are_two_units():
    ids = np.array([b"1.png", b"2.png", b"1.png", b"2.png"], object)
    found, _ = Predictions.from_columns({"sample_id": ids}).independent_units()
    assert len(np.unique(found)) == 4


def test_a_file_holds_all_of_it(tmp_path):
    one = Predictions(
        outputs={"action_units": np.ones((2, 3)), "valence": np.ones((2, 1))},
        labels={"action_units": np.eye(2, 3), "valence_arousal": np.ones((2, 2))},
        weights={"action_units": np.eye(2, 3), "valence_arousal": np.array([1.0, 0])},
        sample_id=np.array([b"x", b"yy"], object),
        groups=np.array([b"", b'{"age": "old"}'], object),
        action_unit_names=("AU1", "AU2", "brow"),
    )
    path = str(tmp_path / "outputs" / "clean.npz")
    one.save(path)
    again = Predictions.load(path)
    assert again.columns().keys() == one.columns().keys()
    for name, values in again.columns().items():
        np.testing.assert_array_equal(values, one.columns()[name], err_msg=name)
    assert again.action_unit_names == one.action_unit_names
    assert again.subject is again.video is None and len(again) == 2


def test_faces_are_taken_with_all_that_is_known_of_them():
    whole = Predictions(
        outputs={"expression": np.arange(6).reshape(3, 2)},
        labels={"expression": np.array([0, 1, 1])},
        weights={"expression": np.array([1, 0, 1])},
        sample_id=np.array([b"a", b"b", b"c"]),
        subject=np.array([b"p", b"q", b"r"]),
    )
    assert whole.labelled("expression").tolist() == [True, False, True]
    assert whole.labelled("is_face").tolist() == [False] * 3
    part = whole.take(whole.labelled("expression"))
    assert part.outputs["expression"].tolist() == [[0, 1], [4, 5]]
    assert (part.subject.tolist(), part.labels["expression"].tolist()) == (
        [b"p", b"r"], [0, 1]
    )  # fmt: skip
    both = Predictions.concatenate([part, whole])
    assert both.sample_id.tolist() == [b"a", b"c", b"a", b"b", b"c"]
