import os

import cv2
import numpy as np
import pytest

from trainers.prediction import output_folder, picture_files


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))


def find(path, output):
    own = lambda path: output_folder.is_own(path, str(output))
    return picture_files.find(str(path), own=own)


def test_what_an_input_means(tmp_path):
    photos, away = tmp_path / "photos", tmp_path / "away"
    for folder in ("", "day", ".thumbnails", "out"):
        write(photos / folder / "a.png")
    write(away / "a.png")
    write(photos / "out" / "a_annotated.png")
    (photos / "out" / "predictions.jsonl").write_text("")
    (photos / "linked").symlink_to(away)
    (photos / "again").symlink_to(away / ".." / "away")
    (away / "round").symlink_to(photos)
    (photos / "best").symlink_to(photos / "day")
    named = [f"{photos}/{name}" for name in ("a.png", "again/a.png", "day/a.png")]
    found = find(photos, photos / "out")
    assert found.paths == named and not found.passed and not found.unlisted
    # A pattern means what it matches, but for what an earlier call has written.
    assert find(f"{photos}/out/*", photos / "out").paths == [f"{photos}/out/a.png"]
    assert find(f"{photos}/day/*.png", photos / "day").paths == [f"{photos}/day/a.png"]


def test_a_condition_without_a_picture_is_named(tmp_path):
    photos = tmp_path / "photos"
    write(photos / "smiling" / "session" / "a.png")
    for folder in ("surprised", "neutral/session", ".hidden", "out"):
        (photos / folder).mkdir(parents=True)
    (photos / "neutral" / "session" / "notes.txt").write_text("")
    (photos / "linked").symlink_to(photos / "smiling")
    assert find(photos, photos / "out").bare == ["neutral", "surprised"]
    assert find(photos / "*" / "*" / "*", photos / "out").bare == []


NO_PICTURES = ("labels.csv", "README", "notes.txt", "a.json", "b.xml", "c.pdf", "d.nef",
               "Thumbs.db", "x.npz", "Makefile")  # fmt: skip


@pytest.mark.parametrize("given", ["", "*"])
def test_files_that_are_no_pictures_are_passed_over_and_counted(given, tmp_path):
    for name in NO_PICTURES:
        (tmp_path / name).write_text("BM, P5 and other words")
    for name in ("a.png", "B.JPG", "c.jfif"):
        write(tmp_path / name.replace(".jfif", ".jpg"))
    (tmp_path / "c.jpg").rename(tmp_path / "c.jfif")
    # By its name one is expected to be a picture; by its content another one is.
    for name in ("empty.png", "phone.HEIC", "clip.mp4"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "photo").write_bytes((tmp_path / "a.png").read_bytes())
    (tmp_path / "photo.jpg_large").write_bytes((tmp_path / "c.jfif").read_bytes())
    os.mkfifo(tmp_path / "pipe")  # Must not be waited for.
    found = picture_files.find(str(tmp_path / given))
    assert {os.path.basename(path) for path in found.paths} == {
        "a.png", "B.JPG", "c.jfif", "empty.png", "phone.HEIC", "clip.mp4", "photo",
        "photo.jpg_large",
    }  # fmt: skip
    assert found.passed.total() == len(NO_PICTURES) + (given == "")  # A pipe: no match.
    assert found.passed["no ending"] == 2 + (given == "") and found.passed[".csv"] == 1
    assert "files that are no pictures (.csv, .db, .json, .nef" in found.passed_over()


def test_a_file_that_is_named_is_taken_as_it_is(tmp_path):
    (tmp_path / "labels.csv").write_text("a,b")
    found = picture_files.find(str(tmp_path / "labels.csv"))
    assert [found.name(path) for path in found.paths] == ["labels.csv"]
    for given in (tmp_path, tmp_path / "*"):
        with pytest.raises(ValueError, match=r"no picture here; passed over: 1 .*csv"):
            picture_files.find(str(given))
    with pytest.raises(ValueError, match="absent.*: no such file or folder"):
        picture_files.find(str(tmp_path / "absent*"))


def test_a_folder_that_cannot_be_listed_is_said_and_the_rest_is_found(
    tmp_path, monkeypatch
):
    for name in ("a/1.png", "locked/2.png", "z/3.png"):
        write(tmp_path / name)
    scan = os.scandir

    def scandir(path):
        if os.path.basename(path) == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = picture_files.find(str(tmp_path))
    assert [found.name(path) for path in found.paths] == ["a/1.png", "z/3.png"]
    assert found.unlisted == [f"{tmp_path}/locked: cannot be listed: Permission denied"]
    with pytest.raises(ValueError, match="no picture here; .*locked: cannot be listed"):
        picture_files.find(str(tmp_path / "locked"))


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("data:image/jpeg;base64," + "A" * 10**6, "a data address, no path"),
        ("https://example.org/a.jpg", "an address, no path: fetch it first"),
    ],
    ids=["data", "https"],
)
def test_an_address_is_told_from_a_path_in_a_short_line(given, hint):
    with pytest.raises(ValueError, match=hint) as error:
        picture_files.find(given)
    assert len(str(error.value)) < 300
