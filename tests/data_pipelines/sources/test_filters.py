import cv2
import numpy as np
import pytest

from data_pipelines.batches import pipeline
from data_pipelines.checks import verification
from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, OptionError, Sample, filters, open_source
from data_pipelines.sources.filters import Excluding, FindingLandmarks, KeepingLabels
from data_pipelines.sources.splits import split_of
from data_pipelines.storage import manifests
from tests import testing_utils
from trainers.training import assembly


@pytest.fixture
def source(tmp_path):
    """Rows 0 to 19 are Training's first; four more are copies of some."""
    rows = list(testing_utils.fer2013_rows(20))
    assert [rows[i][2] for i in (1, 3, 5, 7)] == ["Training"] * 4
    rows += [
        (rows[1][0], rows[1][1], "Training"),
        (rows[3][0], rows[3][1], "PrivateTest"),
        ((rows[5][0] + 1) % 7, rows[5][1], "Training"),
        # Another label in the test set: what is measured on stays as it is.
        ((rows[7][0] + 1) % 7, rows[7][1], "PublicTest"),
    ]
    (tmp_path / "in").mkdir()
    testing_utils.write_fer2013_csv(tmp_path / "in" / "fer2013.csv", rows)
    return open_source("fer2013", str(tmp_path / "in"))


def ids(source):
    return [row.sample_id for row in source.rows()]


@pytest.fixture
def listed(source, tmp_path):
    surplus = []
    verification.verify_source(source, surplus=surplus)
    path = str(tmp_path / "copies.csv")
    assert filters.write_exclusions(path, surplus) == len(surplus)
    return path


def test_copies_and_pictures_of_two_labels_are_listed_in_training_alone(source, listed):
    names, found = ids(source), filters.read_exclusions(listed)
    assert set(found) == {names[i] for i in (3, 5, 7, 20, 22)}
    assert found[names[20]].startswith(f"same picture as {names[1]} (train")
    assert found[names[3]].startswith(f"same picture as {names[21]} (test")
    assert found[names[7]].startswith(f"same picture as {names[23]} (validation")
    assert found[names[5]] == found[names[22]]
    assert "another label" in found[names[5]]


def test_what_is_listed_is_left_out_counted_and_nothing_else_changes(
    source, listed, tmp_path
):
    whole, less = str(tmp_path / "whole"), str(tmp_path / "less")
    spec = source.crop_spec()
    before = prepare.prepare(source, whole, crop_spec=spec)
    shorter = Excluding(source, listed)
    after = prepare.prepare(shorter, less, crop_spec=spec, workers=2)
    assert before["num_examples"] - after["num_examples"] == len(after["rejects"]) == 5
    assert all("left out by the list" in r["reason"] for r in after["rejects"])
    for split in ("validation", "test"):
        assert after["counts"][split] == before["counts"][split]
    assert before["source"]["sha256"] != after["source"]["sha256"]
    assert manifests.read(less)["dataset"] == "fer2013"
    again = []
    verification.verify_source(shorter, surplus=again)
    assert again == []


