import functools
import importlib.util
import os
import re

import cv2
import numpy as np
import pytest
from absl import flags

import trainers
from tests.testing_utils import run_command
from trainers.prediction import photographs, picture_files
from trainers.prediction.records import Records


def named(text):
    """The files that the last lines name."""
    return re.findall(r"^  (\S+\.png)  ", text, re.MULTILINE)


class Commands:
    """In place of the commands, which take minutes: what they leave."""

    def __call__(self, name, *arguments):
        given = dict(text.lstrip("-").split("=", 1) for text in arguments)
        if name == "train":
            for picture in ("curves.png", "confusion.png"):
                os.makedirs(given["workdir"], exist_ok=True)
                path = os.path.join(given["workdir"], picture)
                cv2.imwrite(path, np.zeros((3, 3), np.uint8))
        if name == "predict":
            os.makedirs(given["output"], exist_ok=True)
            files = picture_files.find(given["input"])
            photographs.run(self, files, given["output"], pictures=True)

    def columns(self):
        return ["source"]

    def predict_many(self, images):
        face = {"box": [1, 1, 9, 9], "landmarks": [[1, 1]] * 5, "enlargement": 1.0}
        return [[face] for _ in images]


@pytest.fixture
def demo(monkeypatch):
    """The command's module, whose flags other commands have too."""
    monkeypatch.setattr(flags, "FLAGS", flags.FlagValues())
    for name in ("DEFINE_string", "DEFINE_bool"):
        define = functools.partial(getattr(flags, name), flag_values=flags.FLAGS)
        monkeypatch.setattr(flags, name, define)
    path = os.path.join(os.path.dirname(trainers.__file__), "demo.py")
    spec = importlib.util.spec_from_file_location("demo_under_test", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    flags.FLAGS(["demo"])
    return module


@pytest.mark.parametrize("photo", [None, "mine/a.png", "other/a.png", "{}/other/a.png"])
def test_every_file_that_the_last_lines_name_is_there(
    photo, demo, tmp_path, monkeypatch, capsys
):
    pytest.importorskip("skimage")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "_command", Commands())
    for name in ("mine/a.png", "other/a.png"):
        (tmp_path / name).parent.mkdir()
        cv2.imwrite(str(tmp_path / name), np.full((20, 20, 3), 99, np.uint8))
    # Another photograph of that name was read before.
    for given in ("mine/a.png", photo and photo.format(tmp_path)):
        monkeypatch.setattr(demo, "_PHOTO", type("Flag", (), {"value": given}))
        demo.main()
    found = named(capsys.readouterr().out)
    assert len(found) == 8 and all(cv2.imread(path) is not None for path in found)
    if photo is None:
        assert found[6] == "runs/demo/predictions/astronaut_annotated.png"
    elif photo == "mine/a.png":
        assert found[6] == "runs/demo/predictions/a_annotated.png"
        assert len(Records("runs/demo/predictions")) == 1
    else:
        assert found[6] == "runs/demo/predictions/other/a_annotated.png"


@pytest.mark.long
def test_the_demo_itself(tmp_path):
    pytest.importorskip("skimage")
    result = run_command("demo", f"--output={tmp_path}")
    assert result.returncode == 0, result.stderr
    found = named(result.stdout)
    assert len(found) == 4 and all(cv2.imread(path) is not None for path in found)
