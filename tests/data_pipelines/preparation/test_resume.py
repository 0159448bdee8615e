"""Preparing that is killed, refused or out of room, and then goes on."""

import itertools
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tarfile
import time
from concurrent.futures.process import BrokenProcessPool

import pytest

from data_pipelines.preparation import chunks, prepare
from data_pipelines.sources import DataError, open_source
from data_pipelines.sources.filters import DerivedSource
from data_pipelines.storage import manifests
from tests.testing_utils import bitmaps

SOURCE = "seed=1,examples=400,size=48"
COMMAND = [sys.executable, "-m", "trainers.prepare"]


def run(source, output, **kwargs):
    kwargs = {"rows_a_chunk": 50, "crop_spec": source.crop_spec(), **kwargs}
    return prepare.prepare(source, str(output), **kwargs)


def contents(folder):
    """Every file's bytes; of a folder that was left behind, its name."""
    return {
        name: (folder / name).read_bytes() if (folder / name).is_file() else None
        for name in sorted(os.listdir(folder))
    }


def start(command):
    """Starts a command whose processes can all be killed together."""
    return subprocess.Popen(
        command,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[3])},
        text=True,
    )


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def progress_files(output):
    work = output / ".work"
    return sorted(work.glob("chunk-*.json")) if work.is_dir() else []


@pytest.mark.slow
@pytest.mark.parametrize("format", manifests.FORMATS)
def test_killed_in_the_middle_it_ends_with_the_same_bytes(format, tmp_path):
    script = (
        "import sys; from data_pipelines.preparation import prepare\n"
        "from data_pipelines.sources import open_source\n"
        "if __name__ == '__main__':\n"
        f"    source = open_source('synthetic', {SOURCE!r})\n"
        "    prepare.prepare(source, sys.argv[1], rows_a_chunk=50, workers=2,\n"
        f"        crop_spec=source.crop_spec(), format={format!r})\n"
    )
    (tmp_path / "script.py").write_text(script)
    killed, source = tmp_path / "killed", open_source("synthetic", SOURCE)
    process = start([sys.executable, str(tmp_path / "script.py"), str(killed)])
    deadline = time.monotonic() + 120
    while not progress_files(killed) and time.monotonic() < deadline:
        time.sleep(0.005)
    kill(process)
    done = progress_files(killed)
    assert 1 <= len(done) < 8 and not (killed / "manifest.json").exists()
    before = {path: path.stat().st_mtime_ns for path in done}
    # What was done is not done again.
    seen = []
    run(source, killed, format=format, progress=lambda done, total: seen.append(done))
    assert seen[0] == sum(50 for _ in before)
    run(source, tmp_path / "whole", format=format)
    assert contents(killed) == contents(tmp_path / "whole")


@pytest.mark.parametrize("format", manifests.FORMATS)
def test_stopped_between_any_two_files_it_ends_with_the_same_bytes(
    format, tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "fsync", lambda file: None)  # Hundreds take seconds.
    source = open_source("synthetic", "seed=1,examples=5,size=48")
    run(source, tmp_path / "whole", rows_a_chunk=3, format=format)
    expected, replace = contents(tmp_path / "whole"), os.replace
    for written in itertools.count():
        left, output = written, tmp_path / f"stopped{written}"

        def stop(*args):
            nonlocal left
            if not left:
                raise KeyboardInterrupt
            left -= 1
            replace(*args)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", stop)
            try:
                run(source, output, rows_a_chunk=3, format=format)
                break
            except KeyboardInterrupt:
                pass
        run(source, output, rows_a_chunk=3, format=format)
        assert contents(output) == expected
    # The plan, the rows and their order, two chunks and the manifest at least.
    assert written >= 8


def random_kills(command, folder, expected, seconds, count):
    """Kills a command at random moments and lets it finish; returns how often."""
    rng, kills, finished = random.Random(0), 0, 0
    while kills < count:
        process = start([*command, f"--output={folder}"])
        try:
            assert process.wait(rng.uniform(0, seconds)) == 0
        except subprocess.TimeoutExpired:
            kill(process)
            kills += 1
            continue
        assert contents(folder) == expected
        finished += 1
        folder = folder.with_name(f"killed{finished}")
    subprocess.run([*command, f"--output={folder}"], check=True)
    assert contents(folder) == expected
    return kills


def check_random_kills(command, tmp_path):
    begun = time.monotonic()
    subprocess.run([*command, f"--output={tmp_path / 'whole'}"], check=True)
    seconds = time.monotonic() - begun
    expected = contents(tmp_path / "whole")
    assert "manifest.json" in expected
    assert random_kills(command, tmp_path / "killed0", expected, seconds, 20) == 20


@pytest.mark.long
@pytest.mark.parametrize("format", manifests.FORMATS)
def test_twenty_random_kills_change_no_byte_of_synthetic_data(format, tmp_path):
    # Four chunks for two workers.
    source = "--source=examples=8192,size=48"
    command = [*COMMAND, "--dataset=synthetic", source, f"--format={format}"]
    check_random_kills([*command, "--workers=2"], tmp_path)


@pytest.mark.long
@pytest.mark.real_data
def test_twenty_random_kills_change_no_byte_of_fer2013(real_data, tmp_path):
    with tarfile.open(real_data / "fer2013.tar.xz") as archive:
        archive.extractall(tmp_path / "source", filter="data")
    source = f"--source={tmp_path / 'source'}"
    command = [*COMMAND, "--dataset=fer2013", source, "--workers=2"]
    check_random_kills(command, tmp_path)


