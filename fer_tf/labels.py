"""Vocabularies: expressions, action units, and each data set's own order.

Every data set numbers its classes differently, and a permuted label order is
the field's classic silent failure. Readers map to these names, never to
numbers of another data set; an index without a vocabulary is never stored.
"""

from collections.abc import Iterable, Mapping

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
"""The package's order: record labels and model outputs are indices into it.

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

# Names found in public class folders and headers -> ours.
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

# Class ids as each owner publishes them.
DATASET_EXPRESSIONS = {
    "affectnet": {
        0: "neutral",
        1: "happiness",
        2: "sadness",
        3: "surprise",
        4: "fear",
        5: "disgust",
        6: "anger",
        7: "contempt",
    },
    "affwild2": {
        0: "neutral",
        1: "anger",
        2: "disgust",
        3: "fear",
        4: "happiness",
        5: "sadness",
        6: "surprise",
    },
    "ckplus": {
        1: "anger",
        2: "contempt",
        3: "disgust",
        4: "fear",
        5: "happiness",
        6: "sadness",
        7: "surprise",
    },
    "fer2013": {
        0: "anger",
        1: "disgust",
        2: "fear",
        3: "happiness",
        4: "sadness",
        5: "surprise",
        6: "neutral",
    },
    "rafdb": {
        1: "surprise",
        2: "fear",
        3: "disgust",
        4: "happiness",
        5: "sadness",
        6: "anger",
        7: "neutral",
    },
}


def expression_index(name: str) -> int:
    """Index of an expression in `EXPRESSIONS`, by name.

    Args:
        name: One of ours, or a common synonym ("Happy", "angry"); case and
            surrounding spaces do not matter.

    Raises:
        ValueError: If the name is not an expression we know.
    """
    key = name.strip().lower()
    key = _SYNONYMS.get(key, key)
    if key not in EXPRESSIONS:
        raise ValueError(
            f"`name` must be an expression, one of {', '.join(EXPRESSIONS)}. "
            f"Received: name={name!r}."
        )
    return EXPRESSIONS.index(key)


def check_names(names: Iterable[str], where: str) -> tuple[str, ...]:
    """The names of classes or action units that a file states, if they are usable.

    They become columns of tables, lines of pages and words on pictures: a name must
    be readable as one there, and no formula to a spreadsheet.

    Args:
        names: As they were read: a list or tuple.
        where: File and key, which begin the message.

    Returns:
        The names.

    Raises:
        ValueError: If they are no list of texts, two are the same but for capitals,
            or one is empty, longer than 100 characters, not printable, begins with
            anything but a letter or a digit, or ends with a space.
    """
    if not isinstance(names, (list, tuple)) or len(names) > _MOST_NAMES:
        raise ValueError(f"{where} must be a list of at most {_MOST_NAMES:,} names")
    seen = set()
    for name in names:
        fault = _fault_of_name(name, seen)
        if fault:
            shown = repr(name[:40]) if isinstance(name, str) else type(name).__name__
            raise ValueError(f"{where}: the name {shown} {fault}")
        seen.add(name.casefold())
    return tuple(names)


def _fault_of_name(name, seen):
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
    """Names of a model's action units, where only their number is known.

    Args:
        count: 8 or 12 for Aff-Wild2's; of any other number the places are named.
    """
    for names in (ACTION_UNITS, ACTION_UNITS_2022):
        if len(names) == count:
            return names
    return tuple(f"unit{place}" for place in range(1, count + 1))


def dataset_expression(dataset: str, class_id: int) -> str:
    """Name of a data set's own class id.

    Raises:
        ValueError: If that data set does not number a class so.
    """
    names = DATASET_EXPRESSIONS[dataset]
    if class_id not in names:
        raise ValueError(
            f"`class_id` must be one of {sorted(names)} for {dataset}. "
            f"Received: class_id={class_id}."
        )
    return names[class_id]


def active_units(probabilities: Mapping[str, float]) -> list[str]:
    """Names of the action units that are more likely active than not."""
    return [name for name, probability in probabilities.items() if probability >= 0.5]
