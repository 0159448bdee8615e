"""Full disks: one error that says of what, nothing half-written, no memory fault."""

import errno
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import CARD
from fer_tf.plotting.style import save_figure
from fer_tf.utils import atomic, disk
from tests.testing_utils import full_disk, save_tiny_model

_SAVE = """
import sys
from fer_tf.faces.crop_spec import CROP_SPECS
from tests.testing_utils import full_disk, save_tiny_model
for limit in map(int, sys.argv[2:]):
    try:
        with full_disk(limit):
            save_tiny_model(sys.argv[1], CROP_SPECS["meen"])
    except OSError as error:
        print(error)
"""


@pytest.mark.slow
def test_a_model_is_saved_whole_or_not_at_all(tmp_path):
    """In a process of its own: HDF5 ended it in a memory fault."""
    folder = tmp_path / "m"
    save_tiny_model(folder, CROP_SPECS["meen"])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    limits = [100, 1000, 2048, 5000, 60_000, 100_000, 200_000]
    command = [sys.executable, "-c", _SAVE, str(folder), *map(str, limits)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    line = f"[Errno 27] File too large: '{folder / model_folder.WEIGHTS}'"
    assert result.stdout.splitlines() == [line] * len(limits)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    model_folder.load(str(folder))


def save_array(path):
    with atomic.replacing(path) as temporary:
        with open(temporary, "wb") as file:
            np.save(file, np.zeros(100_000))


def fill_folder(path):
    with atomic.new_folder(path) as folder:
        with open(os.path.join(folder, "labels.csv"), "wb") as file:
            file.write(bytes(100_000))


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: save_figure(Figure(), path), "File too large"),
        (lambda path: atomic.write_text(path, "x" * 100_000), "File too large"),
        (save_array, "requested and"),
        (fill_folder, "File too large"),
        (lambda path: disk.require_room(path, 100_000), "File too large"),
    ],
    ids=["picture", "text", "array", "folder", "room"],
)
def test_an_error_says_what_could_not_be_written(write, reason, tmp_path):
    path = tmp_path / "written.png"
    with full_disk(1000), pytest.raises(OSError, match=reason) as error:
        write(str(path))
    assert error.value.filename == str(path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("preallocates", [True, False])
def test_room_is_found_where_there_is_room(preallocates, tmp_path, monkeypatch):
    if not preallocates:
        monkeypatch.delattr(os, "posix_fallocate")
    path = str(tmp_path / "a")
    sizes = (0, 1, 999_999, 1 << 20, (1 << 20) + 1)
    with full_disk((1 << 20) + 1):
        for size in sizes:
            disk.require_room(path, size)
        with pytest.raises(OSError, match="too large") as error:
            disk.require_room(path, (1 << 20) + 2)
    assert error.value.errno == errno.EFBIG and os.listdir(tmp_path) == []


def test_no_link_is_written_through(tmp_path):
    folder, away = tmp_path / "m", tmp_path / "away"
    folder.mkdir()
    away.write_text("precious")
    for name in (model_folder.WEIGHTS, CARD, "curves.png"):
        with atomic.replacing(str(folder / name)) as temporary:
            pathlib.Path(temporary).write_text("")
        (folder / name).unlink()
        pathlib.Path(temporary).symlink_to(away)
    save_tiny_model(folder, CROP_SPECS["meen"])
    save_figure(Figure(), str(folder / "curves.png"))
    assert away.read_text() == "precious"
    written = sorted(folder.iterdir())
    assert len(written) == 3 and not any(path.is_symlink() for path in written)