def test_a_list_cannot_name_what_the_pixels_put_in_the_test_set(tmp_path):
    """Folders of classes have no splits; their pictures' pixels decide."""
    folder = tmp_path / "in" / "fear"
    folder.mkdir(parents=True)
    for number in range(60):
        picture = np.full((8, 8), number, np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    source = open_source("folder", str(tmp_path / "in"))
    split = {}
    for row in source.rows():
        split.setdefault(split_of(*source.load(row), source.holdout), row.name)
    path = tmp_path / "list.csv"
    for name in ("test", "validation"):
        path.write_text(f"row,reason\n{split[name]},mine\n")
        with pytest.raises(DataError, match=f"is of {name}; only training rows"):
            list(Excluding(source, str(path)).rows())
    path.write_text(f"row,reason\n{split['train']},mine\n")
    assert len(ids_of(Excluding(source, str(path)))) == 59


def ids_of(source):
    return [row for row in source.rows() if isinstance(row, Sample)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row,reason\n{test},mine\n", "is of test; only training rows"),
        ("row,reason\nnowhere,mine\n", "1 rows are not in the source, such as nowhere"),
        ("name\nx\n", "must begin with the line row,reason"),
        ("row,reason\na,b,c\n", "line 2: not two cells"),
        ("row,reason\n\0\xff", "not"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(source, tmp_path, text, message):
    path = tmp_path / "list.csv"
    path.write_text(text.format(test=ids(source)[21]), encoding="latin-1")
    with pytest.raises(DataError, match=message):
        list(Excluding(source, str(path)).rows())


def prepared(source, folder):
    spec = source.crop_spec()
    prepare.prepare(source, str(folder), crop_spec=spec, workers=2)
    return str(folder)


def weights(folder, split="train"):
    """`{kind: (rows, ...) 0 or 1}` of what a training sees."""
    batches = pipeline.eval_batches(
        pipeline.open_prepared(folder), split, size=48, channels=1, batch_size=64
    )
    batch = next(iter(batches))
    real = batch["mask"].numpy() > 0
    names = ("expression", "valence_arousal", "action_units", "is_face")
    return {name: batch[f"{name}_weight"].numpy()[real] for name in names}


def test_what_is_not_kept_is_missing_and_the_rest_is_as_it_was(tmp_path):
    whole = open_source("synthetic", "seed=3,examples=60,size=48")
    part = KeepingLabels(whole, ["valence_arousal", "is_face"])
    every, kept = (prepared(s, tmp_path / n) for s, n in ((whole, "a"), (part, "b")))
    before, after = weights(every), weights(kept)
    assert all(np.all(weight == 1) for weight in before.values())
    assert np.all(after["expression"] == 0) and np.all(after["action_units"] == 0)
    assert np.all(after["valence_arousal"] == 1) and np.all(after["is_face"] == 1)
    one, other = (manifests.read(folder) for folder in (every, kept))
    assert set(other["counts"]["train"]) == {"face"} and len(one["counts"]["train"]) > 5
    assert one["num_examples"] == other["num_examples"]
    assert one["source"]["sha256"] != other["source"]["sha256"]
    assert other["source"]["layout"].endswith("without expression, action_units")


@pytest.mark.slow
def test_a_set_without_expressions_may_come_first(tmp_path):
    sources = [
        open_source("synthetic", f"seed={n},examples=40,size=48") for n in (1, 2)
    ]
    sources[0] = KeepingLabels(sources[0], ["valence_arousal"])
    folders = [prepared(s, tmp_path / str(n)) for n, s in enumerate(sources)]
    both = pipeline.open_prepared(",".join(folders))
    config = testing_utils.tiny_config()
    config.eval_batch_size = 1
    # It is refused where `select`, the accuracy, cannot be measured.
    assembly.assemble(config, both, str(tmp_path / "run")).check()
    with pytest.raises(ValueError, match="no labels of what the model predicts"):
        assembly.assemble(
            config, pipeline.open_prepared(folders[0]), str(tmp_path / "none")
        ).check()


def test_an_unknown_kind_is_refused():
    with pytest.raises(OptionError, match="no kind 'valence'; there are expression, v"):
        KeepingLabels(open_source("synthetic", "examples=9"), ["valence"])


class _Detector:
    """Finds a small and a large face in bright pictures, in dark ones none."""

    def detect(self, image):
        assert image.shape == (48, 48, 3)
        if image.mean() < 128:
            return []
        face = lambda side, at: {
            "box": [0, 0, side, side], "landmarks": np.full((5, 2), at, float)
        }  # fmt: skip
        return [face(10, 3.0), face(30, 12.0)]


def test_found_landmarks_are_the_largest_faces_and_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(filters, "_detector", _Detector)
    images = np.zeros((4, 48, 48), np.uint8)
    images[1] = 200
    usages = ["Training", "Training", "PublicTest", "PrivateTest"]
    path = tmp_path / "fer2013.csv"
    testing_utils.write_fer2013_csv(path, zip([3] * 4, images, usages))
    whole = open_source("fer2013", str(path))
    found = FindingLandmarks(whole)
    assert found.fingerprint != whole.fingerprint and "MTCNN" in found.layout
    folder = prepared(found, tmp_path / "out")
    manifest = manifests.read(folder)
    assert manifest["num_landmarks"] == 5 and manifest["with_landmarks"] == 1
    assert manifest["cropped"] == {"whole": 4}
    columns = (
        pipeline.open_prepared(folder)
        .files("train")
        .columns(("landmarks", "landmarks_weight"))
    )
    assert sorted(columns["landmarks_weight"]) == [0, 1]
    assert columns["landmarks"][columns["landmarks_weight"] > 0].mean() == 12.0


def test_landmarks_of_its_own_are_not_replaced():
    with pytest.raises(OptionError, match="synthetic has landmarks of its own"):
        FindingLandmarks(open_source("synthetic", "examples=9"))
