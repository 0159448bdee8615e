"""Strangers' names in messages and on a terminal: what would steer it is escaped."""

import os
import re

# Characters of a long name that are shown.
_FIRST, _LAST = 120, 40

# Control characters but for the end of a line and the tab, those that turn the
# direction of what follows, and bytes of a file's name that are no text.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""The text with `\x1b` and its like in place of what steers a terminal.

    Example:
        >>> print(printable("face\x1b[31m.png"))
        face\x1b[31m.png
    """
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(text: str) -> str:
    r"""The same on one line: `\n` stands in it for the end of one.

    Example:
        >>> print(one_line("a\nb"))
        a\nb
    """
    return printable(text).replace("\n", r"\n")


def shown(name: str | os.PathLike) -> str:
    """A file's name for a message.

    Args:
        name: Any path, or what is given in its place, such as a picture in base64.

    Returns:
        One line; of a long name, its first 120 characters and its last 40.

    Example:
        >>> len(shown("x" * 1000))
        163
    """
    text = os.fsdecode(name)
    if len(text) > _FIRST + _LAST:
        text = f"{text[:_FIRST]}...{text[-_LAST:]}"
    return one_line(text)