@pytest.mark.parametrize("finished", [False, True])
def test_pictures_replaced_by_others_of_the_same_size_are_refused(finished, tmp_path):
    source = bitmaps(tmp_path / "in", range(6))
    if finished:
        run(source, tmp_path / "out", rows_a_chunk=3)
    else:

        def stop(chunks, progress, total):
            chunks[0].run()
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(source, tmp_path / "out", rows_a_chunk=3, run=stop)
    before = contents(tmp_path / "out")
    replaced = bitmaps(tmp_path / "in", [0, 1, 2, 3, 99, 5])
    with pytest.raises(DataError, match="another source: its files or options"):
        run(replaced, tmp_path / "out", rows_a_chunk=3)
    assert contents(tmp_path / "out") == before
    # The old pictures are the old source again, whenever they were written.
    run(bitmaps(tmp_path / "in", range(6)), tmp_path / "out", rows_a_chunk=3)


def test_an_unfinished_folder_names_what_is_asked_for_now(tmp_path):
    source = open_source("synthetic", "examples=8,size=48")

    def stop(chunks, progress, total):
        chunks[0].run()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path, rows_a_chunk=4, run=stop)
    with pytest.raises(DataError, match="format .there 'tfrecord', now 'npz'"):
        run(source, tmp_path, rows_a_chunk=4, format="npz")
    spec = source.crop_spec("gan2020")
    with pytest.raises(DataError, match="crop_spec.size .there 48, now 224"):
        run(source, tmp_path, rows_a_chunk=4, crop_spec=spec)
    other = open_source("synthetic", "examples=9,size=48")
    with pytest.raises(DataError, match="source: its files or options"):
        run(other, tmp_path, rows_a_chunk=4)
    assert run(source, tmp_path, rows_a_chunk=4)["num_examples"] == 8


@pytest.mark.slow
@pytest.mark.parametrize(
    "format, limit, said_of",
    [
        ("tfrecord", 4_000, ".work/rows.jsonl"),
        ("tfrecord", 200_000, "synthetic-train.tfrecord-00000-of-00001"),
        ("npz", 200_000, ".work/synthetic-train.npz-00000-of-00001.npz"),
    ],
)
def test_a_full_disk_is_one_line_and_nothing_half_written(
    format, limit, said_of, tmp_path
):
    output = tmp_path / "out"
    source = "--source=examples=100,size=48"
    # A file beyond the limit fails as one on a full disk does.
    result = subprocess.run(
        [*COMMAND, "--dataset=synthetic", source, f"--output={output}", "--workers=1",
         f"--format={format}"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert result.returncode == 1
    *progress, last = result.stderr.splitlines()
    assert last == f"trainers.prepare: {output}/{said_of}: File too large"
    assert all(line.startswith("prepare ") for line in progress)
    left = [p for p in output.rglob("*") if ".part-" in p.name or "tfrec" in p.name]
    assert left == [] and not (output / "manifest.json").exists()
    # With room again it goes on.
    source = open_source("synthetic", "examples=100,size=48")
    run(source, output, rows_a_chunk=2048, format=format)
    run(source, tmp_path / "whole", rows_a_chunk=2048, format=format)
    assert contents(output) == contents(tmp_path / "whole")


class Dying(DerivedSource):
    """A source whose third picture ends the process that reads it."""

    def load(self, sample):
        if sample.frame == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._source.load(sample)


def test_a_worker_that_is_killed_is_said_so(tmp_path):
    source = open_source("synthetic", "examples=8,size=48")
    source = Dying(source, less="life", words="a life")
    spec = source.crop_spec()
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(BrokenProcessPool, match="a worker process was killed"):
        run(source, tmp_path, crop_spec=spec, rows_a_chunk=4, workers=2, format="npz")
    assert signal.getsignal(signal.SIGINT) is handler
    assert not (tmp_path / "manifest.json").exists()
    assert not list(tmp_path.rglob(".part-*"))
    plan = json.loads((tmp_path / chunks.WORK / "plan.json").read_text())
    assert plan["dataset"] == "synthetic"


def test_ctrl_c_while_its_workers_start_is_one_line(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "trainers.prepare", "--dataset=synthetic",
         "--source=examples=6000,size=48", "--workers=2",
         f"--output={tmp_path / 'out'}"],
        start_new_session=True, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    while process.poll() is None:  # Two, and what keeps account of the semaphores.
        with open(children) as file:
            if len(file.read().split()) >= 3:
                break
        time.sleep(0.02)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    *progress, last = said.splitlines()
    assert last == "trainers.prepare: interrupted" and process.returncode == 1
    assert all(line.startswith("prepare ") for line in progress)


@pytest.mark.parametrize("room", [100, 1500, 4000, 20_000])
def test_a_file_that_cannot_be_written_is_named(room, tmp_path):
    source = open_source("synthetic", "examples=9,size=48")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As a full disk, but for the words.
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(OSError) as error:
            run(source, tmp_path / "out", format="npz")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.filename.startswith(str(tmp_path / "out"))
    left = [name for _, _, names in os.walk(tmp_path) for name in names]
    assert not any(name.startswith(".part-") for name in left)
