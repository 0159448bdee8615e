"""Runs one of the commands as a process that does not outlive this one.

A command that starts others may be killed at any moment. Its child must end with it:
otherwise the same command, started again, would find its folder locked by the orphan.
"""

import os
import runpy
import subprocess
import sys
import threading

_CODE = "from trainers.common import child; child.main()"


def call(module: str, arguments: list[str], *, log: str) -> int:
    """Runs `python -m module arguments` to its end.

    Args:
        module: For instance `trainers.train`.
        arguments: Of the command.
        log: File that its standard output is added to; errors and progress go
            where ours go.

    Returns:
        Its exit status.
    """
    command = [sys.executable, "-c", _CODE, module, *arguments]
    with open(log, "a", encoding="utf-8") as file:
        # Nothing is written to the pipe. It closes when this process ends in any way.
        return subprocess.call(command, stdin=subprocess.PIPE, stdout=file)


def main() -> None:
    """Entry point of the child."""
    _, module, *arguments = sys.argv

    def watch():
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:  # Before the command handles it itself.
        sys.exit(1)
