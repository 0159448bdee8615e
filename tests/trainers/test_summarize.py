import json

import pytest

from tests.testing_utils import assert_one_line, run_command
from tests.trainers.summary.written import PICTURES, write


def summarize(tmp_path, *arguments):
    folders = (f"--input={tmp_path / 'out'}", f"--output={tmp_path / 'sum'}")
    return run_command("summarize", *folders, *arguments)


def test_pictures_become_a_page_numbers_and_figures(tmp_path):
    write(tmp_path / "out", PICTURES)
    about = {"model": "net", "model_folder": "best", "detector": "MTCNN 1"}
    about |= {"fer_tf": "0.1.0", "calibrated": False, "unsure_below": 0.444}
    run = {"weights": "0123456789abcdef", "about": about}
    (tmp_path / "out" / "run.json").write_text(json.dumps(run))
    result = summarize(tmp_path, "--person=stem")
    assert result.returncode == 0, result.stderr
    names = {path.name for path in (tmp_path / "sum").iterdir()}
    pictures = {"means.png", "differences.png"}
    assert names == {"summary.json", "summary.md", "people.csv", *pictures}
    page = (tmp_path / "sum" / "summary.md").read_text()
    assert "| happiness | 0.500 [-0.771, 1.771] | yes | 2 of 2 |" in page
    assert (
        "`0123456789ab` of `best` (net) in fer-tf 0.1.0, with uncalibrated "
        "probabilities; faces found by MTCNN 1; unsure below 0.444." in page
    )
    assert "neutral (3 people, 4 faces)" in page and page in result.stdout
    found = json.loads((tmp_path / "sum" / "summary.json").read_text())
    assert found["differences"][0]["values"]["happiness"]["larger"] == 2
    result = summarize(tmp_path, "--person=stem", "--by=person")
    assert result.returncode == 0, result.stderr
    assert "| cem (1 person, 1 face) | 0.600 |" in result.stdout


def test_conditions_come_in_the_order_asked_for(tmp_path):
    write(tmp_path / "out", PICTURES)
    result = summarize(tmp_path, "--person=stem", "--order=smiling,neutral")
    assert result.returncode == 0, result.stderr
    assert "| reading | smiling (2 people, 2 faces) | neutral (3" in result.stdout
    assert "## neutral minus smiling, paired" in result.stdout
    result = summarize(tmp_path, "--person=stem", "--order=smiling")
    assert "neutral (" not in result.stdout
    assert "Left out: 1 without a face (1 in smiling)." in result.stdout
    assert "--order does not name (4 in neutral)." in result.stdout
    assert not (tmp_path / "sum" / "differences.png").exists()  # Of the run before.
    assert_one_line(summarize(tmp_path, "--order=smiling,sad"), 2, "no faces in sad")
    assert_one_line(summarize(tmp_path, f"--events={__file__}"), 2, "have no time")


def test_one_person_is_too_few_to_compare(tmp_path):
    write(tmp_path / "out", [p for p in PICTURES if "ann" in p[0]])
    result = summarize(tmp_path, "--person=stem")
    assert result.returncode == 0, result.stderr
    assert "One person alone is in both: too few people to compare." in result.stdout
    assert "| happiness | 0.600 | — | 1 of 1 |" in result.stdout
    assert not (tmp_path / "sum" / "differences.png").exists()


def test_groups_of_other_people_are_compared_unpaired(tmp_path):
    shares = {"old": [0.1, 0.2, 0.3], "young|new": [0.5, 0.7]}
    pictures = [(f"{g}/{g}{s}.jpg", None, [s]) for g in shares for s in shares[g]]
    write(tmp_path / "out", pictures)
    result = summarize(tmp_path)
    assert result.returncode == 0, result.stderr
    names = {path.name for path in (tmp_path / "sum").iterdir()}
    pictures = {"means.png", "unpaired_differences.png"}
    assert names == {"summary.json", "summary.md", "people.csv", *pictures}
    assert "Different people: 2 in young" in result.stdout
    assert "By `--person=auto`, nobody" in result.stdout
    assert "3 in old" in result.stdout and "| happiness | 0.400 [" in result.stdout
    found = json.loads((tmp_path / "sum" / "summary.json").read_text())
    (pair,) = found["unpaired_differences"]
    assert (pair["from_people"], pair["to_people"]) == (3, 2)
    assert found["differences"] == []


def test_a_video_has_courses_and_events(tmp_path):
    frames = [(f"/v/{c}.mp4", t / 10, [t / 10]) for c in "ab" for t in range(20)]
    write(tmp_path / "out", frames)
    events = tmp_path / "events.csv"
    events.write_text("time,event\n1,cue\n")
    result = summarize(tmp_path, f"--events={events}", "--window=-0.5,0.5")
    assert result.returncode == 0, result.stderr
    assert {"courses.png", "events.png"} <= {
        path.name for path in (tmp_path / "sum").iterdir()
    }
    found = json.loads((tmp_path / "sum" / "summary.json").read_text())
    assert [span["people"] for span in found["events"]["cue"]] == [2, 2]
    assert "1 event, from -0.5 s to 0.5 s around each." in result.stdout
    rows = (tmp_path / "sum" / "time_courses.csv").read_text().splitlines()
    assert rows[1].startswith('"courses","all",0.25,2,"happiness",0.2')
    assert rows[-1].startswith('"events","cue",0.25,2,"happiness",')
    events.write_text("time\nsoon\n")
    assert_one_line(summarize(tmp_path, f"--events={events}"), 1, "line 2: no number")


@pytest.mark.parametrize(
    "arguments, code, text",
    [((), 1, "out: no such folder"), (("--person=(\\d",), 2, "no regular expression"),
     (("--person=\\d+",), 2, "has no group"), (("--order=a,a",), 2, "twice"),
     (("--window=3,1",), 2, "--window"),
     (("--by=mood",), 2, "mood"), (("--baseline=0",), 2, "--baseline must be")],
)  # fmt: skip
def test_bad_input_is_one_line(arguments, code, text, tmp_path):
    assert_one_line(summarize(tmp_path, *arguments), code, text)
    assert not (tmp_path / "sum").exists()
