import csv
import os
import types

import numpy as np
import pytest
from PIL import Image

from tests.trainers.prediction.stand_in import Reader, lines, run, write
from trainers.prediction import photographs
from trainers.prediction.record_lines import in_words


def test_every_file_is_a_line_in_order_whatever_it_holds(tmp_path):
    photos = tmp_path / "photos"
    for name, level in (("a.png", 100), ("b.png", 0), ("d.png", 13), ("e.png", 50)):
        write(photos, name, level)
    (photos / "c.png").write_bytes(b"")
    _, records = run(photos, tmp_path / "out")
    assert [(r["source"], r["error"]) for r in records] == [
        ("a.png", None),
        ("b.png", "no face found"),
        ("c.png", "empty file"),
        ("d.png", "a picture that it cannot read"),
        ("e.png", None),
    ]
    assert lines(tmp_path / "out") == records
    assert records[0]["faces"][0]["probabilities"]["fear"] == 100 / 255
    assert in_words(records[4]).endswith("(small: enlarged 4.0 times)")
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


def test_names_that_a_spreadsheet_would_run_are_made_harmless(tmp_path):
    photos = tmp_path / "photos"
    write(photos, "=1+1.png", 9)
    run(photos, tmp_path / "out")
    (row,) = csv.DictReader((tmp_path / "out" / "predictions.csv").open())
    assert row["source"] == "'=1+1.png"


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


def test_of_an_animation_it_is_said_which_frame_was_read(tmp_path):
    frames = [Image.new("RGB", (60, 60), (shade, 0, 0)) for shade in (0, 99, 200)]
    (tmp_path / "photos").mkdir()
    path = tmp_path / "photos" / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    _, (record,) = run(tmp_path / "photos", tmp_path / "out")
    assert record["note"] == "first of 3 frames"
    assert in_words(record).endswith(" (first of 3 frames)")


@pytest.mark.parametrize("side, ahead", [(100, 4), (3000, 2), (8000, 1)])
def test_fewer_large_pictures_are_decoded_ahead(side, ahead, monkeypatch):
    begun = []

    def decode(path, name):
        begun.append(name)
        # Rows of one pixel after each other: as large as a picture, without memory.
        return {"source": name}, np.broadcast_to(np.uint8(0), (side, side, 3))

    class Now:
        """A pool that has decoded what it is given at once."""

        def __init__(self, _):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def submit(self, function, *arguments):
            result = function(*arguments)
            return types.SimpleNamespace(result=lambda: result)

    monkeypatch.setattr(photographs, "_decode", decode)
    monkeypatch.setattr(photographs.futures, "ThreadPoolExecutor", Now)
    taken, most = 0, 0
    for group in photographs._groups([(f"{n}.jpg", str(n)) for n in range(20)]):
        most = max(most, len(begun) - taken - len(group))
        taken += len(group)
    assert taken == 20 and most == ahead
