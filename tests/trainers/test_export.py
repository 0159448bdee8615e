"""From a workdir to a model with a card and a name, by the commands."""

import json

import pytest

from fer_tf.chain import description
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io.card import read_card
from tests.fer_tf.export import small_models
from tests.testing_utils import assert_one_line
from tests.testing_utils import run_command as run


@pytest.mark.slow
def test_a_run_becomes_a_model_with_a_card_and_a_name(finished_run, tmp_path):
    root = tmp_path / "saved_models"
    root.mkdir()
    (root / "catalog.json").write_text('{"default": null, "models": {}}')
    output = root / "tiny"
    args = [f"--workdir={finished_run}", f"--output={output}", "--formats=keras",
            "--command=python -m trainers.train --x"]  # fmt: skip
    result = run("export", *args)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "keras: differs from Keras by at most 0\n" in result.stdout
    assert "ranges" not in result.stdout
    described = read_card(str(output))
    assert described["checked_on"] == {"crops": 64, "source": "drawn faces"}
    assert described["measured"]["test"]["metrics"]["accuracy"] == 0.8765
    assert (described["protocol"], described["epoch"]) == ("clean", 2)
    assert described["training"] == {
        "command": "python -m trainers.train --x", "config": {"seed": 5},
        "epochs": 2.0, "num_train": 480, "minutes": 1.5, "seed": 5,
    }  # fmt: skip
    card = (output / "README.md").read_text()
    assert "Examples trained on: 480" in card
    assert "| accuracy | 0.8765 |" in card and "FER2013" in card

    assert "never saw" not in card

    again = tmp_path / "again"
    formats = "--formats=litert_int8"
    result = run("export", f"--workdir={output}", f"--output={again}", formats)
    assert result.returncode == 0, result.stderr
    assert "litert_int8: its ranges are set by drawn faces, not by" in result.stdout
    assert "were set by: drawn faces." in (again / "README.md").read_text()
    carried = read_card(str(again))
    for name in ("dataset", "measured", "protocol", "epoch", "training", "versions"):
        assert carried[name] == described[name]

    result = run("catalog", f"--root={root}", f"--add={output}")
    assert result.returncode == 0, result.stderr
    found = json.loads((root / "catalog.json").read_text())
    assert found["default"] == "tiny"
    assert "accuracy 0.8765" in (root / "README.md").read_text()

    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert_one_line(
        run("catalog", f"--root={root}", f"--add={finished_run / 'm'}"),
        1,
        "must lie in",
    )
    assert before == {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "command, args, code, text",
    [
        ("export", ["--workdir=x", "--output=y", "--formats=onxx"], 2, "onxx given"),
        ("export", ["--workdir=x", "--output=y", "--formats="], 2, "none given"),
        ("export", ["--workdir=x", "--output=tests"], 1, "tests: exists already"),
        (
            "export",
            ["--workdir=x", "--output=y", "--chain", "--note=z"],
            2,
            "--note is not for --chain",
        ),
        (
            "export",
            ["--workdir=x", "--output=y", "--min_face_score=0.5"],
            2,
            "--min_face_score is for --chain alone",
        ),
        (
            "export",
            ["--workdir=x", "--output=y", "--chain", "--min_face_score=1"],
            2,
            "must be between 0 and 1",
        ),
        (
            "export",
            ["--workdir=x", "--output=y", "--chain", "--formats=keras"],
            2,
            "--formats: of --chain may be onnx, litert",
        ),
        (
            "export",
            ["--workdir=x", "--output=y", "--chain", "--page", "--formats=litert"],
            2,
            "--page needs the format onnx",
        ),
        (
            "export",
            ["--workdir=x", "--output=y", "--page"],
            2,
            "--page is for --chain alone",
        ),
        (
            "export",
            ["--workdir=x", "--output=y", "--chain", "--onnxruntime_web=z"],
            2,
            "--onnxruntime_web is for --page alone",
        ),
        ("catalog", ["--make_default"], 2, "--make_default needs --add"),
        ("catalog", ["--root=/absent"], 1, "/absent"),
    ],
)
def test_bad_arguments_are_one_line(command, args, code, text):
    assert_one_line(run(command, *args), code, text)


def test_the_crop_specs_of_the_house_can_be_drawn():
    assert all(spec.size <= 224 for spec in CROP_SPECS.values())


@pytest.mark.slow
def test_what_was_measured_elsewhere_comes_into_the_card(finished_run, tmp_path):
    path, output = tmp_path / "london.json", tmp_path / "out"
    part = {"num_examples": 4, "metrics": {"accuracy": 0.25}}
    found = {"dataset": "csv", "num_examples": 8, "metrics": {"accuracy": 0.375},
             "intervals": {"accuracy": [0.125, 0.5]},
             "groups": {"gender": {"female": part}}, "split": "test",
             "confusion": {"expressions": ["neutral", "fear"],
                           "counts": [[2, 1], [4, 1]],
                           "intervals": {"recall": [[0.1, 0.9], None],
                                         "precision": [None, [0.2, 0.8]]}}}  # fmt: skip
    path.write_text(json.dumps(found))
    args = [f"--workdir={finished_run}", f"--output={output}", "--formats=keras"]
    result = run(
        "export", *args, f"--elsewhere=London={path}", "--note=It cannot see smiles."
    )
    assert result.returncode == 0, result.stderr
    card = (output / "README.md").read_text()
    assert "## On data it never saw: London" in card and "| 8 examples |" in card
    assert "**It cannot see smiles.**" in card
    assert "| accuracy | 0.3750 [0.1250, 0.5000] |" in card
    assert "| gender: female | 4 | 0.2500 |" in card
    fear = "| fear | 5 | 0.2000 | 0.5000 [0.2000, 0.8000] | neutral (0.8000) |"
    assert fear in card
    for part in ({"counts": [[2], [4, 1]]}, {"intervals": {"recall": []}}, None):
        damaged = {**found, "confusion": {**found["confusion"], **part}} if part else {
            **found, "metrics": ["accuracy"]}  # fmt: skip
        path.write_text(json.dumps(damaged))
        shown = run("export", *args, f"--elsewhere=L={path}")
        assert_one_line(shown, 1, "not what trainers.evaluate --json writes")
    path.write_text(json.dumps(found))
    shown = run("export", *args, f"--elsewhere=L={path}", f"--elsewhere=L={path}")
    assert_one_line(shown, 2, "'L' is given twice")
    path.write_text("{}")
    for given, code, words in (
        (f"L\nM={path}", 2, "the title is no single line"),
        (f"L={path}", 1, "not what trainers.evaluate --json writes"),
        ("L=nowhere.json", 1, "nowhere.json: no such file"),
        ("nowhere.json", 2, "must be TITLE=FILE"),
    ):
        shown = run("export", *args, f"--elsewhere={given}")
        assert_one_line(shown, code, words)


@pytest.mark.slow
@small_models.needs_onnx
def test_the_whole_chain_as_files(finished_run, tmp_path):
    output = tmp_path / "chain"
    args = [f"--workdir={finished_run}", f"--output={output}", "--chain"]
    result = run("export", *args, "--min_face_score=0.7")
    assert (result.returncode, result.stderr) == (0, "")
    assert "onet.onnx: differs from TensorFlow by at most" in result.stdout
    described = description.read(output)
    assert described.detector.thresholds == (0.6, 0.7, 0.7)
    assert described.facts["checked_on"] == {"crops": 64, "source": "drawn faces"}
    assert_one_line(run("export", *args), 1, "exists already")
