"""The commands that measure and explain, as a user runs them."""

import dataclasses
import inspect
import json
import re
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

from data_pipelines.batches import pipeline
from fer_tf import models, predictor
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder as loading
from tests.testing_utils import assert_one_line, save_tiny_model
from tests.testing_utils import run_command as run


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    """An untrained model of the `synthetic_data` fixture's crops."""
    folder = tmp_path_factory.mktemp("model") / "m"
    spec = dataclasses.replace(CROP_SPECS["synthetic"], size=48, color="grey")
    return save_tiny_model(folder, spec, views="center_mirror")


@pytest.mark.slow
@pytest.mark.parametrize("mixed", [True, False])
def test_a_run_on_mixed_crops_is_measured_on_them(
    mixed, model_folder, synthetic_data, tmp_path
):
    other = shutil.copytree(synthetic_data, tmp_path / "other")
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["crop_spec"]["margin"] += 0.1
    (other / "manifest.json").write_text(json.dumps(manifest))
    folder = shutil.copytree(model_folder, tmp_path / "model")
    config = {"config": {"mixed_crops": mixed}}
    (folder / "config.json").write_text(json.dumps(config))
    arguments = (f"--workdir={folder}", f"--data={synthetic_data},{other}")
    result = run("evaluate", *arguments)
    assert result.returncode == (0 if mixed else 1)
    assert mixed or "margin" in result.stderr


