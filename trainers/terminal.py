"""Names of strangers' files on a terminal: what would steer it is shown escaped."""

import re

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


class Escaping:
    """A text stream on which everything is `printable`.

    Args:
        stream: Where it goes.
    """

    def __init__(self, stream):
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes the text escaped."""
        return self._stream.write(printable(text))

    def __getattr__(self, name):
        return getattr(self._stream, name)
