import json
import subprocess
import sys

import pytest

from data_pipelines import layouts


def run(*args):
    return subprocess.run(
        [sys.executable, "-m", "trainers.verify", *args], capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("verify") / "folder"
    layouts.write("folder", str(path), examples=12)
    return path


def test_a_sound_set_exits_0_and_is_told_to_people_and_programs(folder, tmp_path):
    report = tmp_path / "report.json"
    result = run("--dataset=folder", f"--source={folder}", f"--json={report}")
    assert result.returncode == 0, result.stderr
    assert "folder (<split>/<class>)" in result.stdout
    assert "nothing found" in result.stdout and "12 pictures in " in result.stdout
    written = json.loads(report.read_text())
    assert written["ok"] and written["findings"] == []
    assert written["num_pictures"] == 12
    assert sum(sum(c.values()) for c in written["counts"].values()) == 12


def test_errors_exit_1_with_one_line_and_the_whole_report(folder, tmp_path):
    (folder / "train" / "fear").mkdir(exist_ok=True)
    bad = folder / "train" / "fear" / "page.jpg"
    bad.write_text("<html>")
    report = tmp_path / "report.json"
    result = run("--dataset=folder", f"--source={folder}", f"--json={report}")
    bad.unlink()
    assert result.returncode == 1
    assert result.stderr.strip().count("\n") == 0 and "Traceback" not in result.stderr
    assert "error: 1 pictures that cannot be read" in result.stdout
    assert "train/fear/page.jpg: an HTML page" in result.stdout
    written = json.loads(report.read_text())
    assert not written["ok"]
    (finding,) = written["findings"]
    assert set(finding) == {"kind", "count", "severity", "examples"}
    assert (finding["kind"], finding["severity"]) == ("unreadable", "error")


@pytest.mark.parametrize(
    "args, text",
    [
        (["--dataset=folder"], "--source is needed"),
        (["--dataset=folder", "--source=x", "--data=y"], "either"),
        (["--dataset=ckplus", "--source=x", "--options=fold=12"], "fold must be one"),
        (["--dataset=folder", "--source=x", "--workers=0"], "workers"),
    ],
)
def test_bad_arguments_exit_2(args, text):
    result = run(*args)
    assert result.returncode == 2 and text in result.stderr
    assert result.stderr.strip().count("\n") == 0


@pytest.mark.parametrize("flag", ["json", "exclude_to"])
def test_nothing_is_written_into_the_data(flag, folder):
    result = run("--dataset=folder", f"--source={folder}", f"--{flag}={folder}/a.csv")
    assert result.returncode == 1 and "lies inside the source folder" in result.stderr
    assert not (folder / "a.csv").exists()


def test_a_folder_that_is_not_prepared_is_one_line(tmp_path):
    result = run(f"--data={tmp_path}")
    assert result.returncode == 1 and "no manifest.json here" in result.stderr
    assert result.stderr.strip().count("\n") == 0
