import pytest

from trainers.summary import study_tables


@pytest.mark.parametrize("text, message", [
    ("", "line 1: no column `participant`"),
    ("name,age\nann,3\n", "line 1: no column `participant`"),
    ("participant\n", "no line below the names"),
    ("participant,age\n,3\n", "line 2: no `participant`"),
    ("participant,source\nann,\n", "line 2: no `source`"),
    ("participant,source,person\nann,a.mp4,two\n", "line 2: `person` must be a"),
    ("participant,person\nann,2\n", "line 2: `person` must be a number, beside"),
    ("participant,age\nann,3\nbea,4\nann,5\n", "lines 2 and 4 are both about ann"),
])  # fmt: skip
def test_what_is_wrong_with_a_table_is_one_line(text, message, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"people.csv: {message}"):
        study_tables.participants(str(path))


def test_a_table_from_a_spreadsheet_is_read(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(
        "\ufeffparticipant;source;person;mood\r\nann; a.mp4 ;2;3,5\r\n", newline=""
    )
    table = study_tables.participants(str(path))
    (row,) = table.rows
    assert (row.participant, row.source, row.person) == ("ann", "a.mp4", 2)
    assert table.named and table.facts == ("mood",) and row.facts == {"mood": "3,5"}


def test_events_have_a_time_a_name_and_a_video(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("time,event,source\n1.5,cue,a.mp4\n2,,\n")
    assert study_tables.events(str(path)) == [
        {"event": "cue", "time": 1.5, "source": "a.mp4"},
        {"event": "event", "time": 2.0, "source": ""},
    ]
