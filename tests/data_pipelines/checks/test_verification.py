import dataclasses
import json
import os
import shutil
import time

import cv2
import numpy as np
import pytest

from data_pipelines import layouts
from data_pipelines.checks import verification
from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, open_source
from data_pipelines.synthetic import SyntheticOptions, draw
from tests import testing_utils


def kinds(report):
    return {f["kind"]: (f["count"], f["severity"]) for f in report["findings"]}


def test_duplicates_leaks_and_conflicts_are_counted(tmp_path):
    rows = list(testing_utils.fer2013_rows(20))
    pixels = lambda i: rows[i][1]
    rows += [
        (rows[1][0], pixels(1), "Training"),  # A copy in the same split.
        (rows[3][0], pixels(3), "PrivateTest"),  # A copy that reaches the test set.
        ((rows[5][0] + 1) % 7, pixels(5), "Training"),  # A copy with another label.
    ]
    testing_utils.write_fer2013_csv(tmp_path / "fer2013.csv", rows)
    report = verification.verify_source(open_source("fer2013", str(tmp_path)))
    assert kinds(report) == {
        "duplicate": (3, "warning"),
        "cross_split": (1, "warning"),
        "label_conflict": (1, "warning"),
        "count": (3, "error"),  # 23 rows are not FER2013's 35,887.
    }
    assert not report["ok"]
    assert sum(sum(c.values()) for c in report["counts"].values()) == 23


