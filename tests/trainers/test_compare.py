"""trainers.compare as a user runs it."""

import json
import shutil

import numpy as np
import pytest

from tests.testing_utils import assert_one_line, run_command
from tests.trainers.tables.test_comparison import off, said


@pytest.fixture(scope="module")
def runs(finished_run, tmp_path_factory):
    """Two runs that kept what they said of a test set."""
    top = tmp_path_factory.mktemp("runs")
    true = np.tile([0, 1, 2], 40)
    for name, wrong in (("good", range(6)), ("bad", range(3, 60))):
        shutil.copytree(finished_run, top / name)
        said(true, off(true, wrong)).save(str(top / name / "outputs" / "clean.npz"))
    return top


def test_two_runs(runs, tmp_path):
    files = [tmp_path / "new" / name for name in ("c.json", "c.png")]
    result = run_command(
        "compare", runs / "good", runs / "bad",
        f"--json={files[0]}", f"--picture={files[1]}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    # 114 of 120 less 63 of 120.
    assert "accuracy                 0.9500   0.5250  0.4250 [" in result.stdout
    last = result.stdout.splitlines()[-1]
    assert last.startswith("On 120 faces by accuracy the first is better: 0.4250 [")
    assert last.endswith("over other faces, of these weights; other seeds may differ.")
    found = json.loads(files[0].read_text())
    assert found["metrics"]["accuracy"]["difference"] == pytest.approx(0.425)
    assert found["first"] == [str(runs / "good")] and found["split"] == "test"
    assert files[1].read_bytes()[:4] == b"\x89PNG"


def test_kept_files_are_compared_without_their_runs(runs, tmp_path):
    files = []
    for name in ("good", "bad"):
        files.append(tmp_path / f"{name}.npz")
        shutil.copy(runs / name / "outputs" / "clean.npz", files[-1])
    result = run_command("compare", *files)
    assert result.returncode == 0, result.stderr
    assert "accuracy                 0.9500   0.5250  0.4250 [" in result.stdout
    mixed = run_command("compare", files[0], runs / "bad")
    assert mixed.stdout.splitlines()[:-1] == result.stdout.splitlines()[:-1]
    for bad in (b"no archive", b"", files[0].read_bytes()[:900]):
        files[1].write_bytes(bad)
        assert_one_line(
            run_command("compare", *files), 1, "bad.npz: no file of predictions"
        )
    files[1].unlink()
    assert_one_line(run_command("compare", *files), 1, "bad.npz: No such file")


def test_seeds_and_a_run_against_itself(runs):
    good = runs / "good"
    result = run_command("compare", f"{good},{good}", good)
    assert result.returncode == 0, result.stderr
    assert "accuracy does not decide between them: 0.0000" in result.stdout
    assert "(2 and 1 runs)" in result.stdout


@pytest.mark.parametrize(
    "arguments, code, text",
    [
        (["one"], 2, "needs WORKDIR and WORKDIR, 1 given"),
        (["one", "two", "three"], 2, "unexpected argument 'three'"),
        (["one", "two"], 1, "one: no such folder"),
        (["tests", "two"], 1, "tests: no finished run that kept what it said"),
        (["one", "two", "--json=."], 2, "--json: . is a folder"),
    ],
)
def test_bad_arguments_are_one_line(arguments, code, text):
    assert_one_line(run_command("compare", *arguments), code, text)
