"""Memory of preparing, by the number of rows."""

import os
import pathlib
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from data_pipelines.storage import manifests


def peak_memory(command):
    """Runs a command; returns the peak MiB of its process and of any below it."""
    process = subprocess.Popen(command)
    peaks = {}
    while process.poll() is None:
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        try:
            for pid in [process.pid, *map(int, children.read_text().split())]:
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                if "VmHWM:" in status:
                    kibibytes = int(status.split("VmHWM:")[1].split()[0])
                    peaks[pid] = kibibytes / 1024
        except OSError:  # It has just ended.
            pass
        time.sleep(0.2)
    assert process.returncode == 0
    parent = peaks.pop(process.pid)
    return parent, max(peaks.values())


def many_links(folder, rows):
    """A folder of many names of twenty pictures."""
    (folder / "happiness").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(20):
        image = rng.integers(0, 256, (48, 48), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    for number in range(rows):
        target = folder / "happiness" / f"{number:06d}.png"
        os.link(folder / f"{number % 20}.png", target)
    for number in range(20):
        (folder / f"{number}.png").unlink()
    return str(folder)


@pytest.mark.long
@pytest.mark.skipif(
    not os.path.isdir("/proc/self"),
    reason="memory is read from /proc, which only Linux has",
)
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path):
    peaks = {}
    for rows in (10_000, 200_000):
        source = many_links(tmp_path / f"in{rows}", rows)
        output = str(tmp_path / f"out{rows}")
        peaks[rows] = peak_memory(
            [sys.executable, "-m", "trainers.prepare", "--dataset=folder",
             f"--source={source}", f"--output={output}", "--detector=none",
             "--workers=2"]
        )  # fmt: skip
        assert manifests.read(output)["num_examples"] == rows
    print("peak MiB of parent and worker:", peaks)
    (parent, worker), (parent_of_many, worker_of_many) = peaks.values()
    # All names of a folder are sorted at once, and 8 bytes a row are its order.
    assert parent_of_many - parent < 64
    # A chunk has 2,048 rows, or a few less.
    assert worker_of_many - worker < 32
