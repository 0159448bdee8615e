"""Vocabularies: expressions and action units.

Every data set numbers its classes differently, and labels in the wrong order are a
classic failure that raises no error. Readers map to these names (each source states its
owner's numbers as `class_ids`), never to the numbers of another data set; an index
without a vocabulary is never stored.
"""

from collections.abc import Iterable, Mapping

from fer_tf.arguments import require

EXPRESSIONS = (
    "neutral",
    "happiness",
    "sadness",
    "surprise",
    "fear",
    "disgust",
    "anger",
    "contempt",
)
"""The package's order: labels and model outputs are indices into it.

A model with seven classes predicts the first seven.
"""

ACTION_UNITS = ("AU1", "AU2", "AU4", "AU6", "AU12", "AU15", "AU20", "AU25")
"""The eight action units of Aff-Wild2 (ABAW 2020), in the owner's order."""

ACTION_UNITS_2022 = (
    "AU1",
    "AU2",
    "AU4",
    "AU6",
    "AU7",
    "AU10",
    "AU12",
    "AU15",
    "AU23",
    "AU24",
    "AU25",
    "AU26",
)
"""The twelve of Aff-Wild2's challenges from ABAW 2022 on."""

# Names in public class folders and headers -> ours.
_SYNONYMS = {
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
}

_MOST_NAMES, _LONGEST_NAME = 1000, 100


def expression_of(name: str) -> str:
    """Our name of an expression.

    Args:
        name: One of `EXPRESSIONS`, or a common synonym ("Happy", "angry"); case and
            surrounding spaces do not matter.

    Raises:
        ValueError: If the name is neither.

    Example:
        >>> from fer_tf import labels
        >>> labels.expression_of("Happy")
        'happiness'
    """
    key = name.strip().lower()
    key = _SYNONYMS.get(key, key)
    known = ", ".join(EXPRESSIONS)
    require(key in EXPRESSIONS, f"be an expression, one of {known}", name=name)
    return key


def are_own(names: Iterable[str]) -> bool:
    """Whether classes are of another kind than expressions.

    Seven expressions with "other" behind them are not.

    Example:
        >>> from fer_tf import labels
        >>> labels.are_own(["calm", "tense"]), labels.are_own(labels.EXPRESSIONS)
        (True, False)
    """
    names = tuple(names)
    return names[:7] != EXPRESSIONS[:7] and not set(names) <= set(EXPRESSIONS)


def check_names(names: Iterable[str], where: str) -> tuple[str, ...]:
    """Checks the names of classes or action units in a file.

    They become columns of tables, lines of pages and words on pictures: names must
    be readable there, and no formulas to a spreadsheet.

    Args:
        names: A list or tuple, as it was read.
        where: File and key, which begin the message.

    Returns:
        The names.

    Raises:
        ValueError: If `names` is no list of at most 1,000 texts, two differ only in
            capitals, or one is empty, longer than 100 characters, not printable,
            begins with anything but a letter or a digit, or ends with a space.

    Example:
        >>> from fer_tf import labels
        >>> labels.check_names(["calm", "Calm"], "model.json: expressions")
        Traceback (most recent call last):
        ValueError: model.json: expressions: the name 'Calm' comes twice
    """
    if not isinstance(names, (list, tuple)) or len(names) > _MOST_NAMES:
        raise ValueError(f"{where} must be a list of at most {_MOST_NAMES:,} names")
    seen = set()
    for name in names:
        fault = _fault(name, seen)
        if fault:
            shown = repr(name[:40]) if isinstance(name, str) else type(name).__name__
            raise ValueError(f"{where}: the name {shown} {fault}")
        seen.add(name.casefold())
    return tuple(names)


def _fault(name, seen):
    """What is wrong with a name; None if nothing is."""
    if not isinstance(name, str):
        return "is no text"
    if not name:
        return "is empty"
    if len(name) > _LONGEST_NAME:
        return f"is longer than {_LONGEST_NAME} characters"
    if not name.isprintable():
        return "cannot be printed"
    if not name[0].isalnum() or name[-1].isspace():
        return "must begin with a letter or a digit and end without a space"
    if name.casefold() in seen:
        return "comes twice"
    return None


def action_unit_names(count: int) -> tuple[str, ...]:
    """Names of a model's action units if only their number is known.

    Args:
        count: 8 or 12 gives the names of Aff-Wild2; any other number gives `"unit1"`,
            `"unit2"`, ...

    Example:
        >>> from fer_tf import labels
        >>> labels.action_unit_names(8)[:2], labels.action_unit_names(3)[:2]
        (('AU1', 'AU2'), ('unit1', 'unit2'))
    """
    for names in (ACTION_UNITS, ACTION_UNITS_2022):
        if len(names) == count:
            return names
    return tuple(f"unit{place}" for place in range(1, count + 1))


def active_units(probabilities: Mapping[str, float]) -> list[str]:
    """Names of the action units whose probability is at least 0.5.

    Example:
        >>> from fer_tf import labels
        >>> labels.active_units({"AU1": 0.2, "AU12": 0.9})
        ['AU12']
    """
    return [name for name, probability in probabilities.items() if probability >= 0.5]
