"""Files that appear whole: also where the system is not Unix, as far as Linux shows."""

import os
import pathlib
import subprocess
import sys

import pytest

from fer_tf.utils import atomic


@pytest.fixture
def windows(monkeypatch):
    """What Windows lacks or refuses, of what can be shown here."""
    import fcntl

    fsync, remove = os.fsync, os.remove
    is_open = lambda path: any(
        os.path.exists(f"/proc/self/fd/{n}")
        and os.path.samefile(f"/proc/self/fd/{n}", path)
        for n in os.listdir("/proc/self/fd")
    )

    def strict_fsync(number):
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(9, "Bad file descriptor")
        fsync(number)

    def strict_remove(path):
        if is_open(path):
            raise PermissionError(13, "used by another process", path)
        remove(path)

    monkeypatch.setattr(os, "fsync", strict_fsync)
    monkeypatch.setattr(os, "remove", strict_remove)
    monkeypatch.setattr(atomic, "fcntl", None)


def test_files_are_replaced_on_windows(windows, tmp_path):
    path = str(tmp_path / "a.json")
    for value in ({"a": 1}, {"b": [2]}):
        atomic.write_json(path, value)
        assert atomic.read_json(path) == value
    with atomic.locked(str(tmp_path / ".lock")):
        atomic.write_text(path, "x")
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_lock_is_of_one_and_goes_with_it(tmp_path):
    lock = str(tmp_path / ".lock")
    for _ in range(2):
        with atomic.locked(lock):
            assert os.listdir(tmp_path) == [".lock"]
            with pytest.raises(OSError, match=f"{tmp_path}: another process"):
                with atomic.locked(lock):
                    pass
            assert os.listdir(tmp_path) == [".lock"]
        assert os.listdir(tmp_path) == []
    with pytest.raises(KeyError):
        with atomic.locked(lock):
            raise KeyError
    assert os.listdir(tmp_path) == []


def test_who_waited_for_a_lock_that_is_gone_takes_a_new_one(tmp_path, monkeypatch):
    """Between its opening and its locking the holder may have removed it."""
    lock, flock, removed = tmp_path / ".lock", atomic.fcntl.flock, []

    def late(file, how):
        if not removed:
            removed.append(lock.unlink())
        flock(file, how)

    monkeypatch.setattr(atomic.fcntl, "flock", late)
    with atomic.locked(str(lock)):
        monkeypatch.undo()
        with pytest.raises(OSError, match="another process"):
            with atomic.locked(str(lock)):
                pass


def test_no_link_is_written_through(tmp_path):
    """A folder from a stranger may have links where files are written for a while."""
    away = tmp_path / "away"
    away.write_text("precious")
    lock, text = tmp_path / ".lock", str(tmp_path / "a.txt")
    lock.symlink_to(away)
    with pytest.raises(OSError) as error, atomic.locked(str(lock)):
        pass
    assert error.value.filename == str(lock)
    with atomic.replacing(text) as temporary:
        pathlib.Path(temporary).write_text("a")
    os.symlink(away, temporary)
    atomic.write_text(text, "b")
    assert away.read_text() == "precious"
    assert pathlib.Path(text).read_text() == "b"
    assert not os.path.islink(text)


# Each command defines its own flags: one of them alone in a process.
_WITHOUT_UNIX = """
import importlib, os, pathlib, pkgutil, runpy, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios", "pty"):
    sys.modules[name] = None
for name in ("getuid", "geteuid", "fork", "sched_getaffinity", "posix_fallocate"):
    delattr(os, name)
import data_pipelines, fer_tf, trainers
for package in (fer_tf, data_pipelines, trainers):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        file = pathlib.Path(found.module_finder.path, found.name.split(".")[-1] + ".py")
        command = file.exists() and "cli.run(" in file.read_text()
        # Those three need an extra.
        extra = found.name in (
            "trainers.web_page.reader",
            "trainers.publishing.site_examples",
            "data_pipelines.preparation.beam",
        )
        if not command and not extra:
            importlib.import_module(found.name)
from trainers.common import memory
from trainers.training import dry_run
assert memory.peak() is None and dry_run._memory() == "not known on this system"
sys.argv = ["prepare", "--dataset=synthetic", "--source=examples=20,size=48",
            "--workers=1", "--output=" + sys.argv[1]]
runpy.run_module("trainers.prepare", run_name="__main__")
"""


def test_every_module_is_there_without_what_only_unix_has(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", _WITHOUT_UNIX, str(tmp_path / "out")],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    assert (tmp_path / "out" / "manifest.json").is_file()
    assert not (tmp_path / "out" / ".work").exists()
