"""Names of strangers' files on a terminal: what would steer it is shown escaped."""

import re

from fer_tf.disk import name_file

# Control characters but for the end of a line and the tab, and those that turn the
# direction of what follows.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


def printable(text: str) -> str:
    r"""The text with `\x1b` and its like in place of what steers a terminal."""
    return _STEERING.sub(_escaped, text)


def one_line(name: str) -> str:
    r"""A name that stays on its line: ends of lines in it are escaped too."""
    return printable(name.replace("\n", r"\n"))


def _escaped(found):
    return found[0].encode("unicode_escape").decode()


STDOUT = "standard output"
"""What errors of it are said to be of, in the place of a file's name."""


class Output:
    """Standard output: all on it is `printable`, and its errors say that it is meant.

    Args:
        stream: Where it goes.
    """

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes the text escaped."""
        return self._named(self._stream.write, printable(text))

    def flush(self) -> None:
        """Hands over what was written."""
        self._named(self._stream.flush)

    def _named(self, call, *args):
        try:
            return call(*args)
        except OSError as error:
            name_file(error, STDOUT)
            raise
