import subprocess
import sys

import pytest

from data_pipelines.sources import open_source


def run(*args):
    return subprocess.run(
        [sys.executable, "-m", "trainers.synthesize", *args],
        capture_output=True,
        text=True,
    )


def test_it_writes_what_the_loader_reads_and_overwrites_nothing(tmp_path):
    output = str(tmp_path / "rafdb")
    args = ("--layout=rafdb", f"--output={output}", "--examples=6", "--seed=3")
    result = run(*args)
    assert result.returncode == 0, result.stderr
    assert len(list(open_source("rafdb", output).rows())) == 6
    before = open_source("rafdb", output).fingerprint
    result = run(*args)
    assert result.returncode == 1 and "not an empty folder" in result.stderr
    assert result.stderr.strip().count("\n") == 0
    assert open_source("rafdb", output).fingerprint == before


@pytest.mark.parametrize(
    "args, text",
    [
        (["--layout=mnist", "--output=x"], "mnist"),
        (["--layout=folder"], "--output"),
        (["--layout=folder", "--output=x", "--examples=0"], "examples"),
    ],
)
def test_bad_arguments_exit_2(args, text):
    result = run(*args)
    assert result.returncode == 2 and text in result.stderr
