"""Names from elsewhere in messages: escapes what would control a terminal."""

import os
import re

# Characters of a long name that are shown.
_FIRST, _LAST = 120, 40

# Control characters except line feed and tab, characters that change the direction of
# text, and bytes of a file's name that are no text.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""Escapes control characters of a text, such as `\x1b`.

    Example:
        >>> print(printable("face\x1b[31m.png"))
        face\x1b[31m.png
    """
    return _STEERING.sub(lambda match: ascii(match[0])[1:-1], text)


def one_line(text: str) -> str:
    r"""Like `printable`, with `\n` escaped too.

    Example:
        >>> print(one_line("a\nb"))
        a\nb
    """
    return printable(text).replace("\n", r"\n")


def shown(name: str | os.PathLike) -> str:
    """A file's name for a message.

    Args:
        name: A path, or another text in its place, such as a picture in base64.

    Returns:
        One line. A long name is cut to its first 120 and last 40 characters.

    Example:
        >>> len(shown("x" * 1000))
        163
    """
    text = os.fsdecode(name)
    if len(text) > _FIRST + _LAST:
        text = f"{text[:_FIRST]}...{text[-_LAST:]}"
    return one_line(text)
