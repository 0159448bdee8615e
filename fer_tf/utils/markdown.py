"""Tables in Markdown."""


def line(cells: list[str]) -> str:
    """A row of a table.

    >>> line(["row", "0.5"])
    '| row | 0.5 |'
    """
    return "| " + " | ".join(cells) + " |"


def head(columns: list[str]) -> list[str]:
    """The first two lines of a table.

    >>> head(["row", "ours"])
    ['| row | ours |', '|---|---|']
    """
    return [line(columns), "|---" * len(columns) + "|"]
