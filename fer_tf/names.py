"""Names of files as messages show them: on one line, and never long."""

import os

_LONGEST = 160


def shown(name: str | os.PathLike) -> str:
    """A file's name for a message.

    A name may hold line ends and codes that a terminal obeys, and what is given
    as one may be a whole picture in base64.

    Args:
        name: Any path, or what stands in its place.

    Returns:
        One printable line of at most 160 characters and an ellipsis.
    """
    text = os.fsdecode(name)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 40]}...{text[-40:]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
