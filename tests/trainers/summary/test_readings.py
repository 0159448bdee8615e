import json
import os

import pytest

from tests.trainers.summary.written import PICTURES, write
from trainers.summary import readings


def test_conditions_and_people_of_pictures(tmp_path):
    write(tmp_path, PICTURES)
    found = readings.read(str(tmp_path), "stem")
    assert found.names == ["happiness"] and len(found.values) == 6
    assert found.groups.tolist() == ["neutral"] * 4 + ["smiling"] * 2
    assert found.people.tolist() == ["ann", "ann", "bea", "cem", "ann", "bea"]
    assert found.left_out == {
        "without a face": {"smiling": 1}, "smaller faces": {"neutral": 1},
    }  # fmt: skip
    everybody = readings.read(str(tmp_path), "auto")
    assert len(set(everybody.people)) == len(everybody.people) == 7


def test_a_video_has_the_condition_of_its_folder_and_its_people(tmp_path):
    write(tmp_path / "before" / "x", [("/v/s1_x.mp4", 0.0, [0.1, 0.2])])
    write(tmp_path / "after" / "x", [("/v/s1_y.mp4", 0.04, [0.3])])
    found = readings.read(str(tmp_path), "auto")
    assert found.groups.tolist() == ["after", "before", "before"]
    assert found.people.tolist() == ["/v/s1_y.mp4#1", "/v/s1_x.mp4#1", "/v/s1_x.mp4#2"]
    assert found.times.tolist() == [0.04, 0.0, 0.0]
    found = readings.read(str(tmp_path), r"(s\d+)_")
    assert found.people.tolist() == ["s1", "s1"]
    assert set(readings.read(str(tmp_path / "after" / "x"), "auto").groups) == {"all"}


def test_a_track_that_is_no_person_is_left_out(tmp_path):
    write(tmp_path, [("/v/x.mp4", 0.0, [0.9, 0.2])])
    path = tmp_path / "predictions.jsonl"
    path.write_text(path.read_text().replace('"person": 1', '"person": null'))
    found = readings.read(str(tmp_path), "auto")
    assert found.people.tolist() == ["/v/x.mp4#2"]
    assert found.left_out == {"of no person": {"all": 1}}
    # Where one person is in each video, it is the largest face that is a person's.
    assert readings.read(str(tmp_path), "stem").values.tolist() == [[0.2]]


def test_the_models_that_read_the_faces(tmp_path):
    write(tmp_path / "before" / "x", [("/v/a.mp4", 0.0, [0.1])])
    assert readings.models(str(tmp_path)) == []
    model = {"weights": "aa", "calibrated": False, "unsure_below": 0.4}
    about = {"calibrated": False, "unsure_below": 0.4}
    for folder, run in (
        ("before/x", {"weights": "aa", "video": "/v/a.mp4", "about": about}),
        ("before/y", {"weights": "aa", "video": "/v/b.mp4", "about": about}),
        ("after/y", {"weights": "bb"}),  # As earlier versions wrote it.
    ):
        write(tmp_path / folder, [("/v/a.mp4", 0.0, [0.1])])
        (tmp_path / folder / "run.json").write_text(json.dumps(run))
    assert readings.models(str(tmp_path)) == [{"weights": "bb"}, model]
    run = {
        "weights": "bb",
        "about": {"fer_tf": "2"},
        "about_earlier": [{"fer_tf": "1"}],
    }
    (tmp_path / "after" / "y" / "run.json").write_text(json.dumps(run))
    versions = [{"weights": "bb", "fer_tf": version} for version in "12"]
    assert readings.models(str(tmp_path)) == [*versions, model]


def test_pictures_that_could_not_be_read_are_counted_apart(tmp_path):
    write(tmp_path, PICTURES)
    lines = "".join(
        json.dumps({"source": f"{i}.jpg", "faces": [], "error": error}) + "\n"
        for i, error in enumerate(("no face found", "not a picture"))
    )
    with open(tmp_path / "predictions.jsonl", "a") as file:
        file.write(lines)
    found = readings.read(str(tmp_path), "auto").left_out
    assert found == {
        "without a face": {"all": 1, "smiling": 1},
        "that could not be read": {"all": 1},
    }  # fmt: skip


def test_a_folder_that_cannot_be_read_is_not_skipped(tmp_path, monkeypatch):
    write(tmp_path / "before", PICTURES)
    (tmp_path / "locked").mkdir()
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match="locked"):
        readings.read(str(tmp_path), "auto")


def test_what_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="no predictions.jsonl here or below"):
        readings.read(str(tmp_path), "auto")
    write(tmp_path, PICTURES[-1:])
    with pytest.raises(ValueError, match="no face with readings"):
        readings.read(str(tmp_path), "auto")
    write(tmp_path, PICTURES)
    with pytest.raises(ValueError, match="has no group that matches 'neutral/ann.jpg'"):
        readings.read(str(tmp_path), r"(s\d+)_")
    for bad in ("[1]", "{", json.dumps({"source": "a", "faces": [3]}),
                json.dumps({"source": "a", "faces": [{"valence": "x"}]})):  # fmt: skip
        (tmp_path / "predictions.jsonl").write_text(bad + "\n")
        with pytest.raises(ValueError, match="jsonl: line 1: not a line of"):
            readings.read(str(tmp_path), "auto")
