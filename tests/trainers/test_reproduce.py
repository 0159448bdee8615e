"""The command as a user runs it, and what it writes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from data_pipelines.sources import DataError
from tests.trainers.tables.planned_table import planned
from trainers.tables.papers import TABLES


def run(*args, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "trainers.reproduce", *args],
        capture_output=True, text=True, timeout=600, **kwargs,
    )  # fmt: skip


def test_folds_need_one_folder_of_records(synthetic_data, tmp_path):
    both = f"{synthetic_data},{shutil.copytree(synthetic_data, tmp_path / 'again')}"
    with pytest.raises(DataError, match="one prepared folder"):
        planned(TABLES["gan_5"], both, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "args, code, text",
    [
        (["--table=wang_9"], 2, "wang_9"),
        (["--table=wang_1"], 2, "--data"),
        (["--table=wang_4", "--data=x", "--workdir=y", "--rows=(1,1)"], 2, "'(1,1)'"),
        (["--table=wang_1", "--data=x", "--workdir=y", "--override=a"], 2, "KEY=VALUE"),
        (["--table=gan_5", "--data=x", "--workdir=a,b"], 2, "comma"),
        (["--table=wang_1", "--data=/absent", "--workdir=y"], 1, "/absent"),
    ],
)
def test_bad_arguments_are_one_line(args, code, text):
    result = run(*args)
    assert result.returncode == code and text in result.stderr
    assert result.stderr.strip().count("\n") == 0


@pytest.mark.long
def test_killed_anywhere_the_same_command_goes_on(synthetic_data, tmp_path):
    args = [
        "--table=wang_5", f"--data={synthetic_data}", f"--workdir={tmp_path}",
        "--scale=smoke", "--rows=MSE", "--override=model.arguments.width=0.05",
    ]  # fmt: skip
    command = [sys.executable, "-m", "trainers.reproduce", *args]
    for seconds in (5, 15, 25):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(1)  # What it started ends with it.
        listed = subprocess.run(["ps", "axww"], capture_output=True, text=True).stdout
        assert str(tmp_path) not in listed
    result = run(*args)
    assert result.returncode == 0, result.stderr
    entry = json.loads((tmp_path / "wang_5.json").read_text())["rows"][0]
    assert entry["row"] == "MSE" and "ccc_mean" in entry["ours"]
    # Finished: nothing is trained again, and nothing changes.
    written = (tmp_path / "wang_5.json").read_text()
    start = os.times().children_user
    assert run(*args).returncode == 0
    assert os.times().children_user - start < 60
    assert (tmp_path / "wang_5.json").read_text() == written
    result = run(*args, "--epochs=1")
    assert result.returncode == 1 and "begun with another config" in result.stderr
    assert result.stderr.strip().count("\n") == 0
