"""Standard output of the commands: nothing on it steers a terminal."""

from fer_tf.utils.disk import name_file
from fer_tf.utils.names import printable

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
