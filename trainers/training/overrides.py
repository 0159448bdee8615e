"""Sets values of a config from text: `--config.KEY=VALUE`."""

import ast
import difflib
from collections.abc import Iterator

from ml_collections import ConfigDict

from trainers.common.cli import UsageError

_BOOLS = {"true": True, "false": False}
# Parts whose keys depend on their `name`; the class of that name knows its keys.
_BUILT = ("objective", "schedule", "optimizer")
# Words for types whose Python name a user need not know.
_KINDS = {"bool": "true or false", "ConfigDict": "set by its own keys"}


def set_value(config: ConfigDict, key: str, text: str) -> None:
    """Sets `stages[0].epochs` and the like.

    Another name of an objective, schedule or optimizer replaces it whole; its other
    keys are given after it.

    Args:
        config: Of a run.
        key: Dots and numbers in brackets lead to the value.
        text: The new value; no number is rounded.

    Raises:
        UsageError: If there is no such key, or the text is no value for it.

    Example:
        >>> from trainers.configs import base
        >>> config = base.get_config()
        >>> set_value(config, "stages[0].learning_rate", "0.1")
        >>> config.stages[0].learning_rate
        0.1
    """
    *parents, last = key.replace("[", ".").replace("]", "").split(".")
    if parents == ["model", "arguments"]:
        set_argument(config, last, text)
        return
    group = config
    try:
        for part in parents:
            group = group[int(part) if part.isdigit() else part]
        if parents and parents[-1] in _BUILT and _set_of_built(group, last, text):
            return
        old = group[last]
    except (LookupError, AttributeError, TypeError) as error:
        raise UsageError(
            f"the config has no key `{key}`; near it: {', '.join(nearest(config, key))}"
        ) from error
    try:
        group[last] = _like(old, text)
    except (LookupError, AttributeError, TypeError, ValueError, SyntaxError) as error:
        kind = type(old).__name__
        raise UsageError(
            f"`{key}` must be {_KINDS.get(kind, kind)}. Received: {text!r}."
        ) from error


def _set_of_built(part, name, text) -> bool:
    """Sets `name`, or a key that the part lacks; False for any other key."""
    if not isinstance(part, ConfigDict) or not name or text == part.get(name):
        return False
    if name == "name":
        with part.unlocked():
            for key in list(part):
                del part[key]
            part.name = text
    elif name not in part:
        _set_free(part, name, text)
    else:
        return False
    return True


def nearest(config: ConfigDict, key: str) -> list[str]:
    """The keys that are most like `key`, likeliest first.

    Example:
        >>> from trainers.configs import base
        >>> nearest(base.get_config(), "batchsize")[0]
        'batch_size'
    """
    keys, last = list(_keys(config)), lambda key: key.rpartition(".")[2]
    names = difflib.get_close_matches(last(key), set(map(last, keys)), n=3)
    likeness = lambda other: difflib.SequenceMatcher(None, key, other).ratio()
    # If no last name is alike, the whole keys are compared.
    meant = [other for other in keys if last(other) in names] or keys
    return sorted(meant, key=likeness, reverse=True)[:3]


def _keys(group, before="") -> Iterator[str]:
    """`batch_size`, `stages[0].epochs`, … of all values of a config."""
    if isinstance(group, ConfigDict):
        dotted = f"{before}." if before else ""
        for name, value in group.items():
            yield from _keys(value, f"{dotted}{name}")
    elif isinstance(group, tuple) and any(isinstance(v, ConfigDict) for v in group):
        for number, value in enumerate(group):
            yield from _keys(value, f"{before}[{number}]")
    else:
        yield before


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


def set_argument(config: ConfigDict, name: str, text: str) -> None:
    """Sets an argument of the model's builder, whether the config names it or not.

    Numbers, tuples, true, false and None are read as such, everything else as text. The
    builder refuses an argument that it does not know.
    """
    _set_free(config.model.arguments, name, text)


def _set_free(group, name, text):
    """Sets a value that is checked where it is used; the text decides its type."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = _BOOLS.get(text, text)
    if isinstance(group.get(name), float) and isinstance(value, int):
        value = float(value)
    with group.unlocked():
        group[name] = value
