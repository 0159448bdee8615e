import csv
import dataclasses
import json
import os
import types

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_tf import labels
from trainers.prediction import photographs, picture_files, videos


class Reader:
    """Stands in for a predictor: a face as bright as the picture's first pixel."""

    card = types.SimpleNamespace(
        expressions=labels.EXPRESSIONS, action_units=labels.ACTION_UNITS
    )

    def __init__(self):
        self.read = []

    def predict(self, image):
        level = int(image[0, 0, 0])
        self.read.append(level)
        if level == 13:
            raise ValueError("a picture that it cannot read")
        if level == 0:
            return []
        return [
            {
                "box": [1, 2, 10, 12],
                "landmarks": [[1.0, 1.0]] * 5,
                "confidence": 0.9,
                "enlargement": 4.0 if level == 50 else 0.5,
                "expression": "fear",
                "probabilities": {"fear": level / 255, "anger": 1 - level / 255},
            }
        ]

    def predict_many(self, images):
        return [self.predict(image) for image in images]


def write(folder, name, level):
    folder.mkdir(exist_ok=True, parents=True)
    cv2.imwrite(str(folder / name), np.full((24, 24, 3), level, np.uint8))


def run(folder, output, reader=None, pictures=False):
    reader = reader or Reader()
    os.makedirs(output, exist_ok=True)
    files = picture_files.find(str(folder))
    records, names, _ = photographs.run(reader, files, str(output), pictures=pictures)
    return reader, [records[name] for name in names]


def lines(output):
    return [json.loads(s) for s in (output / "predictions.jsonl").open()]


def test_every_file_is_a_line_in_order_whatever_it_holds(tmp_path):
    photos = tmp_path / "photos"
    for name, level in (("a.png", 100), ("b.png", 0), ("d.png", 13), ("e.png", 50)):
        write(photos, name, level)
    (photos / "c.png").write_bytes(b"")
    (photos / "f.mp4").write_bytes(b"film")
    _, records = run(photos, tmp_path / "out")
    assert [(r["source"], r["error"]) for r in records] == [
        ("a.png", None),
        ("b.png", "no face found"),
        ("c.png", "empty file"),
        ("d.png", "a picture that it cannot read"),
        ("e.png", None),
        ("f.mp4", "a video: give it as an --input of its own"),
    ]
    assert lines(tmp_path / "out") == records
    assert records[0]["faces"][0]["probabilities"]["fear"] == 100 / 255
    assert photographs.describe(records[4]).endswith("(small: enlarged 4.0 times)")
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    assert [row["source"] for row in rows] == [r["source"] for r in records]
    assert float(rows[0]["fear"]) == 100 / 255 and rows[1]["fear"] == ""


