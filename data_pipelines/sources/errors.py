"""Errors for input data that cannot be used, and its text in their messages."""


class DataError(ValueError):
    """Input data that cannot be used; the message says what and where."""


class UnsafePath(DataError):
    """A path from a label file, or a link, that leads out of the data folder."""

    kind = "unsafe_path"


class OutOfRange(DataError):
    """A label outside its range."""

    kind = "out_of_range"


class RepeatedRow(DataError):
    """A second row of the same picture."""

    kind = "repeated_row"


class OptionError(ValueError):
    """An option that a source does not have, or a value it cannot take."""

    exit_code = 2  # Of a command: it was called wrongly.


def clip(text: str, length: int = 60) -> str:
    """Text from a label file, short enough for a message."""
    return text if len(text) <= length else text[:length] + "…"
