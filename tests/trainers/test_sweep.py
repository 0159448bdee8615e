"""trainers.sweep as a user runs it."""

import json
import shutil
import subprocess
import sys
import time

import pytest

from tests.testing_utils import assert_one_line, run_command
from trainers.tables.runs import config_file

CONFIG = config_file("small_resnet_synthetic")
SMALL = (
    "--override=stages[0].epochs=1",
    "--override=stages[0].schedule.name=constant",
    "--override=model.arguments.width=0.1",
    "--override=eval_epochs=1",
)


@pytest.mark.slow
def test_a_sweep_that_is_killed_goes_on_to_the_same_numbers(synthetic_data, tmp_path):
    def arguments(name):
        return [
            f"--config={CONFIG}", f"--data={synthetic_data}",
            f"--workdir={tmp_path / name}", *SMALL[1:], "--override=stages[0].epochs=6",
            "--override=deterministic=true", "--over=batch_size=32,16",
        ]  # fmt: skip

    second = tmp_path / "killed/runs/batch_size=16_seed0"
    command = [sys.executable, "-m", "trainers.sweep", *arguments("killed")]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 200
    while not list(second.glob("checkpoints/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    time.sleep(1)  # What it started ends with it.
    assert list(second.glob("checkpoints/*")) and not (second / "report.md").exists()
    # The table of what was finished is there.
    (only,) = table_of(tmp_path / "killed")
    assert only["values"] == {"batch_size": "32"}
    result = run_command("sweep", *arguments("killed"))
    assert result.returncode == 0, result.stderr
    assert "[1/2] batch_size=32_seed0: trained already" in result.stdout
    assert "resumed at step" in (second.parent / f"{second.name}.log").read_text()
    result = run_command("sweep", *arguments("quiet"))
    assert result.returncode == 0, result.stderr
    numbers = lambda name: {
        row["name"]: (row["mean"], row["less_best"])
        for row in table_of(tmp_path / name)
    }
    assert numbers("killed") == numbers("quiet") and len(numbers("quiet")) == 2


def table_of(work):
    return json.loads((work / "sweep.json").read_text())["settings"]


@pytest.mark.slow
def test_a_sweep_trains_what_is_lost_and_takes_new_values(synthetic_data, tmp_path):
    work = tmp_path / "w"
    base = ("sweep", f"--config={CONFIG}", f"--data={synthetic_data}",
            f"--workdir={work}", *SMALL)  # fmt: skip
    result = run_command(*base, "--over=batch_size=16,32")
    assert result.returncode == 0, result.stderr
    found = json.loads((work / "sweep.json").read_text())
    assert len(found["settings"]) == 2 and found["metric"] == "accuracy"
    best = found["settings"][0]
    assert best["mean"] >= found["settings"][1]["mean"]
    # It has not looked at the test set.
    results = json.loads((work / "runs/batch_size=16_seed0/results.json").read_text())
    assert list(results["protocols"]["clean"]) == [
        "epoch", "step", "temperature", "validation"
    ]  # fmt: skip
    last = result.stdout.splitlines()[-1]
    assert last.startswith("python -m trainers.train ") and "reads_test" not in last
    assert f"--config.batch_size={best['values']['batch_size']}" in last
    # One run is lost, and a value is new.
    shutil.rmtree(work / "runs/batch_size=32_seed0")
    result = run_command(*base, "--over=batch_size=16,32,8")
    assert result.returncode == 0, result.stderr
    assert "[1/3] batch_size=16_seed0: trained already" in result.stdout
    assert "[2/3] batch_size=32_seed0: training" in result.stdout
    assert len(json.loads((work / "sweep.json").read_text())["settings"]) == 3
    assert (work / "sweep.png").stat().st_size > 1000
    # Runs of another config are not taken for these.
    result = run_command(*base[:-1], "--over=batch_size=16")
    assert_one_line(result, 1, "begun with another config (eval_epochs was 1, now 2)")


@pytest.mark.slow
def test_a_setting_that_diverges_is_left_out_and_named(synthetic_data, tmp_path):
    work = tmp_path / "w"
    result = run_command(
        "sweep", f"--config={CONFIG}", f"--data={synthetic_data}", f"--workdir={work}",
        *SMALL, "--override=batch_size=16",
        "--over=stages[0].learning_rate=1e30,0.01",
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert "1e30_seed0: its training failed; the reason stands above" in last
    assert "the loss is not finite at step" in result.stderr
    found = json.loads((work / "sweep.json").read_text())
    assert [s["values"] for s in found["settings"]] == [
        {"stages[0].learning_rate": "0.01"}
    ]
    assert "best: stages[0].learning_rate=0.01" in result.stdout


@pytest.mark.parametrize(
    "arguments, code, text",
    [
        ([f"--config={CONFIG}"], 2, "--over is missing"),
        (["--config=none.py", "--over=seed=1"], 2, "none.py: no such file"),
        ([f"--config={CONFIG}", "--over=batch_size=a"], 2, "`batch_size` must be int"),
        ([f"--config={CONFIG}", "--over=batch_size=8", "--metric=beauty"], 2, "beauty"),
        ([f"--config={CONFIG}", "--over=batch_size=8", "--override=eval_epochs"],
         2, "--override must be KEY=VALUE"),
        ([f"--config={CONFIG}", "--over=batch_size=8", "--override=batch_size=9"],
         2, "--override=batch_size: --over tries values of it"),
        ([f"--config={CONFIG}", "--over=batch_size=8", "--override=eval_epochs=1,2"],
         2, "--override=eval_epochs: several values"),
    ],
)  # fmt: skip
def test_bad_arguments_are_one_line_and_nothing_is_written(
    arguments, code, text, synthetic_data, tmp_path
):
    work = tmp_path / "w"
    result = run_command(
        "sweep", f"--data={synthetic_data}", f"--workdir={work}", *arguments
    )
    assert_one_line(result, code, text)
    assert not work.exists()
