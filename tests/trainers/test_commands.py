"""The commands as a user runs them: exit codes, one line, whole files."""

import csv
import json
import os
import pathlib
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

import fer_tf
import trainers
from data_pipelines import synthetic
from data_pipelines.sources import open_source
from fer_tf.faces.crop_spec import CROP_SPECS
from tests.testing_utils import assert_one_line, save_tiny_model
from tests.testing_utils import run_command as run

FILES = sorted(pathlib.Path(trainers.__file__).parent.glob("*.py"))
COMMANDS = [path.stem for path in FILES if "cli.run(" in path.read_text()]


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    """An untrained model, saved as `trainers.train` saves its best."""
    folder = tmp_path_factory.mktemp("model") / "m"
    return save_tiny_model(folder, CROP_SPECS["meen"], views="center_mirror")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_answers_at_once_and_exits_0(name):
    start = time.process_time(), os.times().children_user
    result = run(name, "--help")
    assert result.returncode == 0, result.stderr
    assert f"python -m trainers.{name}" in result.stdout and "--" in result.stdout
    # CPU seconds, so that a busy machine does not matter.
    assert os.times().children_user - start[1] < 1.0


@pytest.mark.slow
def test_train_takes_flags_ends_with_a_report_and_says_so_again(
    synthetic_data, tmp_path
):
    arguments = [
        "--config=tests/trainers/small_config.py", f"--data={synthetic_data}",
        f"--workdir={tmp_path / 'run'}", "--config.stages[0].epochs=1",
        "--config.model.arguments.width=0.0625",
    ]  # fmt: skip
    result = run("train", *arguments)
    assert result.returncode == 0, result.stderr
    report = tmp_path / "run" / "report.md"
    assert "| accuracy |" in result.stdout and "| accuracy |" in report.read_text()
    written = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert written["stages"][0]["epochs"] == 1
    assert written["model"]["arguments"]["width"] == 0.0625
    before = report.stat().st_mtime_ns
    result = run("train", *arguments)
    assert result.returncode == 0 and "run is finished; see" in result.stdout
    assert report.stat().st_mtime_ns == before


