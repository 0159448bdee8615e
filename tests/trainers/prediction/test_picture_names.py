import csv
import os

import pytest

from tests.trainers.prediction.stand_in import Reader, lines, run, write
from trainers.prediction import photographs, picture_files
from trainers.prediction.record_lines import to_line


def test_what_is_gone_from_a_folder_is_forgotten_and_its_picture_removed(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    for name in ("a.png", "sub/b.png", "c.png"):
        write((photos / name).parent, os.path.basename(name), 99)
    run(photos, output, pictures=True)
    run(photos / "sub", output, pictures=True)
    (photos / "sub" / "b.png").unlink()
    (photos / "c.png").unlink()
    # One picture, or another folder, is no look for the others.
    write(tmp_path / "other", "d.png", 99)
    run(tmp_path / "other", output, pictures=True)
    files = picture_files.find(str(photos / "a.png"))
    *_, gone = photographs.run(Reader(), files, str(output), pictures=True)
    assert gone == 0 and len(lines(output)) == 4
    files = picture_files.find(f"{photos}/*.png")
    *_, gone = photographs.run(Reader(), files, str(output), pictures=True)
    assert gone == 2
    assert [line["source"] for line in lines(output)] == ["d.png", "a.png"]
    rows = list(csv.DictReader((output / "predictions.csv").open(newline="")))
    assert [row["source"] for row in rows] == ["d.png", "a.png"]
    drawn = {str(p.relative_to(output)) for p in output.rglob("*.png")}
    assert drawn == {"d_annotated.png", "a_annotated.png"}


def test_a_file_where_a_folder_is_to_be_stops_nothing(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    for name in ("a.png", "a_annotated.png/b.png", "predictions.jsonl/c.png",
                 "run.json/d/e.png", "f.png"):  # fmt: skip
        write((photos / name).parent, os.path.basename(name), 99)
    (output / "f_annotated.png").mkdir(parents=True)
    _, records = run(photos, output, pictures=True)
    assert [record["error"] for record in records] == [None] * 5
    drawn = {record["source"]: record["picture"] for record in records}
    assert len(set(drawn.values())) == 5
    assert all((output / picture).is_file() for picture in drawn.values())
    assert drawn["a_annotated.png/b.png"] == "a_annotated.png/b_annotated.png"
    assert (output / "predictions.jsonl").is_file()
    reader, again = run(photos, output, pictures=True)
    assert reader.read == [] and again == records


@pytest.mark.parametrize(
    "what",
    [
        "../x_annotated.png", "{}/x_annotated.png", "../../x.png", "run.json",
        "link/x_annotated.png", "predictions.jsonl", "a/../../x_annotated.png",
        "x\0_annotated.png",
    ],
)  # fmt: skip
def test_a_strangers_lines_write_and_remove_nothing_elsewhere(what, tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "in" / "out"
    away = tmp_path / "away"
    write(photos, "a.png", 99)
    write(photos, "b.png", 99)
    run(photos, output)
    away.mkdir()
    (output / "link").symlink_to(away)
    records = lines(output)
    for record in records:
        record["picture"] = what.format(away)
    (output / "predictions.jsonl").write_text("".join(map(to_line, records)))
    (photos / "b.png").unlink()  # Its record is dropped, its picture removed.
    kept = {tmp_path / "in" / "x_annotated.png", tmp_path / "x.png",
            tmp_path / "in" / "x.png", away / "x_annotated.png"}  # fmt: skip
    for path in kept:
        path.write_text("mine")
    run(photos, output, pictures=True)
    assert all(path.read_text() == "mine" for path in kept)
    (record,) = lines(output)
    assert record["picture"] == "a_annotated.png"
    assert (output / "a_annotated.png").is_file()


def test_pictures_of_one_name_in_two_folders_do_not_mix(tmp_path):
    output = tmp_path / "out"
    for day, level in (("day1", 10), ("day2", 20)):
        write(tmp_path / day, "IMG_1.png", level)
    run(tmp_path / "day1", output)
    before = lines(output)
    run(tmp_path / "day2", output)
    assert lines(output)[:1] == before
    assert [r["source"] for r in lines(output)] == ["IMG_1.png", "day2/IMG_1.png"]
    # A folder that was moved is still the same.
    (tmp_path / "day1").rename(tmp_path / "moved")
    reader, records = run(tmp_path / "moved", output)
    assert reader.read == [] and records == before


def test_pictures_of_one_name_do_not_overwrite_each_other(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    for name in ("a.png", "a.bmp", "b.png"):
        write(photos, name, 99)
    write(photos / "sub", "a.png", 99)
    run(photos, output, pictures=True)
    drawn = {str(p.relative_to(output)) for p in output.rglob("*_annotated.png")}
    assert drawn == {
        "a.png_annotated.png", "a.bmp_annotated.png", "b_annotated.png",
        "sub/a_annotated.png",
    }  # fmt: skip
    (output / "b_annotated.png").unlink()
    reader, _ = run(photos, output, pictures=True)
    assert len(reader.read) == 1 and (output / "b_annotated.png").exists()


@pytest.mark.parametrize(
    "given, drawn",
    [
        ("photos/*/1.png", ["a/1", "b/1"]),
        ("photos/*/*.png", ["a/1", "a/2", "b/1"]),
        ("photos/a/*.png", ["1", "2"]),
        ("photos/", ["a/1", "a/2", "b/1"]),
        ("here/../*/[ab]/1.png", ["photos/a/1", "photos/b/1"]),
        ("photos/a/1.png", ["1"]),
        ("here/../photos/a/1.png", ["1"]),
        ("photos/*/../../here/3.png", ["3"]),
    ],
)
@pytest.mark.parametrize("how", ["relative", "absolute", "from beside"])
def test_pictures_lie_as_in_the_folder_whatever_the_callers_path(
    given, drawn, how, tmp_path, monkeypatch
):
    for name in ("photos/a/1.png", "photos/a/2.png", "photos/b/1.png", "here/3.png"):
        write((tmp_path / name).parent, os.path.basename(name), 99)
    where, path = {
        "relative": (tmp_path, given),
        "absolute": (tmp_path, f"{tmp_path}/{given}"),
        "from beside": (tmp_path / "here", f"../{given}"),
    }[how]
    monkeypatch.chdir(where)
    output = tmp_path / "out"
    output.mkdir()
    files = picture_files.find(path)
    photographs.run(Reader(), files, str(output), pictures=True)
    found = {str(p.relative_to(output)) for p in output.rglob("*.png")}
    assert found == {f"{name}_annotated.png" for name in drawn}
    assert {line["picture"] for line in lines(output)} == found


def test_one_photograph_is_one_row_and_one_picture_whatever_way_it_is_given(
    tmp_path, monkeypatch
):
    write(tmp_path / "photos" / "a", "1.png", 99)
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    reader = Reader()
    for given in (
        "photos/a/1.png", f"{tmp_path}/photos/a/1.png", "photos/*/1.png", "photos/a",
        "./photos/../photos/a/*", "photos", "photos/",
    ):  # fmt: skip
        files = picture_files.find(given)
        photographs.run(reader, files, "out", pictures=True)
        assert [line["source"] for line in lines(tmp_path / "out")] == ["1.png"]
    assert reader.read == [99]
    assert [p.name for p in (tmp_path / "out").rglob("*.png")] == ["1_annotated.png"]


def test_a_later_call_draws_over_nothing_of_an_earlier_one(tmp_path):
    output = tmp_path / "out"
    output.mkdir()

    def read(name, reader):
        files = picture_files.find(str(tmp_path / name))
        photographs.run(reader, files, str(output), pictures=True)
        return reader.read

    names = ("x/1.png", "y/1.png", "y/1.bmp")
    for name, level in zip(names, (50, 250, 150)):
        write((tmp_path / name).parent, os.path.basename(name), level)
        assert read(name, Reader()) == [level]
    assert [line["source"] for line in lines(output)] == ["1.png", "y/1.png", "1.bmp"]
    drawn = [record["picture"] for record in lines(output)]
    assert len(set(drawn)) == 3 and all((output / name).exists() for name in drawn)
    assert {str(p.relative_to(output)) for p in output.rglob("*.png")} == set(drawn)
    for name in names:  # Each is its own picture, also when it is done.
        assert read(name, Reader()) == []


def test_a_picture_keeps_its_drawing_when_another_of_its_name_comes(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    write(photos, "a.png", 99)
    run(photos, output, pictures=True)
    write(photos, "a.bmp", 99)
    reader, _ = run(photos, output, pictures=True)
    assert len(reader.read) == 1
    drawn = {p.name for p in output.glob("*_annotated.png")}
    assert drawn == {"a_annotated.png", "a.bmp_annotated.png"}


def test_a_name_as_long_as_a_file_system_allows_is_drawn(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    names = ["面" * 80 + f"{end}.png" for end in "ab"]
    for name in names:
        write(photos, name, 99)
    _, records = run(photos, output, pictures=True)
    assert [record["error"] for record in records] == [None, None]
    drawn = [p.name for p in output.rglob("*_annotated.png")]
    assert len(drawn) == 2 and all(len(name.encode()) < 255 for name in drawn)
