"""The classes of a user's own data: expressions, or names of any other kind.

If every name that the data give is an expression's, the classes are the package's
expressions. Otherwise all names are classes as they stand, those of expressions too.
`--classes=calm,tense` gives their order, and `--classes=calm:still+at ease,tense` joins
several names to one class.
"""

from collections.abc import Iterable

from data_pipelines.sources.errors import DataError, OptionError, clip
from fer_tf import labels

# Names of other counts in a manifest: `data_pipelines.sources.sample.class_of`.
_TAKEN = ("face", "nonface", "unlabelled")


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """The names that `--classes` joins to each class, in order.

    Raises:
        OptionError: If a name is empty or comes twice.

    >>> parse("calm:still+at ease,tense")
    {'calm': ('still', 'at ease'), 'tense': ('tense',)}
    """
    classes, seen = {}, set()
    for part in text.split(","):
        name, _, joined = (word.strip() for word in part.partition(":"))
        names = tuple(word.strip() for word in (joined or name).split("+"))
        for given in names:
            if not given or not name or name in classes or _key(given) in seen:
                raise OptionError(
                    "--classes must be names with commas between, each once, such as "
                    f"calm:still+at ease,tense. Received: {text!r}"
                )
            seen.add(_key(given))
        classes[name] = names
    return classes


def vocabulary(
    found: Iterable[str],
    wanted: str,
    *,
    where: str,
    action_units: tuple[str, ...] = labels.ACTION_UNITS,
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The classes in their order, and the class of each name that was found.

    Args:
        found: Names of class folders, or values of a column.
        wanted: `--classes`, or empty.
        where: Data set, for messages.
        action_units: Names that no class may have.

    Raises:
        DataError: If a name is in none of the wanted classes, a class cannot be called
            so, or it is the only one.
        OptionError: If `wanted` cannot be read.

    >>> vocabulary(["tense", "Happy"], "", where="mine")
    (('Happy', 'tense'), {'Happy': 'Happy', 'tense': 'tense'})
    >>> vocabulary(["Sad", "Happy"], "", where="mine")[1]
    {'Happy': 'happiness', 'Sad': 'sadness'}
    """
    found = sorted(set(found), key=lambda name: (name.casefold(), name))
    if not wanted and all(map(is_expression, found)):
        return labels.EXPRESSIONS, {name: labels.expression_of(name) for name in found}
    if wanted:
        classes = parse(wanted)
        places = {_key(given): name for name, all in classes.items() for given in all}
        for name in (name for name in found if _key(name) not in places):
            raise DataError(f"{where}: {clip(name)!r} is none of --classes={wanted}")
        own = {name: places[_key(name)] for name in found}
    else:
        spelt = {}
        own = {name: spelt.setdefault(name.casefold(), name) for name in found}
        classes = dict.fromkeys(own.values())
    for name in classes:
        if name.casefold() in _TAKEN:
            raise DataError(
                f"{where}: a class cannot be called {name!r}: rename it, by --classes="
                f"other:{name} for instance; face/ and nonface/ make "
                "--dataset=facenonface"
            )
    try:
        labels.check_names([*classes, *action_units], f"{where}: classes")
    except ValueError as error:
        raise DataError(str(error)) from None
    if len(classes) < 2:
        raise DataError(f"{where}: {min(classes)!r} is the only class")
    return tuple(classes), own


def is_expression(name: str) -> bool:
    """Whether a name is an expression's, or a synonym of one."""
    return _key(name) in labels.EXPRESSIONS


def _key(name):
    """What names of one meaning have in common."""
    try:
        return labels.expression_of(name)
    except ValueError:
        return name.casefold()