def test_pictures_that_cannot_be_used_are_errors_that_name_them(tmp_path):
    testing_utils.write_fer2013_folders(tmp_path, testing_utils.fer2013_rows(8))
    happy = tmp_path / "train" / "happy"
    (happy / "Training_77.jpg").write_bytes(b"<html>")
    (happy / "Training_78.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (happy / "Training_79.jpg").symlink_to("/etc/hostname")
    cv2.imwrite(str(happy / "Training_80.png"), np.zeros((9, 9), np.uint8))
    report = verification.verify_source(open_source("fer2013", str(tmp_path)))
    found = kinds(report)
    assert found["unreadable"] == (2, "error") and found["missing"] == (1, "error")
    assert found["unsafe_path"] == (1, "error")
    examples = {f["kind"]: f["examples"] for f in report["findings"]}
    assert examples["unreadable"] == [
        "train/happy/Training_77.jpg: an HTML page, not an image",
        "train/happy/Training_80.png: FER2013 pictures are 48x48, this one is 9x9",
    ]
    assert examples["missing"] == ["train/happy/Training_78.jpg: no such file"]


def test_rows_that_cannot_be_used_are_told_apart(tmp_path):
    lines = [
        "a.png,fear,0.5,0,train,anna", "b.png,fear,-2,0,train,",
        "../c.png,fear,0,0,train,", "a.png,anger,0,0,test,", "d.png,=1,0,0,test,",
        "e.png,fear", "f.png,,,,test,anna", "gone.png,fear,,,test,",
    ]  # fmt: skip
    text = "\n".join(["path,expression,valence,arousal,split,subject", *lines]) + "\n"
    (tmp_path / "labels.csv").write_text(text)
    rng = np.random.default_rng(0)
    for name in "abf":
        image = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
    report = verification.verify_source(open_source("csv", str(tmp_path)))
    assert kinds(report) == {
        "missing": (1, "error"),
        "bad_row": (2, "error"),
        "out_of_range": (1, "error"),
        "repeated_row": (1, "error"),
        "unsafe_path": (1, "error"),
        "subject_leak": (1, "error"),
    }
    # Nothing is lost: two pictures are counted, six rows are found.
    assert report["num_pictures"] == 2
    assert report["counts"] == {"train": {"fear": 1}, "test": {"unlabelled": 1}}


def test_listing_that_breaks_off_is_an_error_and_the_rest_is_reported(tmp_path):
    testing_utils.write_fer2013_csv(
        tmp_path / "fer2013.csv", testing_utils.fer2013_rows(6)
    )
    with open(tmp_path / "fer2013.csv", "a") as file:
        file.write("3,1 2 3")
    report = verification.verify_source(open_source("fer2013", str(tmp_path)))
    assert report["num_pictures"] == 6
    (finding,) = [f for f in report["findings"] if f["kind"] == "damaged"]
    assert "line 8: 2 fields" in finding["examples"][0]


def test_a_set_without_a_readable_picture_is_refused(tmp_path):
    (tmp_path / "fear").mkdir()
    (tmp_path / "fear" / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match="no picture can be read; fear/a.png: empty"):
        verification.verify_source(open_source("folder", str(tmp_path)))


def test_any_number_of_threads_gives_the_same_report(tmp_path):
    layouts.write("csv", str(tmp_path / "csv"), examples=150)
    source = open_source("csv", str(tmp_path / "csv"))
    done = []
    one = verification.verify_source(source, progress=done.append)
    assert done == list(range(1, 151))
    assert verification.verify_source(source, workers=4) == one


def test_splits_by_pixels_are_those_that_prepare_makes(tmp_path):
    layouts.write("facenonface", str(tmp_path / "in"), examples=120)
    source = open_source("facenonface", str(tmp_path / "in"))
    report = verification.verify_source(source)
    spec = source.crop_spec()
    manifest = prepare.prepare(source, str(tmp_path / "out"), crop_spec=spec)
    assert report["counts"] == manifest["counts"]


def test_rows_that_will_be_validation_are_counted_so(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["path,expression,split"]
    for number in range(40):
        image = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
        lines.append(f"{number}.png,fear,{'train' if number % 4 else 'test'}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    source = open_source("csv", str(tmp_path / "labels.csv"))
    manifest = prepared(source, tmp_path / "out")
    assert sum(manifest["counts"]["validation"].values()) > 0
    assert verification.verify_source(source)["counts"] == manifest["counts"]


def test_faces_are_searched_where_that_is_asked_for(tmp_path):
    options = SyntheticOptions(seed=0, size=224)
    for folder, image in (
        ("face", draw(5, options).image),
        ("face", np.full((200, 200, 3), 127, np.uint8)),
        ("nonface", draw(6, options).image),
        ("nonface", np.full((200, 210, 3), 127, np.uint8)),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        number = len(os.listdir(tmp_path / folder))
        cv2.imwrite(str(tmp_path / folder / f"{number}.png"), image[..., ::-1])
    source = open_source("facenonface", str(tmp_path))
    examples = lambda report: {f["kind"]: f["examples"] for f in report["findings"]}
    report = examples(verification.verify_source(source, faces=True))
    assert report["no_face"] == ["face/1.png"]
    assert report["unexpected_face"] == ["nonface/0.png"]
    assert "no_face" not in examples(verification.verify_source(source))


def test_few_pictures_wait_for_the_search_for_faces(tmp_path, monkeypatch):
    (tmp_path / "fear").mkdir()
    for number in range(40):
        path = tmp_path / "fear" / f"{number}.png"
        cv2.imwrite(str(path), np.full((9, 9), number, np.uint8))
    source = open_source("folder", str(tmp_path))
    loaded, held = [], []
    load = source.load
    monkeypatch.setattr(source, "load", lambda row: loaded.append(row) or load(row))

    class Search(verification.FaceSearch):
        def add(self, *picture):
            time.sleep(0.01)
            held.append(len(loaded) - len(held))

    monkeypatch.setattr(verification, "FaceSearch", Search)
    verification.verify_source(source, faces=True, workers=3)
    assert len(held) == 40 and max(held) <= 6


def test_videos_across_splits_and_blank_pictures_are_found(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    lines = ["path,expression,split"]
    for number, split in enumerate(("train", "train", "test", "test", "test")):
        image = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
        image = np.full_like(image, 90) if number == 4 else image
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
        lines.append(f"{number}.png,fear,{split}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    source = open_source("csv", str(tmp_path))
    videos, rows = iter(["v", "w", "v", "x", "x"]), source.rows
    named = lambda: (dataclasses.replace(row, video=next(videos)) for row in rows())
    monkeypatch.setattr(source, "rows", named)
    report = verification.verify_source(source)
    assert kinds(report) == {"video_leak": (1, "error"), "blank": (1, "warning")}
    examples = {f["kind"]: f["examples"] for f in report["findings"]}
    assert examples["blank"] == ["4.png"] and "v" in examples["video_leak"][0]


def prepared(source, output, **options):
    spec = source.crop_spec()
    return prepare.prepare(
        source, str(output), crop_spec=spec, detector="none", **options
    )


@pytest.mark.parametrize("format", ["tfrecord", "npz"])
def test_people_videos_and_copies_across_splits_of_a_prepared_folder(format, tmp_path):
    rng = np.random.default_rng(0)
    lines = ["path,expression,split,subject"]
    for number, (split, subject) in enumerate(
        [
            ("train", "anna"),
            ("test", "anna"),
            ("validation", "ben"),
            ("train", "ben"),
            ("test", "eve"),
        ]  # fmt: skip
    ):
        image = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
        lines.append(f"{number}.png,fear,{split},{subject}")
    shutil.copy(tmp_path / "0.png", tmp_path / "copy.png")
    lines += ["copy.png,anger,test,", "gone.png,anger,test,"]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    source = open_source("csv", str(tmp_path / "labels.csv"))
    manifest = prepared(source, tmp_path / "out", format=format)
    done = []
    report = verification.verify_prepared(str(tmp_path / "out"), progress=done.append)
    assert kinds(report) == {
        "subject_leak": (2, "error"),
        "cross_split": (1, "warning"),
        "label_conflict": (1, "warning"),
        "duplicate": (1, "warning"),
        "rejected": (1, "warning"),
    }
    assert report["counts"] == manifest["counts"] and done == [1, 2, 3, 4, 5, 6]
    examples = {f["kind"]: f["examples"] for f in report["findings"]}
    assert examples["subject_leak"][0] == "anna in test, train"
    assert examples["rejected"] == ["gone.png: no such file"]

    path = tmp_path / "out" / "manifest.json"
    manifest["counts"]["train"] = {"anger": 2}
    path.write_text(json.dumps(manifest))
    report = verification.verify_prepared(str(tmp_path / "out"))
    assert kinds(report)["count"] == (1, "error")


def test_a_whole_prepared_folder_has_no_errors(tmp_path):
    layouts.write("folder", str(tmp_path / "in"), examples=60)
    source = open_source("folder", str(tmp_path / "in"))
    manifest = prepared(source, tmp_path / "out")
    report = verification.verify_prepared(str(tmp_path / "out"))
    assert report["ok"] and report["counts"] == manifest["counts"]


def test_a_damaged_shard_is_found(tmp_path):
    source = open_source("synthetic", "examples=20,size=48")
    spec = source.crop_spec()
    manifest = prepare.prepare(source, str(tmp_path / "d"), crop_spec=spec)
    assert verification.verify_prepared(str(tmp_path / "d"))["ok"]
    shard = tmp_path / "d" / manifest["shards"][0]["name"]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(bytes(content))
    report = verification.verify_prepared(str(tmp_path / "d"))
    assert kinds(report)["shard"] == (1, "error") and not report["ok"]


@pytest.mark.real_data
@pytest.mark.long
def test_fer2013_is_what_its_readme_says(real_data, tmp_path):
    import tarfile

    with tarfile.open(real_data / "fer2013.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    report = verification.verify_source(
        open_source("fer2013", str(tmp_path)), workers=2
    )
    assert report["ok"]
    found = {kind: count for kind, (count, _) in kinds(report).items()}
    assert (found["duplicate"], found["cross_split"]) == (1516, 557)
    assert found["label_conflict"] == 57
    # The counts are right in every class: neither is there a finding.
    assert not {"count", "class_count", "label_order"} & set(found)
    totals = {split: sum(c.values()) for split, c in report["counts"].items()}
    assert totals == {"train": 28709, "validation": 3589, "test": 3589}


@pytest.mark.real_data
def test_people_before_one_backdrop_are_hardly_taken_for_copies(real_data, tmp_path):
    # 102 people neutral, and again smiling: other photographs, some much alike.
    for split, kind in (("train", "neutral"), ("test", "smiling")):
        (tmp_path / split / "neutral").mkdir(parents=True)
        for path in sorted((real_data / "london" / kind).glob("*.jpg")):
            image = cv2.imread(str(path), cv2.IMREAD_REDUCED_GRAYSCALE_4)
            cv2.imwrite(str(tmp_path / split / "neutral" / f"{path.stem}.png"), image)
    report = verification.verify_source(open_source("folder", str(tmp_path)))
    assert report["num_pictures"] == 204
    # 10,404 pairs across the splits.
    assert kinds(report).get("near_duplicate", (0,))[0] <= 10
