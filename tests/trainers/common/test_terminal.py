import io
import subprocess
import sys

from trainers.common import terminal


def test_a_stream_escapes_what_is_printed_and_is_else_what_it_was():
    plain = io.StringIO()
    stream = terminal.Output(plain)
    print("a\x1b[2J", "b", sep="\n", file=stream, flush=True)
    assert plain.getvalue() == "a\\x1b[2J\nb\n" and not stream.isatty()


COMMAND = r"""
import sys
from trainers.common import cli
def main():
    print("read: a\x1b[2J.png")
    raise ValueError("b\x1b[2J\rc\nd.png: damaged")
cli.run(main)
"""


def test_every_commands_lines_are_escaped():
    found = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True)
    assert found.returncode == 1
    assert found.stdout == b"read: a\\x1b[2J.png\n"
    assert found.stderr.endswith(b": b\\x1b[2J c\n")
