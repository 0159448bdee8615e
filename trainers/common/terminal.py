"""Standard output of the commands, without control characters, and counts in words."""

from fer_tf.utils.disk import name_file
from fer_tf.utils.names import printable

STDOUT = "standard output"
"""Stands for a file's name in errors of standard output."""


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun.

    >>> counted(1, "person", "people"), counted(1200, "frame", "frames")
    ('1 person', '1,200 frames')
    """
    return f"{number:,} {one if number == 1 else many}"


class Output:
    """Standard output: its text is made `printable`, and its errors name it.

    Args:
        stream: The stream that is written to.
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
