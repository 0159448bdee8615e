import io
import subprocess
import sys

import pytest

from trainers import terminal


@pytest.mark.parametrize(
    "name, shown",
    [
        ("plain \u9762 caf\xe9 \U0001f468\u200d\U0001f469.png", None),
        ("tab\there", None),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("over\rwritten", r"over\rwritten"),
        ("back\x08\x7f", r"back\x08\x7f"),
        ("\x9b2J", r"\x9b2J"),
        ("gnp.\u202egpj.exe", r"gnp.\u202egpj.exe"),
        ("\u2066a\u2069", r"\u2066a\u2069"),
        ("two\u2028lines", r"two\u2028lines"),
        ("nul\0", r"nul\x00"),
    ],
)  # fmt: skip
def test_what_steers_a_terminal_is_escaped_and_nothing_else(name, shown):
    assert terminal.printable(name) == (name if shown is None else shown)


def test_a_name_stays_on_its_line():
    assert terminal.one_line("a\nb.png: happiness") == r"a\nb.png: happiness"


def test_a_stream_escapes_what_is_printed_and_is_else_what_it_was():
    plain = io.StringIO()
    stream = terminal.Escaping(plain)
    print("a\x1b[2J", "b", sep="\n", file=stream, flush=True)
    assert plain.getvalue() == "a\\x1b[2J\nb\n" and not stream.isatty()


COMMAND = r"""
import sys
from trainers import cli
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
