"""The options of a data set: `--options=rule=majority,fold=3`."""

from collections.abc import Mapping

from data_pipelines.sources.errors import OptionError


def parse_options(text: str) -> dict[str, str]:
    """Options from "rule=majority,fold=3"; an empty text has none.

    Raises:
        OptionError: If it is not key=value pairs.

    >>> parse_options("edition=2022, classes=8")
    {'edition': '2022', 'classes': '8'}
    """
    options = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not key or not equals or not value or key in options:
            raise OptionError(f"options must be key=value pairs. Received: {part!r}")
        options[key] = value
    return options


def check_options(
    dataset: str, allowed: Mapping[str, tuple[str, ...]], options: Mapping[str, object]
) -> dict[str, str]:
    """Returns the options as text, if the data set has them.

    Raises:
        OptionError: If an option or its value is unknown.
    """
    for key, value in options.items():
        if key not in allowed:
            known = ", ".join(allowed) or "none"
            raise OptionError(f"{dataset} has no option {key!r}; it has: {known}")
        # An option without a list of values takes any text.
        if allowed[key] and str(value) not in allowed[key]:
            raise OptionError(
                f"{dataset}: {key} must be one of {', '.join(allowed[key])}. "
                f"Received: {key}={value}"
            )
    return {key: str(value) for key, value in options.items()}
