import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, Reject, Sample, open_source


def put(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(seed).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    cv2.imwrite(str(path), image)


def split(source):
    rows = list(source.rows())
    return [r for r in rows if isinstance(r, Sample)], [
        r for r in rows if isinstance(r, Reject)
    ]


def test_classes_and_splits_by_name(tmp_path):
    for path in ("train/Happy/a.png", "Train/angry/b.png", "val/sad/c.webp",
                 "valid/neutral/d.jpg", "test/contempt/deep/e.bmp"):  # fmt: skip
        put(tmp_path / path)
    source = open_source("folder", str(tmp_path))
    kept, rejects = split(source)
    assert {s.path: (s.split, s.expression) for s in kept} == {
        "train/Happy/a.png": ("train", "happiness"),
        "Train/angry/b.png": ("train", "anger"),
        "val/sad/c.webp": ("validation", "sadness"),
        "valid/neutral/d.jpg": ("validation", "neutral"),
        "test/contempt/deep/e.bmp": ("test", "contempt"),
    }
    assert rejects == [] and source.holdout is None
    assert all(source.load(s)[1].shape == (60, 60, 3) for s in kept)


def test_without_splits_and_without_validation(tmp_path):
    put(tmp_path / "a" / "fear" / "1.png")
    (sample,), _ = split(open_source("folder", str(tmp_path / "a")))
    assert sample.split is None and sample.expression == "fear"
    for name in ("train", "test"):
        put(tmp_path / "b" / name / "fear" / "1.png")
    assert open_source("folder", str(tmp_path / "b")).holdout == "pixels"


def test_every_file_counts(tmp_path):
    put(tmp_path / "fear" / "good.png")
    (tmp_path / "fear" / "page.jpg").write_text("<html>")
    (tmp_path / "fear" / "notes.txt").write_text("hello")
    (tmp_path / "fear" / "empty.webp").touch()
    (tmp_path / "README").write_text("hello")
    (tmp_path / "fear" / ".DS_Store").touch()
    outside = tmp_path.parent / f"{tmp_path.name}.png"
    put(outside)
    (tmp_path / "fear" / "link.png").symlink_to(outside)
    (tmp_path / "fear" / "folder").symlink_to(tmp_path.parent)
    (tmp_path / "fear" / "nowhere").symlink_to(tmp_path / "absent")
    (tmp_path / "fear" / "inside.png").symlink_to(tmp_path / "fear" / "good.png")
    (tmp_path / os.fsdecode(b"fear/\xff.png")).write_bytes(b"")
    output = str(tmp_path.parent / f"{tmp_path.name}-records")
    source = open_source("folder", str(tmp_path))
    manifest = prepare.prepare(source, output, crop_spec=source.crop_spec())
    reasons = {r["path"]: r["reason"] for r in manifest["rejects"]}
    assert manifest["num_examples"] == 2 and len(reasons) == 8
    assert "HTML" in reasons["fear/page.jpg"]
    assert reasons["fear/empty.webp"] == "empty file"
    assert "leads out" in reasons["fear/link.png"]
    assert "leads out" in reasons["fear/folder"]
    assert reasons["fear/nowhere"] == "no such file"
    assert "no class folder" in reasons["README"]
    assert "no plain UTF-8" in reasons[r"fear/\udcff.png"]


def test_copies_stay_together_and_a_tenth_of_train_is_held_out(tmp_path):
    for number in range(200):
        put(tmp_path / "train" / "fear" / f"{number}.png", seed=number % 100)
    put(tmp_path / "test" / "fear" / "0.png", seed=0)
    source = open_source("folder", str(tmp_path))
    output = str(tmp_path.parent / f"{tmp_path.name}-records")
    manifest = prepare.prepare(source, output, crop_spec=source.crop_spec())
    counts = {name: c["fear"] for name, c in manifest["counts"].items()}
    # Each of the 100 is there twice, on the same side.
    held_out = counts["validation"]
    assert held_out % 2 == 0 and 4 <= held_out <= 40
    assert counts == {"train": 200 - held_out, "validation": held_out, "test": 1}
    assert manifest["plan"]["validation"] == "pixels"


@pytest.mark.parametrize(
    "names, message",
    [
        (["bored"], "'bored' is the only class"),
        (["calm", "=1+1"], "the name '=1.1' must begin with a letter"),
        (["calm", "AU1"], "the name 'AU1' comes twice"),
        (["face", "nonface"], "cannot be called 'face': .*--dataset=facenonface"),
        (["set1/happy", "set2/happy"], "set1/ holds the folder happy/"),
        (["train/fear", "extra/fear"], "extra/ lies beside"),
        ([], "no folder of a class here"),
        (["train"], "no folder of a class here"),
    ],
)
def test_folders_that_are_no_classes_are_named(tmp_path, names, message):
    for name in names:
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(DataError, match=message):
        open_source("folder", str(tmp_path))


def test_other_names_are_classes_of_their_own_and_expressions_among_them(tmp_path):
    for path in ("train/tense/a.png", "train/Happy/b.png", "test/happy/c.png"):
        put(tmp_path / path)
    source = open_source("folder", str(tmp_path))
    assert source.expressions == ("Happy", "tense")
    assert {s.path: s.expression for s in split(source)[0]} == {
        "train/tense/a.png": "tense",
        "train/Happy/b.png": "Happy",
        "test/happy/c.png": "Happy",
    }


def test_classes_can_be_ordered_and_joined(tmp_path):
    for path in ("Ruhig/a.png", "at ease/b.png", "tense/c.png", "tense/happy/d.png"):
        put(tmp_path / path)
    wanted = "tense,calm:ruhig+at ease,angry"
    source = open_source("folder", str(tmp_path), classes=wanted)
    assert source.expressions == ("tense", "calm", "angry")
    assert [s.expression for s in split(source)[0]] == ["calm"] * 2 + ["tense"] * 2
    assert source.layout == f"<class>, classes={wanted}"
    swapped = open_source("folder", str(tmp_path), classes="calm:ruhig+at ease,tense")
    assert source.fingerprint != swapped.fingerprint
    with pytest.raises(DataError, match="'at ease' is none of --classes=calm,tense"):
        open_source("folder", str(tmp_path), classes="calm,tense")


def test_unknown_options_exit_2_with_one_line(tmp_path):
    put(tmp_path / "fear" / "good.png")
    for text, message in (("fold=1", "no option 'fold'"), ("fold", "key=value")):
        result = subprocess.run(
            [sys.executable, "-m", "trainers.prepare", "--dataset=folder",
             f"--source={tmp_path}", f"--output={tmp_path}-out", f"--options={text}"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert result.returncode == 2, result.stderr
        assert message in result.stderr and result.stderr.count("\n") == 1
