"""Standard output of the commands, without control characters."""

from fer_tf.utils.disk import name_file
from fer_tf.utils.names import printable

STDOUT = "standard output"
"""Stands for a file's name in errors of standard output."""


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
