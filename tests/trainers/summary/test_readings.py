import json
import os

import pytest

from tests.trainers.summary.written import PICTURES, write
from trainers.summary import readings, study_tables


def test_conditions_and_people_of_pictures(tmp_path):
    write(tmp_path, PICTURES)
    found = readings.read(str(tmp_path), "stem")
    assert found.names == ["happiness"] and len(found.values) == 6
    assert found.groups.tolist() == ["neutral"] * 4 + ["smiling"] * 2
    assert found.people.tolist() == ["ann", "ann", "bea", "cem", "ann", "bea"]
    assert found.left_out == {
        "without a face": {"smiling": 1},
        "of others than the one person of a file": {"neutral": 1},
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
    assert found.values.tolist() == [[0.3], [0.1]]
    assert set(readings.read(str(tmp_path / "after" / "x"), "auto").groups) == {"all"}


def test_a_file_shows_the_person_who_is_seen_longest_not_who_is_largest(tmp_path):
    """Two people by turns: the second is there throughout, and the first is larger."""
    frames = [("/v/x.mp4", t / 10, [0.9, 0.2]) for t in range(3)]
    write(tmp_path, [*frames, ("/v/x.mp4", 0.3, [0.9, 0.2])])
    path = tmp_path / "predictions.jsonl"
    lines = path.read_text().splitlines()
    lines[3] = json.dumps(
        {
            **json.loads(lines[3]),
            "faces": [
                {"box": [0, 0, 9, 9], "probabilities": {"happiness": 0.3}, "person": 2}
            ],
        }
    )
    path.write_text("\n".join(lines) + "\n")
    found = readings.read(str(tmp_path), r"(x)\.")
    assert found.values[:, 0].tolist() == [0.2, 0.2, 0.2, 0.3]
    assert found.left_out == {"of others than the one person of a file": {"all": 3}}


def test_clips_of_a_folder_have_the_condition_of_their_records(tmp_path):
    for name, condition in (("before/a", "before"), ("b", "")):
        write(tmp_path / name, [(f"{name}.mp4", 0.0, [0.5])])
        path = tmp_path / name / "predictions.jsonl"
        record = {**json.loads(path.read_text()), "condition": condition}
        path.write_text(json.dumps(record) + "\n")
    assert readings.read(str(tmp_path), "auto").groups.tolist() == ["all", "before"]


def table(tmp_path, text):
    (tmp_path / "people.csv").write_text(text)
    return study_tables.participants(str(tmp_path / "people.csv"))


def test_a_table_says_who_is_who_in_clips_of_several_people(tmp_path):
    for folder in ("before", "after"):
        write(tmp_path / "out" / folder, [(f"/v/{folder}/d1.mp4", 0.0, [0.1, 0.2])])
    # In the second clip their numbers are the other way round.
    text = "participant,source,person,role\nann,before/d1.mp4,1,host\n"
    text += "ann,after/d1.mp4,2,host\nbea,before/d1.mp4,2,guest\ncem,d9.mp4,,guest\n"
    found = readings.read(str(tmp_path / "out"), "auto", table(tmp_path, text))
    who = dict(zip(zip(found.groups.tolist(), found.values[:, 0]), found.people))
    assert who == {
        ("after", 0.2): "ann",
        ("before", 0.1): "ann",
        ("before", 0.2): "bea",
    }
    assert found.facts["role"].tolist() == ["host", "host", "guest"]
    assert found.unseen == ("cem",)
    assert found.left_out == {"of nobody in the table of participants": {"after": 1}}
    with pytest.raises(ValueError, match="lines 2 and 3 name one person of /v/bef"):
        both = text.replace("after/d1.mp4,2", "d1.mp4,1")
        readings.read(str(tmp_path / "out"), "auto", table(tmp_path, both))


def test_without_a_number_it_is_the_person_seen_longest_or_the_largest_face(tmp_path):
    frames = [("/v/x.mp4", 0.0, [0.9, 0.2]), ("/v/x.mp4", 0.1, [0.8])]
    write(tmp_path / "out" / "v", frames)
    write(tmp_path / "out" / "p", [("p/a.jpg", None, [0.3, 0.4])])
    people = table(tmp_path, "participant,source\nann,x.mp4\nbea,a.jpg\n")
    found = readings.read(str(tmp_path / "out"), "auto", people)
    assert dict(zip(found.values[:, 0], found.people)) == {
        0.3: "bea", 0.9: "ann", 0.8: "ann"
    }  # fmt: skip


def test_facts_join_by_the_name_of_the_person(tmp_path):
    write(tmp_path / "out", PICTURES)
    people = table(tmp_path, "participant;age\nann;30\nbea;\n")
    found = readings.read(str(tmp_path / "out"), "stem", people)
    assert found.people.tolist() == ["ann", "ann", "bea", "ann", "bea"]
    assert found.facts["age"].tolist() == ["30", "30", "", "30", ""]
    assert found.left_out["of nobody in the table of participants"] == {"neutral": 1}
    with pytest.raises(ValueError, match="people.csv: names nobody .*, such as 'ann'"):
        readings.read(
            str(tmp_path / "out"), "stem", table(tmp_path, "participant\nx\n")
        )


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
    model = {"weights": "aa", "calibrated": False, "unsure_below": 0.4, "every": 2}
    about = {"calibrated": False, "unsure_below": 0.4}
    for folder, run in (
        (
            "before/x",
            {"weights": "aa", "video": "/v/a.mp4", "every": 2, "about": about},
        ),
        (
            "before/y",
            {"weights": "aa", "video": "/v/b.mp4", "every": 2, "about": about},
        ),
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
