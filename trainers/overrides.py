"""Values of a config that come as text."""

import ast

from trainers.cli import UsageError

_BOOLS = {"true": True, "false": False}


def set_value(config, key: str, text: str) -> None:
    """Sets `stages[0].epochs` and the like, as the flag of the command would.

    Raises:
        UsageError: If there is no such key, or it cannot be that.
    """
    *parents, last = key.replace("[", ".").replace("]", "").split(".")
    if parents == ["model", "arguments"]:
        set_argument(config, last, text)
        return
    refused = f"no config can have {key}={text}"
    try:
        for part in parents:
            config = config[int(part) if part.isdigit() else part]
        old = config[last]
    except (LookupError, AttributeError, TypeError) as error:
        raise UsageError(refused) from error
    try:
        config[last] = _like(old, text)
    except (LookupError, TypeError, ValueError, SyntaxError) as error:
        raise UsageError(f"{refused}: must be {type(old).__name__}") from error


def _like(old, text):
    """The value of a text, of the type of the old one; no number is rounded."""
    if isinstance(old, str):
        return text
    if isinstance(old, bool):
        return _BOOLS[text.lower()]
    value = ast.literal_eval(text)
    if isinstance(old, float) and isinstance(value, int):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, type(old)):
        raise TypeError(text)
    return value


def set_argument(config, name: str, text: str) -> None:
    """Sets an argument of the model's builder, whether the config names it or not.

    Numbers, tuples, true, false and None are what they look like; all else is text.
    The builder refuses what it does not know.
    """
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = _BOOLS.get(text, text)
    arguments = config.model.arguments
    if isinstance(arguments.get(name), float) and isinstance(value, int):
        value = float(value)
    with arguments.unlocked():
        arguments[name] = value