@pytest.mark.slow
def test_classes_of_ones_own_go_the_whole_way(tmp_path):
    source = open_source("synthetic", "seed=3,examples=160,size=48")
    for row in source.rows():
        sample, image = source.load(row)
        name = "calm" if sample.expression in ("neutral", "sadness") else "tense"
        (tmp_path / "in" / name).mkdir(parents=True, exist_ok=True)
        path = tmp_path / "in" / name / f"{row.sample_id}.png"
        cv2.imwrite(str(path), image)
    data, workdir, model = (f"{tmp_path}/{name}" for name in ("data", "run", "model"))
    for command, *arguments in [
        ["prepare", "--dataset=folder", f"--source={tmp_path}/in", f"--output={data}",
         "--classes=tense,calm", "--detector=none"],
        ["train", "--config=tests/trainers/small_config.py", f"--data={data}",
         f"--workdir={workdir}", "--config.stages[0].epochs=1"],
        ["evaluate", f"--workdir={workdir}", f"--data={data}",
         f"--json={tmp_path}/scores.json"],
        ["export", f"--workdir={workdir}", f"--output={model}", "--formats=keras"],
        ["predict", f"--model={model}", f"--input={tmp_path}/in/calm",
         f"--output={tmp_path}/out", "--detector=none", "--pictures=false"],
    ]:  # fmt: skip
        result = run(command, *arguments)
        assert result.returncode == 0, result.stderr
        if command == "train":
            assert "the model gets 2 classes: tense, calm" in result.stdout
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["confusion"]["expressions"] == ["tense", "calm"]
    card = (tmp_path / "model" / "README.md").read_text()
    assert "which of these classes a face shows, as probabilities: tense, calm" in card
    with open(tmp_path / "out" / "predictions.csv", newline="") as file:
        columns = next(csv.reader(file))
    assert {"expression", "tense", "calm"} < set(columns)
    assert "circumplex_valence" not in columns and "happiness" not in columns


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "args", [["--help"], ["--dataset=synthetic", "--source=seed=1,examples=20"]]
)
def test_output_that_nobody_reads_is_no_error(args, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)  # As `| head` does, once it has its lines.
    result = subprocess.run(
        [sys.executable, "-m", "trainers.verify", *args],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    os.close(writer)
    assert (result.returncode, result.stderr) == (1, b"")


@pytest.mark.parametrize(
    "args, text",
    [
        (["prepare"], "--dataset"),
        (["prepare", "--dataset=mnist", "--output=x"], "mnist"),
        (["prepare", "--dataset=fer2013", "--output=x"], "--source is needed"),
        (["prepare", "--dataset=synthetic", "--source=sise=4", "--output=x"], "sise"),
        (["prepare", "--nonsense"], "nonsense"),
        (["evaluate", "--workdir=x"], "--data is needed"),
        (["train", "--config=no/such/config.py", "--data=x", "--workdir=y"],
         "no such file"),
        (["train", "--config=no/such/config.py", "--data=x", "--workdir=y"], "no/such"),
        (["train", "--config=trainers/configs/base.py", "--config.typo=1", "--data=x",
          "--workdir=y"], "typo"),
        (["evaluate", "--split=dev", "--workdir=x", "--data=y"], "dev"),
        (["predict", "--model=x", "--input=y", "--output=z", "stray"], "stray"),
        (["verify"], "--dataset"),
        (["benchmark", "--what=luck"], "luck"),
        pytest.param(  # It takes TensorFlow to know.
            ["benchmark", "--what=train", "--model=small_resnet,no"], "no model 'no'",
            marks=pytest.mark.slow,
        ),
        (["benchmark", "--what=faces", "--json=no/folder.json"], "no folder no"),
        (["benchmark", "--what=faces"], "--trained is needed"),
        (["reproduce", "--table=wang_1", "--data=x", "--workdir=y",
          "--override=seed=7"], "--seeds"),
        (["readme", "--add=runs/x", "--name=x"], "--command and --machine"),
    ],
)  # fmt: skip
def test_bad_arguments_exit_2_with_one_line(args, text, tmp_path):
    assert_one_line(run(*args), 2, text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "args, text",
    [
        (["prepare", "--dataset=fer2013", "--source=/absent", "--output=x"], "/absent"),
        (["verify", "--dataset=fer2013", "--source=/absent"], "/absent"),
        (["evaluate", "--workdir=/absent", "--data=x"], "/absent"),
        (["predict", "--model=/absent", "--input=setup.py", "--output=x"], "/absent"),
        (["predict", "--model=x", "--input=/absent", "--output=x"], "/absent"),
    ],
)
def test_bad_input_exits_1_with_one_line(args, text, tmp_path):
    assert_one_line(run(*args), 1, text)


@pytest.mark.slow
def test_predict_reads_photographs_and_says_what_it_could_not(model_folder, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    face = synthetic.draw(5, synthetic.SyntheticOptions(size=224)).image
    cv2.imwrite(str(photos / "face.png"), face[..., ::-1])
    cv2.imwrite(str(photos / "wall.png"), np.full((200, 300, 3), 127, np.uint8))
    (photos / "page.jpg").write_text("<html>not found</html>")
    args = [f"--model={model_folder}", f"--input={photos}", f"--output={out}"]
    result = run("predict", *args)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "page.jpg: " in result.stderr.splitlines()[-1]

    lines = [
        json.loads(s) for s in (out / "predictions.jsonl").read_text().splitlines()
    ]
    found = {line["source"]: line for line in lines}
    assert found["wall.png"]["faces"] == [] and found["page.jpg"]["error"]
    (reading,) = found["face.png"]["faces"]
    assert abs(sum(reading["probabilities"].values()) - 1) < 1e-5
    assert reading["expression"] == max(
        reading["probabilities"], key=reading["probabilities"].get
    )
    assert np.shape(reading["landmarks"]) == (5, 2)
    rows = list(csv.DictReader(open(out / "predictions.csv")))
    assert [row["source"] for row in rows] == ["face.png", "page.jpg", "wall.png"]
    assert cv2.imread(str(out / "face_annotated.png")).shape[2] == 3
    assert not [p for p in out.iterdir() if p.name.startswith(".")]


@pytest.mark.slow
def test_a_folder_with_other_files_and_odd_names_is_read(model_folder, tmp_path):
    """A table and a note beside the photographs are no failures."""
    photos, out = tmp_path / "photos", tmp_path / "out"
    (photos / "day").mkdir(parents=True)
    face = synthetic.draw(5, synthetic.SyntheticOptions(size=224)).image
    for name in ("face.png", "day/f\x1b[31m\n\r.png"):
        cv2.imwrite(str(photos / name), face[..., ::-1])
    (photos / "labels.csv").write_text("file,label")
    (photos / "README").write_text("mine")
    (photos / "surprised").mkdir()
    args = [f"--model={model_folder}", f"--output={out}", "--min_face_score=0.5"]
    result = run("predict", *args, f"--input={photos}")
    assert result.returncode == 0, result.stderr
    assert (
        "passed over: 2 files that are no pictures (.csv, no ending)" in result.stdout
    )
    assert "no picture found in: surprised" in result.stdout
    assert "day/f\\x1b[31m\\n\\r.png: " in result.stdout and "\x1b" not in result.stdout
    with open(out / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["source"] for row in rows] == ["face.png", "day/f\x1b[31m\n\r.png"]
    assert (out / "face_annotated.png").is_file() and (out / "day").is_dir()
    (photos / "day" / "f\x1b[31m\n\r.png").unlink()
    result = run("predict", *args, f"--input={photos}/*.png")
    assert result.returncode == 0, result.stderr
    assert f"forgotten: 1 pictures that are gone from {photos}" in result.stdout
    assert len((out / "predictions.jsonl").read_text().splitlines()) == 1
    # Another least score would mix two kinds of readings.
    result = run("predict", *args[:2], f"--input={photos}")
    assert_one_line(result, 1, "predictions with min_face_score 0.5, now 0.9")


@pytest.mark.parametrize("flags, text", [
    (["--min_face_score=1.5"], "must be between 0 and 1"),
    (["--min_face_score=0"], "must be between 0 and 1"),
    (["--min_face_score=nan"], "must be between 0 and 1"),
    (["--min_face_score=0.5", "--detector=none"], "not for --detector=none"),
    (["--min_face_score=1.5", "--serve"], "must be between 0 and 1"),
    (["--smallest_face=11"], "--smallest_face=11: must be at least 12"),
    (["--smallest_face=nan"], "must be at least 12"),
    (["--smallest_face=40", "--detector=none"], "not for --detector=none"),
    (["--search_every=0"], "--search_every"),
    (["--search_every=2", "--detector=none"], "not for --detector=none"),
])  # fmt: skip
def test_a_search_that_makes_no_sense_is_refused(flags, text, tmp_path):
    args = [f"--input={tmp_path}", f"--output={tmp_path / 'o'}", *flags]
    assert_one_line(run("predict", *args), 2, text)


@pytest.mark.slow
def test_explain_fails_where_a_picture_could_not_be_read(model_folder, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    pytest.importorskip("skimage")
    from trainers.common.sample_photograph import write_astronaut

    write_astronaut(str(photos))
    cv2.imwrite(str(photos / "wall.png"), np.full((200, 300, 3), 127, np.uint8))
    (photos / "notes.txt").write_text("mine")
    args = [f"--model={model_folder}", f"--input={photos}", f"--output={out}"]
    result = run("explain", *args)
    assert result.returncode == 0, result.stderr
    assert "passed over: 1 file that is no picture (.txt)" in result.stdout
    (photos / "page.jpg").write_text("<html>")
    result = run("explain", *args)
    assert result.returncode == 1 and "page.jpg: an HTML page" in result.stderr
    found = json.loads((out / "explanations.json").read_text())
    assert [face["source"] for face in found["faces"]] == ["astronaut.png"]
    assert [each["source"] for each in found["errors"]] == ["page.jpg", "wall.png"]


@pytest.mark.slow
def test_predict_reads_each_clip_of_a_folder_into_a_folder_of_its_own(
    model_folder, tmp_path
):
    pytest.importorskip("av", reason="needs PyAV: pip install 'fer-tf[video]'")
    from fer_tf.video.video_writer import VideoWriter

    study, out = tmp_path / "study", tmp_path / "out"
    for name in ("before/a.mp4", "after/a.mp4", "b.mp4"):
        (study / name).parent.mkdir(parents=True, exist_ok=True)
        with VideoWriter(str(study / name)) as writer:
            for frame in range(3):
                writer.write(np.full((48, 48, 3), 99, np.uint8), frame / 25)
    (study / "broken.mp4").write_text("<html>")
    cv2.imwrite(str(study / "face.png"), np.full((48, 48, 3), 99, np.uint8))
    args = [f"--model={model_folder}", f"--input={study}", f"--output={out}",
            "--detector=none", "--people=1"]  # fmt: skip
    result = run("predict", *args)
    assert result.returncode == 1, result.stderr
    assert f"{study / 'broken.mp4'}: not a video" in result.stderr
    assert f"{study / 'broken.mp4'}: not a video" in result.stdout
    assert not (out / "broken").exists()
    found = {}
    for folder in ("before/a", "after/a", "b", "."):
        with open(out / folder / "predictions.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        found[folder] = [(r["source"], r["condition"], r.get("person")) for r in rows]
    assert found == {
        "before/a": [("before/a.mp4", "before", "1")] * 3,
        "after/a": [("after/a.mp4", "after", "1")] * 3,
        "b": [("b.mp4", "", "1")] * 3,
        ".": [("face.png", "", None)],
    }
    assert (out / "before" / "a" / "a_annotated.mp4").exists()
    # What is finished stays, and what has changed or was broken is read.
    old = (out / "b" / "predictions.jsonl").stat().st_mtime_ns
    for name in ("before/a.mp4", "broken.mp4"):
        (study / name).write_bytes((study / "after" / "a.mp4").read_bytes() + b"0")
    result = run("predict", *args)
    assert result.returncode == 0, result.stderr
    assert "2 videos read before" in result.stdout
    assert (out / "b" / "predictions.jsonl").stat().st_mtime_ns == old
    result = run("predict", *args, "--nopictures")
    assert "read before" not in result.stdout
    result = run("predict", *args[:-1], "--nopictures")
    assert result.returncode == 1, result.stderr
    assert "holds predictions with people 1, now None" in result.stderr


@pytest.mark.slow
def test_one_photograph_without_a_face_fails(model_folder, tmp_path):
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((200, 300, 3), 127, np.uint8))
    result = run("predict", f"--model={model_folder}", f"--output={tmp_path / 'out'}",
                 f"--input={tmp_path / 'wall.png'}")  # fmt: skip
    assert result.returncode == 1 and "no face found" in result.stderr


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    out = tmp_path / "out"
    script = (
        "import resource, signal, sys, runpy;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "sys.argv = ['prepare', '--dataset=synthetic', '--source=examples=300',"
        f"'--workers=1', '--output={out}'];"
        "runpy.run_module('trainers.prepare', run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert not (out / "manifest.json").exists()
    assert not [p for p in out.glob("*.tfrecord*")]


@pytest.mark.slow
def test_another_backend_is_one_line(tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    picture = tmp_path / "face.png"
    cv2.imwrite(str(picture), np.zeros((9, 9, 3), np.uint8))
    result = run(
        "predict", f"--input={picture}", f"--output={tmp_path / 'o'}", env=environment
    )
    assert_one_line(result, 1, "needs Keras on TensorFlow, and it is on jax")


@pytest.mark.slow
def test_crops_are_read_as_they_are(model_folder, tmp_path):
    """A grey square, in which no detector finds a face."""
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), np.full((48, 48), 90, np.uint8))
    arguments = [f"--input={tmp_path / 'in'}", f"--output={tmp_path / 'out'}"]
    arguments.append(f"--model={model_folder}")
    result = run("predict", *arguments, "--detector=none")
    assert result.returncode == 0, result.stderr
    (line,) = (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()
    (face,) = json.loads(line)["faces"]
    model = fer_tf.Predictor(model_folder)
    (expected,) = model.read_crops(np.full((1, 48, 48, 1), 90, np.uint8))
    assert face["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-4)
    assert_one_line(run("predict", *arguments), 1, "predictions with detector 'none'")
    assert_one_line(run("predict", "--serve", "--detector=none"), 2, "not for --serve")
    assert_one_line(run("predict", "--serve", "--every=2"), 2, "--every is not for")
