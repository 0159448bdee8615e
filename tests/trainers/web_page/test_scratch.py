import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile

import pytest

from trainers.web_page import scratch


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """An empty folder for temporary files, for this process and its children."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def left(root):
    return sorted(path.name for path in root.iterdir())


def test_it_is_private_and_holds_every_temporary_file_and_goes(root):
    with scratch.private() as folder:
        assert pathlib.Path(folder).parent == root
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        with tempfile.NamedTemporaryFile(delete=False) as file:
            assert file.name.startswith(folder)
    assert left(root) == []
    assert tempfile.gettempdir() == str(root)


def test_it_goes_after_an_exception_too(root):
    with pytest.raises(KeyboardInterrupt), scratch.private():
        raise KeyboardInterrupt
    assert left(root) == []


def test_what_a_killed_page_left_is_removed_and_a_running_page_is_not(root):
    hold = (
        "from trainers.web_page import scratch\n"
        "with scratch.private() as folder:\n"
        "    open(folder + '/upload', 'w').close()\n"
        "    print(folder, flush=True)\n"
        "    input()\n"
    )
    start = lambda: subprocess.Popen(
        [sys.executable, "-c", hold], stdin=-1, stdout=-1, text=True
    )
    running, killed = start(), start()
    try:
        kept, lost = (each.stdout.readline().strip() for each in (running, killed))
        killed.send_signal(signal.SIGKILL)
        killed.wait(30)
        assert os.path.exists(f"{lost}/upload")
        with scratch.private() as folder:
            assert not os.path.exists(lost)
            assert os.path.exists(f"{kept}/upload")
            assert len(left(root)) == 2 and os.path.basename(folder) in left(root)
    finally:
        running.communicate("\n", timeout=30)
        killed.kill()
        killed.communicate(timeout=30)
    assert left(root) == []


def test_what_is_not_a_pages_own_stays(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "photo.jpg").write_bytes(b"x")
    (root / "fer-tf-page-link").symlink_to(elsewhere)
    (root / "fer-tf-page-notes").mkdir(mode=0o755)
    (root / "fer-tf-page-file").write_text("x")
    before = left(root)
    with scratch.private():
        pass
    assert left(root) == before
    assert (elsewhere / "photo.jpg").exists()


def test_the_oldest_files_make_room(root, monkeypatch):
    monkeypatch.setattr(scratch, "QUOTA", 100)
    with scratch.private() as folder:
        for age, name in enumerate("cab"):
            path = pathlib.Path(folder, name, "file")
            path.parent.mkdir()
            path.write_bytes(bytes(40))
            os.utime(path, (1000 - age, 1000 - age))
        names = lambda: {
            path.parent.name for path in pathlib.Path(folder).rglob("file")
        }
        scratch.make_room(folder)
        assert names() == {"c", "a"}
        scratch.make_room(folder, 50)
        assert names() == {"c"}
        scratch.make_room(folder, 1000)
        assert names() == set()
        assert os.listdir(folder) == [".lock"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_it_goes_when_the_page_is_told_to_end(root, name):
    hold = (
        "import signal\n"
        # What runs in the background of a shell ignores it, and so do its children.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from trainers.common import cli\n"
        "from trainers.web_page import scratch\n"
        "with cli.ended_by_signals(), scratch.private() as folder:\n"
        "    print(folder, flush=True)\n"
        "    signal.pause()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", hold], stdout=-1, stderr=-1, text=True
    )
    assert os.path.exists(process.stdout.readline().strip())
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert left(root) == []
