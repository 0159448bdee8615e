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
    run = {"weights": "0123456789abcdef", "min_face_score": 0.9, "about": about}
    (tmp_path / "out" / "run.json").write_text(json.dumps(run))
    result = summarize(tmp_path, "--person=stem")
    assert result.returncode == 0, result.stderr
    names = {path.name for path in (tmp_path / "sum").iterdir()}
    pictures = {"means.png", "differences.png"}
    assert names == {"summary.json", "summary.md", "people.csv", *pictures}
    page = (tmp_path / "sum" / "summary.md").read_text()
    # Both of two people: the square root of 0.025.
    row = "| happiness | 0.500 [-0.771, 1.771] | yes | 2 of 2 | 1.000 [0.158, 1.000] |"
    assert row in page
    assert (
        "`0123456789ab` of `best` (net) in fer-tf 0.1.0, with uncalibrated "
        "probabilities; faces found by MTCNN 1, those of a score of 0.9 or more; "
        "unsure below 0.444.\n" in page
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
    (tmp_path / "events.csv").write_text("time\n1\n")
    events = f"--events={tmp_path / 'events.csv'}"
    assert_one_line(summarize(tmp_path, events), 2, "have no time")


def test_one_person_is_too_few_to_compare(tmp_path):
    write(tmp_path / "out", [p for p in PICTURES if "ann" in p[0]])
    result = summarize(tmp_path, "--person=stem")
    assert result.returncode == 0, result.stderr
    assert "One person alone is in both: too few people to compare." in result.stdout
    assert "| happiness | 0.600 | — | 1 of 1 | 1.000 [0.025, 1.000] |" in result.stdout
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
    run = {"weights": "0123456789abcdef", "every": 2, "smoothing": 0.3, "people": 1}
    (tmp_path / "out" / "run.json").write_text(json.dumps(run))
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
    assert (
        "`0123456789ab`. Of videos 1 frame of 2, readings averaged over 0.3 s; people "
        "known again by looks, 1 person in each." in result.stdout
    )
    rows = (tmp_path / "sum" / "time_courses.csv").read_text().splitlines()
    assert rows[1].startswith('"courses","all",0.25,2,"happiness",0.2')
    assert rows[-1].startswith('"events","cue",0.25,2,"happiness",')
    assert not (tmp_path / "sum" / "event_differences.png").exists()  # One group.
    events.write_text("time\n")
    result = summarize(tmp_path, f"--events={events}")
    assert_one_line(result, 1, "events.csv: no event near a face: it has no line")
    for line, why in (
        ("9,a.mp4", "faces are seen from 0 s to 1.9 s"),
        ("1,c.mp4", "no video with a face is called c.mp4"),
    ):
        events.write_text(f"time,source\n{line}\n")
        result = summarize(tmp_path, f"--events={events}")
        assert_one_line(result, 1, f"no event near a face: {why}")
    events.write_text("time\nsoon\n")
    assert_one_line(summarize(tmp_path, f"--events={events}"), 1, "line 2: no number")


def test_events_by_person_are_each_persons_own(tmp_path):
    """One rises by 0.5 at the cue, and the other does not."""
    frames = [("d.mp4", t / 10, [0.1 + 0.5 * (t >= 10), 0.2]) for t in range(20)]
    write(tmp_path / "out", frames)
    events = tmp_path / "events.csv"
    events.write_text("time,event\n1,cue\n")
    result = summarize(tmp_path, "--by=person", f"--events={events}", "--window=-1,1",
                       "--baseline=-1,0")  # fmt: skip
    assert result.returncode == 0, result.stderr
    _, after = result.stdout.split("### cue: ")
    assert "| d.mp4#1 (1 person, 10 faces) | 0.500 |" in after
    assert "| d.mp4#2 (1 person, 10 faces) | 0.000 |" in after
    found = json.loads((tmp_path / "sum" / "summary.json").read_text())
    assert [*found["events"]] == ["cue, d.mp4#1", "cue, d.mp4#2"]


def test_a_table_of_participants_pairs_the_people_of_clips(tmp_path):
    """Of each person happiness rises after the cue, and in `after` twice as much."""
    for clip, rise in (("before/d.mp4", 0.2), ("after/d.mp4", 0.4)):
        frames = [(clip, t / 10, [0.1 + rise * (t >= 10), 0.2 + rise * (t >= 10)])
                  for t in range(20)]  # fmt: skip
        write(tmp_path / "out" / clip.removesuffix(".mp4"), frames)
    people, events = tmp_path / "people.csv", tmp_path / "events.csv"
    people.write_text(
        "participant,source,person,role\nann,d.mp4,1,host\nbea,d.mp4,2,guest\n"
        "cem,e.mp4,,guest\n"
    )
    events.write_text("time,event,source\n1,cue,d.mp4\n1,cue,f.mp4\n")
    table = f"--participants={people}"
    arguments = (table, "--order=before,after", f"--events={events}",
                 "--window=-1,1", "--baseline=-1,0")  # fmt: skip
    result = summarize(tmp_path, *arguments)
    assert result.returncode == 0, result.stderr
    page = result.stdout
    assert "Participants without a face: cem." in page
    assert "No video with a face is called f.mp4." in page
    _, after = page.split("### cue: ")
    assert "| happiness | 0.200 [0.200, 0.200] | 0.400 [0.400, 0.400] |" in after
    row = "| happiness | 0.200 [0.200, 0.200] | no | 2 of 2 | 1.000 [0.158, 1.000] |"
    assert row in after
    assert (tmp_path / "sum" / "event_differences.png").exists()
    found = json.loads((tmp_path / "sum" / "summary.json").read_text())
    course = found["event_differences"]["cue, after minus before"]
    shown = [(s["time"], s["people"], s["values"]["happiness"]["mean"]) for s in course]
    times = (-0.75, -0.25, 0.25, 0.75)
    assert shown == [(t, 2, pytest.approx(0.2 * (t > 0))) for t in times]
    rows = (tmp_path / "sum" / "people.csv").read_text().splitlines()
    assert rows[0] == '"condition","person","faces","role","happiness"'
    assert rows[1].startswith('"before","ann",20,"host",')
    result = summarize(tmp_path, table, "--by=condition,role")
    assert result.returncode == 0, result.stderr
    assert "| reading | after, guest (1 person, 20 faces) |" in result.stdout
    for flags, text in (
        (("--by=condition,age",), "--by=age: must be one of condition, person, role"),
        (("--by=person,role",), "person stands alone"),
        (("--person=stem",), "is not for a table with a column `source`"),
    ):
        assert_one_line(summarize(tmp_path, table, *flags), 2, text)
    people.write_text("participant\nann\n")
    assert_one_line(summarize(tmp_path, table), 2, "must say who is who without")
    result = summarize(tmp_path, table, "--person=stem")
    assert_one_line(result, 1, "out, such as 'd'")
    people.write_text("participant,source,person\nann,e.mp4,1\n")
    result = summarize(tmp_path, table)
    assert_one_line(result, 1, "out, such as person 1 of after/d.mp4")


@pytest.mark.parametrize(
    "arguments, code, text",
    [((), 1, "out: no such folder"), (("--person=(\\d",), 2, "no regular expression"),
     (("--person=\\d+",), 2, "has no group"), (("--order=a,a",), 2, "twice"),
     (("--window=3,1",), 2, "--window must be two numbers, FROM,TO, the smaller"),
     (("--by=mood",), 2, "mood"), (("--baseline=0",), 2, "--baseline must be")],
)  # fmt: skip
def test_bad_input_is_one_line(arguments, code, text, tmp_path):
    assert_one_line(summarize(tmp_path, *arguments), code, text)
    assert not (tmp_path / "sum").exists()
