"""A command that another started ends with it."""

import os
import signal
import subprocess
import sys
import time

_PARENT = """
import sys
from trainers.common import child
print("begun", flush=True)
sys.exit(child.call("tests.trainers.waiting", [sys.argv[1]], log=sys.argv[2]))
"""


def begin(seconds, log):
    command = [sys.executable, "-c", _PARENT, str(seconds), str(log)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_its_exit_status_and_output_come_back(tmp_path):
    parent = begin(0, tmp_path / "log")
    assert parent.wait(60) == 7
    assert (tmp_path / "log").read_text().splitlines()[-1] == "waited"


def test_it_ends_when_its_parent_is_killed(tmp_path):
    log = tmp_path / "log"
    with begin(60, log) as parent:
        end = time.monotonic() + 60
        while not (log.exists() and log.read_text()) and time.monotonic() < end:
            time.sleep(0.05)
        number = int(log.read_text())
        parent.send_signal(signal.SIGKILL)
    while os.path.exists(f"/proc/{number}") and time.monotonic() < end:
        with open(f"/proc/{number}/stat") as file:
            if file.read().split()[2] == "Z":
                break
        time.sleep(0.05)
    assert time.monotonic() < end
    assert "waited" not in log.read_text()