def test_only_what_is_new_or_changed_is_read_again(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    for name, level in (("b.png", 20), ("d.png", 40)):
        write(photos, name, level)
    run(photos, output)
    write(photos, "a.png", 10)
    write(photos, "c.png", 30)
    (photos / "b.png").unlink()
    write(photos, "d.png", 140)
    reader, records = run(photos, output)
    assert sorted(reader.read) == [10, 30, 140]
    assert [r["source"] for r in records] == ["a.png", "c.png", "d.png"]
    reader, again = run(photos, output)
    assert reader.read == [] and again == records


def test_a_file_replaced_at_equal_size_and_time_is_read_again(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    for folder, name, level in ((photos, "a.bmp", 40), (tmp_path / "new", "a.bmp", 50)):
        write(folder, name, level)
    before = os.stat(photos / "a.bmp")
    run(photos, output)
    os.utime(tmp_path / "new" / "a.bmp", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(tmp_path / "new" / "a.bmp", photos / "a.bmp")
    after = os.stat(photos / "a.bmp")
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    reader, _ = run(photos, output)
    assert reader.read == [50]
    os.utime(photos / "a.bmp", (1, 1))  # Touched, and still the same.
    reader, _ = run(photos, output)
    assert reader.read == []


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
    (output / "predictions.jsonl").write_text("".join(map(photographs.line, records)))
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
    (output / "predictions.jsonl").write_text(photographs.line(record | change))
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
        (output / "predictions.jsonl").write_text(photographs.line(less))
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
            photographs.begin(str(output), {"weights": "aa"})


def test_what_could_not_be_read_is_tried_again(tmp_path, monkeypatch):
    photos, output = tmp_path / "photos", tmp_path / "out"
    write(photos, "a.png", 10)

    def broken(path):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(photographs, "read_with_note", broken)
        _, (record,) = run(photos, output)
    assert "Input/output error" in record["error"]
    _, (record,) = run(photos, output)
    assert record["error"] is None and lines(output) == [record]


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


def test_what_was_begun_and_gave_nothing_refuses_nothing(tmp_path):
    photographs.begin(str(tmp_path), {"weights": "aa", "video": "/broken.mp4"})
    photographs.begin(str(tmp_path), {"weights": "bb"})
    (tmp_path / "predictions.jsonl").write_text("")
    with pytest.raises(ValueError, match="weights 'bb', now 'aa'"):
        photographs.begin(str(tmp_path), {"weights": "aa"})


def test_a_name_as_long_as_a_file_system_allows_is_drawn(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    names = ["面" * 80 + f"{end}.png" for end in "ab"]
    for name in names:
        write(photos, name, 99)
    _, records = run(photos, output, pictures=True)
    assert [record["error"] for record in records] == [None, None]
    drawn = [p.name for p in output.rglob("*_annotated.png")]
    assert len(drawn) == 2 and all(len(name.encode()) < 255 for name in drawn)


def test_a_name_that_is_no_text_is_a_line_like_any_other(tmp_path, capsys):
    photos, output = tmp_path / "photos", tmp_path / "out"
    write(photos, "a.png", 99)
    odd = os.fsdecode(os.fsencode(photos) + b"/caf\xe9.png")
    try:
        os.rename(photos / "a.png", odd)
    except OSError:
        pytest.skip("this file system takes no such name")
    _, (record,) = run(photos, output)
    assert lines(output) == [record] and record["source"] == "caf\udce9.png"
    # It is found again.
    reader, _ = run(photos, output)
    assert reader.read == []


def test_predictions_of_two_models_do_not_mix(tmp_path):
    photographs.begin(str(tmp_path), {"weights": "aa"})
    (tmp_path / "predictions.jsonl").write_text("")
    photographs.begin(str(tmp_path), {"weights": "aa"})
    with pytest.raises(ValueError, match="weights 'aa', now 'bb'"):
        photographs.begin(str(tmp_path), {"weights": "bb"})


def test_pictures_and_a_video_do_not_mix(tmp_path):
    film = {"weights": "aa", "video": "/clip.mp4", "every": 1}
    for first, second in (({"weights": "aa"}, film), (film, {"weights": "aa"})):
        folder = str(tmp_path / f"{len(first)}")
        photographs.begin(folder, first)
        (tmp_path / f"{len(first)}" / "predictions.csv").write_text("")
        with pytest.raises(ValueError, match="video .*; choose another --output"):
            photographs.begin(folder, second)


def test_a_folder_with_foreign_lines_is_refused_and_left_alone(tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "out"
    write(photos, "a.png", 1)
    output.mkdir()
    (output / "predictions.jsonl").write_text('{"other": 1}\n')
    with pytest.raises(ValueError, match="not a line of predictions"):
        run(photos, output)
    assert (output / "predictions.jsonl").read_text() == '{"other": 1}\n'


def test_names_that_a_spreadsheet_would_run_are_made_harmless(tmp_path):
    photos = tmp_path / "photos"
    write(photos, "=1+1.png", 9)
    run(photos, tmp_path / "out")
    (row,) = csv.DictReader((tmp_path / "out" / "predictions.csv").open())
    assert row["source"] == "'=1+1.png"


class Film(Reader):
    """Stands in for a predictor of videos; `fails` is the frame it breaks at."""

    def __init__(self, frames, fails=None):
        super().__init__()
        self.frames, self.fails = frames, fails

    def predict_video(self, path, *, every, smoothing):
        from fer_tf.video import video_files

        for index in range(0, self.frames, every):
            if index == self.fails:
                raise video_files.VideoError(f"damaged after frame {index}")
            image = np.full((48, 64, 3), 60 + index, np.uint8)
            faces = [
                {**face, "track_id": 1 + index // 5} for face in self.predict(image)
            ]
            yield video_files.Frame(index, index / 25, image), faces


@pytest.fixture
def clip(tmp_path):
    pytest.importorskip("av", reason="needs PyAV: pip install 'fer-tf[video]'")
    from fer_tf.video import video_files

    path = str(tmp_path / "clip.mp4")
    with video_files.VideoWriter(path) as writer:
        for frame in range(10):
            writer.write(np.zeros((48, 64, 3), np.uint8), frame / 25)
    return path


def test_a_video_is_a_line_a_frame_a_drawn_video_and_a_timeline(clip, tmp_path):
    from fer_tf.video import video_files

    found = videos.run(
        Film(10), clip, str(tmp_path), pictures=True, every=2, smoothing=0.0
    )
    assert found == {"frames": 5, "people": 2, "error": None}
    records = lines(tmp_path)
    assert [r["frame"] for r in records] == [0, 2, 4, 6, 8]
    assert [r["time"] for r in records] == pytest.approx([0, 0.08, 0.16, 0.24, 0.32])
    assert [r["faces"][0]["track_id"] for r in records] == [1, 1, 1, 2, 2]
    rows = list(csv.DictReader((tmp_path / "predictions.csv").open()))
    assert [row["track_id"] for row in rows] == ["1", "1", "1", "2", "2"]
    drawn = list(video_files.read_frames(tmp_path / "clip_annotated.mp4"))
    assert [f.time for f in drawn] == pytest.approx(
        [0, 0.08, 0.16, 0.24, 0.32], abs=1e-3
    )
    assert cv2.imread(str(tmp_path / "clip_timeline.png")) is not None


def test_a_video_damaged_in_the_middle_is_read_as_far_as_it_goes(clip, tmp_path):
    found = videos.run(
        Film(10, fails=6), clip, str(tmp_path), pictures=True, every=1, smoothing=0.0
    )
    assert found["frames"] == 6 and found["error"] == "damaged after frame 6"
    last = lines(tmp_path)[-1]
    assert last["error"] == "damaged after frame 6" and last["faces"] == []
    # The record stands where the frame would be, whatever was left out between.
    videos.run(
        Film(10, fails=6), clip, str(tmp_path), pictures=False, every=3, smoothing=0.0
    )
    assert [r["frame"] for r in lines(tmp_path)] == [0, 3, 4]


class Overflowing(Film):
    """NaN, from the third frame on."""

    def predict_video(self, path, **options):
        for number, found in enumerate(super().predict_video(path, **options)):
            if number == 2:
                raise FloatingPointError("the model's probabilities is NaN")
            yield found


def test_a_video_is_kept_as_far_as_the_model_says_numbers(clip, tmp_path):
    found = videos.run(
        Overflowing(10),
        str(clip),
        str(tmp_path),
        pictures=False,
        every=1,
        smoothing=0.0,
    )
    assert (found["frames"], found["error"]) == (2, "the model's probabilities is NaN")
    assert len((tmp_path / "predictions.jsonl").read_text().splitlines()) == 3


class Growing(Film):
    """Its frames change their size in the middle, which the drawn video cannot."""

    def predict_video(self, path, *, every, smoothing):
        for frame, faces in super().predict_video(path, every=every, smoothing=0.0):
            if frame.index >= 4:
                frame = dataclasses.replace(frame, image=frame.image.repeat(2, axis=0))
            yield frame, faces


def test_a_video_whose_frames_grow_is_read_as_far_as_it_is_drawn(clip, tmp_path):
    found = videos.run(
        Growing(10), clip, str(tmp_path), pictures=True, every=1, smoothing=0.0
    )
    assert found["frames"] == 4 and "size of the frames changes" in found["error"]
    assert [r["frame"] for r in lines(tmp_path)] == [0, 1, 2, 3, 4]


def test_a_video_that_gives_nothing_leaves_nothing(clip, tmp_path):
    with pytest.raises(ValueError, match="clip.mp4: damaged"):
        videos.run(
            Film(10, fails=0),
            clip,
            str(tmp_path),
            pictures=True,
            every=1,
            smoothing=0.0,
        )
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_one_picture_that_the_model_says_nan_of_is_a_line(tmp_path):
    class Overflowing(Reader):
        def predict(self, image):
            if image[0, 0, 0] == 99:
                raise FloatingPointError("the model's probabilities is NaN")
            return super().predict(image)

    write(tmp_path / "in", "a.png", 99)
    write(tmp_path / "in", "b.png", 120)
    run(tmp_path / "in", tmp_path / "out", Overflowing())
    one, two = lines(tmp_path / "out")
    assert one["error"] == "the model's probabilities is NaN" and not one["faces"]
    assert two["error"] is None and len(two["faces"]) == 1


def test_action_units_are_said():
    face = {"enlargement": 1.0, "action_units": {"AU1": 0.2, "AU12": 0.5, "AU25": 0.9}}
    record = {"source": "a.png", "error": None, "faces": [face]}
    assert photographs.describe(record) == "a.png: AU12 AU25"
    face["action_units"] = {"AU1": 0.49}
    assert photographs.describe(record) == "a.png: no action unit"


def test_of_an_animation_it_is_said_which_frame_was_read(tmp_path):
    frames = [Image.new("RGB", (60, 60), (shade, 0, 0)) for shade in (0, 99, 200)]
    (tmp_path / "photos").mkdir()
    path = tmp_path / "photos" / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    _, (record,) = run(tmp_path / "photos", tmp_path / "out")
    assert record["note"] == "first of 3 frames"
    assert photographs.describe(record).endswith(" (first of 3 frames)")


def test_a_journal_that_is_a_link_is_not_written_through(tmp_path):
    write(tmp_path / "photos", "a.png", 99)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".part-predictions.jsonl").symlink_to(tmp_path / "away")
    with pytest.raises(ValueError, match="a link"):
        run(tmp_path / "photos", tmp_path / "out")
    assert not (tmp_path / "away").exists()