@pytest.mark.slow
def test_evaluate_writes_what_others_read(model_folder, synthetic_data, tmp_path):
    result = run(
        "evaluate", f"--workdir={model_folder}", f"--data={synthetic_data}",
        f"--json={tmp_path / 's.json'}", f"--pictures={tmp_path / 'p'}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    found = json.loads((tmp_path / "s.json").read_text())
    keys = "dataset split num_examples labelled protocol checkpoint metrics intervals"
    keys += " unknown_expressions absent_expressions confusion resampling calibration"
    keys += " groups"
    assert found.keys() == set(keys.split())
    assert (found["dataset"], found["split"]) == ("synthetic", "test")
    assert found["resampling"]["unit"] == "subject"
    low, high = found["intervals"]["accuracy"]
    assert 0 <= low <= found["metrics"]["accuracy"] <= high <= 1
    prepared = pipeline.open_prepared(synthetic_data)
    assert found["calibration"]["num_fitted"] == prepared.count("validation")
    # As whoever has the crops would find it, by the views that the model states.
    crops, true = [], []
    for batch in pipeline.eval_batches(
        prepared, "test", [], size=48, channels=1, batch_size=16
    ):
        rows = batch["mask"].numpy() > 0
        crops.append(batch["image"].numpy()[rows])
        true += batch["expression"].numpy()[rows].tolist()
    read = predictor.Predictor(model_folder).read_crops(np.concatenate(crops))
    logs = [np.log(list(reading["probabilities"].values())) for reading in read]
    nll = -np.mean([log[label] for log, label in zip(logs, true)])
    assert found["metrics"]["nll"] == pytest.approx(nll, rel=1e-3)
    counts = np.array(found["confusion"]["counts"])
    hits = np.trace(counts) / found["num_examples"]
    assert hits == pytest.approx(found["metrics"]["accuracy"])
    here = found["confusion"]["expressions"].index("fear")
    shown = re.search("^fear .*", result.stdout, re.M)[0]
    recall = counts[here, here] / counts[here].sum()
    assert f" recall {recall:.4f} [" in shown
    assert shown.endswith(f", {counts[here].sum()} examples")
    for groups in found["groups"].values():
        total = sum(group["num_examples"] for group in groups.values())
        assert total == found["num_examples"]
    written = {path.name for path in (tmp_path / "p").iterdir()}
    assert written == {"confusion.png", "calibration.png", "groups.png"}
    total = found["num_examples"]
    first = f"synthetic, test, protocol clean: {total} examples\n"
    assert result.stdout.startswith(first)
    assert "accuracy at 70%" in result.stdout and "skin dark" in result.stdout


@pytest.mark.slow
def test_heads_that_nothing_trained_are_not_measured(synthetic_data, tmp_path):
    spec = dataclasses.replace(CROP_SPECS["synthetic"], size=48, color="grey")
    card = loading.Card(
        model="two_att_two_mt", arguments={"width": 0.125}, crop_spec=spec,
        views="center", average="logits", trained=("expression",),
    )  # fmt: skip
    network = models.create_model("two_att_two_mt", **card.arguments)
    loading.save(str(tmp_path / "m"), network, card)
    arguments = (f"--data={synthetic_data}", f"--json={tmp_path / 's.json'}")
    result = run("evaluate", f"--workdir={tmp_path / 'm'}", *arguments)
    assert result.returncode == 0, result.stderr
    assert "so they are not measured: valence_arousal\n" in result.stdout
    found = json.loads((tmp_path / "s.json").read_text())
    assert "accuracy" in found["metrics"] and found["labelled"].keys() == {"expression"}
    assert not [name for name in found["metrics"] if name.startswith(("ccc", "rmse"))]


def test_labels_of_other_names_are_not_compared_by_place(
    model_folder, synthetic_data, tmp_path
):
    folder = shutil.copytree(model_folder, tmp_path / "model")
    card = json.loads((folder / "model.json").read_text())
    names = card["expressions"]
    card["expressions"] = [*names[:5], names[6], names[5], names[7]]
    (folder / "model.json").write_text(json.dumps(card))
    result = run("evaluate", f"--workdir={folder}", f"--data={synthetic_data}")
    assert_one_line(result, 1, "its expressions are")


@pytest.mark.slow
def test_a_set_that_weights_are_fitted_on_does_not_judge_them(
    model_folder, synthetic_data, tmp_path
):
    path = tmp_path / "not" / "yet" / "s.json"
    result = run(
        "evaluate", f"--workdir={model_folder}", f"--data={synthetic_data}",
        "--split=validation", f"--json={path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "fitted on these examples" in result.stdout
    assert json.loads(path.read_text())["calibration"]["ece_after"] is None


@pytest.mark.long
def test_explain_measures_the_right_place(model_folder, tmp_path):
    args = [f"--model={model_folder}", f"--output={tmp_path / 'out'}"]
    result = run("explain", *args, "--input=synthetic", "--source=examples=8",
                 "--pictures=1")  # fmt: skip
    assert result.returncode == 0, result.stderr
    found = json.loads((tmp_path / "out" / "localisation.json").read_text())
    assert found["num_faces"] == 8 and found["source"] == "examples=8"
    maps = found["models"]["small_resnet"]
    assert maps.keys() == {"grad_cam", "guided_backpropagation", "guided_grad_cam",
                           "edges"}  # fmt: skip
    assert 0 < maps["edges"]["uniform"] < maps["edges"]["mass"] < 1
    described = json.loads((tmp_path / "out" / "explanations.json").read_text())
    (face,) = described["faces"]
    assert cv2.imread(str(tmp_path / "out" / face["picture"])) is not None
    assert (tmp_path / "out" / "localisation.png").exists()


def test_a_group_without_a_metric_shows_its_number_of_examples():
    group = {"num_examples": 3, "labelled": {}, "metrics": {}, "intervals": {}}
    code = f"from trainers import evaluate; print(evaluate._group_line({group}))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.stdout == "3 examples\n", result.stderr


def test_the_help_of_predict_states_the_predictors_defaults():
    text = " ".join(run("predict", "--help").stdout.split())
    assert f"between 0 and 1; {predictor.MIN_FACE_SCORE:g} by default" in text
    default = inspect.signature(predictor.Predictor.predict_video).parameters
    assert f"(default: '{default['smoothing'].default}')" in text
