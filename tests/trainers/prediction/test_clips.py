import pytest

from trainers.prediction import clips
from trainers.prediction.picture_files import Files


def folders(tmp_path, *names):
    paths = [str(tmp_path / "in" / name) for name in names]
    found = clips.folders(Files(str(tmp_path / "in"), paths), paths, str(tmp_path))
    return [folder.removeprefix(f"{tmp_path}/") for folder in found.values()]


def test_clips_of_one_name_have_folders_of_their_own(tmp_path):
    names = ("before/a.mp4", "before/a.mov", "after/a.mp4", "b.mp4", "x/y/b.c.mp4")
    assert folders(tmp_path, *names) == [
        "before/a.mp4", "before/a.mov", "after/a", "b", "x/y/b.c"
    ]  # fmt: skip


def test_no_clip_is_read_into_a_folder_elsewhere_or_one_of_our_files(tmp_path):
    (tmp_path / "before").symlink_to("/tmp")
    for name in ("before/a.mp4", "run.json.mp4"):
        with pytest.raises(ValueError, match="cannot be the folder of a clip"):
            folders(tmp_path, name)
