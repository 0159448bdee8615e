import json

import pytest

from trainers.prediction import output_folder


def test_what_was_begun_and_gave_nothing_refuses_nothing(tmp_path):
    output_folder.begin(str(tmp_path), {"weights": "aa", "video": "/broken.mp4"})
    output_folder.begin(str(tmp_path), {"weights": "bb"})
    (tmp_path / "predictions.jsonl").write_text("")
    with pytest.raises(ValueError, match="weights 'bb', now 'aa'"):
        output_folder.begin(str(tmp_path), {"weights": "aa"})


def test_what_was_begun_and_gave_nothing_leaves_nothing(tmp_path):
    clip, other = tmp_path / "before" / "a", tmp_path / "before" / "b"
    for folder in (clip, other):
        output_folder.begin(str(folder), {"weights": "aa"})
    (other / "predictions.jsonl").write_text("")
    for folder in (clip, other):
        output_folder.abandon(str(folder), below=str(tmp_path))
    assert not clip.exists() and len(list(other.iterdir())) == 2
    (other / "predictions.jsonl").unlink()
    (other / "mine.txt").write_text("")
    output_folder.abandon(str(other), below=str(tmp_path))
    assert [path.name for path in other.iterdir()] == ["mine.txt"]
    output_folder.begin(str(tmp_path), {"weights": "aa"})
    output_folder.abandon(str(tmp_path), below=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["before"]


def test_predictions_of_two_models_do_not_mix(tmp_path):
    output_folder.begin(str(tmp_path), {"weights": "aa"}, {"calibrated": True})
    (tmp_path / "predictions.jsonl").write_text("")
    output_folder.begin(str(tmp_path), {"weights": "aa"})
    with pytest.raises(ValueError, match="weights 'aa', now 'bb'"):
        output_folder.begin(str(tmp_path), {"weights": "bb"})


def test_each_version_that_read_pictures_is_kept(tmp_path):
    run = tmp_path / "run.json"
    old, new = {"fer_tf": "1", "unsure_below": 0.4}, {"fer_tf": "2"}
    output_folder.begin(str(tmp_path), {"weights": "aa"}, old)
    (tmp_path / "predictions.jsonl").write_text("")
    for _ in range(2):
        output_folder.begin(str(tmp_path), {"weights": "aa"}, new)
        kept = json.loads(run.read_text())
        assert kept == {"weights": "aa", "about": new, "about_earlier": [old]}
    # A video is read anew.
    film = {"weights": "aa", "video": "/clip.mp4"}
    run.write_text(json.dumps({**film, "about": old}))
    output_folder.begin(str(tmp_path), film, new)
    assert json.loads(run.read_text()) == {**film, "about": new}


def test_pictures_and_a_video_do_not_mix(tmp_path):
    film = {"weights": "aa", "video": "/clip.mp4", "every": 1}
    for first, second in (({"weights": "aa"}, film), (film, {"weights": "aa"})):
        folder = str(tmp_path / f"{len(first)}")
        output_folder.begin(folder, first)
        (tmp_path / f"{len(first)}" / "predictions.csv").write_text("")
        with pytest.raises(ValueError, match="video .*; choose another --output"):
            output_folder.begin(folder, second)


def test_a_run_is_finished_by_its_very_arguments_until_the_next_begins(tmp_path):
    film, about = {"weights": "aa", "video": "/clip.mp4"}, {"fer_tf": "1"}
    given = [str(tmp_path), film, about, {"pictures": True}]
    assert not output_folder.is_finished(*given)
    output_folder.begin(*given[:3])
    assert not output_folder.is_finished(*given)
    (tmp_path / "predictions.csv").write_text("")
    output_folder.finish(str(tmp_path), {"pictures": True})
    assert output_folder.is_finished(*given)
    assert not output_folder.is_finished(*given[:3], {"pictures": False})
    assert not output_folder.is_finished(*given[:2], {"fer_tf": "2"}, given[3])
    output_folder.begin(*given[:3])  # The same settings: no refusal.
    assert not output_folder.is_finished(*given)


def test_temporary_files_of_a_killed_run_are_removed_but_not_its_journal(tmp_path):
    left = (
        ".part-host-1-clip_annotated.mp4", ".part-host-1-predictions.jsonl",
        ".part-a_annotated.png", ".part-clip_timeline.png", ".part-host-1-run.json",
    )  # fmt: skip
    kept = (".part-predictions.jsonl", ".part-mine.txt", "b_annotated.png")
    for name in (*left, *kept):
        (tmp_path / name).write_text("")
    (tmp_path / "run.json").write_text('{"weights": "aa"}')
    output_folder.begin(str(tmp_path), {"weights": "aa"})
    assert {path.name for path in tmp_path.iterdir()} == {*kept, "run.json"}
