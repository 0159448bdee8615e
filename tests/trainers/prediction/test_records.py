import csv

import pytest

from tests.trainers.prediction.stand_in import Reader, lines, run, write
from trainers.prediction import output_folder
from trainers.prediction.record_lines import to_line


@pytest.mark.parametrize(
    "change",
    [dict(source=3), dict(source=None), dict(source=[]), dict(faces=None),
     dict(faces=[1]), dict(faces=[{}]), dict(file=[1]), dict(file={"path": 7}),
     dict(picture={"a": 1}), dict(error=["x"]), dict(faces=[{"box": [1, 2, 3]}]),
     dict(faces=[{"box": [1, 2, 3, 4], "enlargement": 1, "expression": []}]),
     dict(faces=[{"box": [1, 2, 3, "4"], "enlargement": 1}]),
     dict(faces=[{"box": [1, 2, 3, 4], "enlargement": float("nan")}]),
     dict(faces=[{"box": [1, 2, 3, 4], "enlargement": 1, "valence": 10**400}]),
     dict(source="/x/a.png"), dict(source="../a.png"), dict(source="b/../../a.png"),
     dict(source="")],
    ids=lambda change: str(change)[:60],
)  # fmt: skip
def test_lines_of_another_shape_are_one_line_and_left_alone(change, tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    write(photos, "a.png", 99)
    run(photos, output)
    (record,) = lines(output)
    (output / "predictions.jsonl").write_text(to_line(record | change))
    before = (output / "predictions.jsonl").read_bytes()
    with pytest.raises(ValueError, match="jsonl: byte 0: not a line of predictions"):
        run(photos, output)
    assert (output / "predictions.jsonl").read_bytes() == before


def test_lines_that_lack_something_are_one_line_or_read_again(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    write(photos, "a.png", 99)
    run(photos, output)
    (record,) = lines(output)
    for key in record:
        less = {name: value for name, value in record.items() if name != key}
        (output / "predictions.jsonl").write_text(to_line(less))
        if key in ("source", "faces", "error"):
            with pytest.raises(ValueError, match="not a line of predictions"):
                run(photos, output)
        else:
            run(photos, output)
            assert lines(output) == [record if key == "file" else less]


def test_deep_lines_and_a_run_that_is_no_dict_are_one_line(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    write(photos, "a.png", 99)
    output.mkdir()
    (output / "predictions.jsonl").write_text("[" * 100_000 + "\n")
    with pytest.raises(ValueError, match="not a line of predictions"):
        run(photos, output)
    for text, fault in (("[1]", "not what"), ("[" * 100_000, "not valid JSON")):
        (output / "run.json").write_text(text)
        with pytest.raises(ValueError, match=f"run.json: {fault}"):
            output_folder.begin(str(output), {"weights": "aa"})


def test_what_earlier_calls_have_read_is_not_lost(tmp_path):
    output = tmp_path / "out"
    for folder, name in (("one", "a.png"), ("one", "b.png"), ("two", "c.png")):
        write(tmp_path / folder, name, 10)
        run(tmp_path / folder, output)
    run(tmp_path / "one", output)
    assert [line["source"] for line in lines(output)] == ["c.png", "a.png", "b.png"]
    rows = list(csv.DictReader((output / "predictions.csv").open()))
    assert [row["source"] for row in rows] == ["c.png", "a.png", "b.png"]


def test_a_run_that_was_killed_goes_on_behind_its_last_whole_line(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    for level in range(1, 13):
        write(photos, f"{level:02}.png", level)

    class Killed(Reader):
        def predict_many(self, images):
            if self.read:
                raise KeyboardInterrupt
            return super().predict_many(images)

    killed = Killed()
    with pytest.raises(KeyboardInterrupt):
        run(photos, output, killed)
    assert killed.read and not (output / "predictions.jsonl").exists()
    journal = output / ".part-predictions.jsonl"
    journal.write_bytes(journal.read_bytes()[:-5])  # Torn in the middle of a line.
    reader, records = run(photos, output)
    # The torn line's picture is read again, and every other once.
    assert reader.read == [killed.read[-1], *range(killed.read[-1] + 1, 13)]
    assert [r["source"] for r in records] == [f"{n:02}.png" for n in range(1, 13)]
    assert [p.name for p in output.iterdir() if p.name.startswith(".")] == []


def test_a_folder_with_foreign_lines_is_refused_and_left_alone(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    write(photos, "a.png", 1)
    output.mkdir()
    (output / "predictions.jsonl").write_text('{"other": 1}\n')
    with pytest.raises(ValueError, match="not a line of predictions"):
        run(photos, output)
    assert (output / "predictions.jsonl").read_text() == '{"other": 1}\n'


def test_a_journal_that_is_a_link_is_not_written_through(tmp_path):
    write(tmp_path / "photos", "a.png", 99)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".part-predictions.jsonl").symlink_to(tmp_path / "away")
    with pytest.raises(ValueError, match="a link"):
        run(tmp_path / "photos", tmp_path / "out")
    assert not (tmp_path / "away").exists()
