"""What `trainers.evaluate` measured, as the tables and sentences of a card.

`scores` is here what it measured of a split: the JSON, or a part of it for a group of
people.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fer_tf import labels
from fer_tf.scores import METRICS, confusion, leading, metric_of, table
from fer_tf.scores.text import interval, number, reading
from fer_tf.utils.markdown import head, line

NOTE = (
    "Fractions, with 95 % bootstrap intervals in brackets. A share of exactly 0 or 1 "
    "has the interval of Clopper and Pearson; one person alone has none."
)


def examples(scores: Mapping[str, Any]) -> str:
    """How many examples were measured, and how many of them each metric is of."""
    return f"{scores['num_examples']:,} examples{_labelled(scores)}"


def _labelled(scores):
    """In brackets, where not all are: how many have a label of each task."""
    if all_labelled(scores):
        return ""
    parts = [f"{task} {count:,}" for task, count in scores["labelled"].items()]
    if unknown := scores.get("unknown_expressions"):
        parts.append(f"{unknown:,} of an expression that the model lacks")
    return f" (labelled: {', '.join(parts)})"


def all_labelled(scores: Mapping[str, Any]) -> bool:
    """Whether every example that was measured has a label of every task."""
    return set(scores.get("labelled", {}).values()) <= {scores["num_examples"]}


def absent_note(scores: Mapping[str, Any]) -> str:
    """Which metrics classes without an example count in; empty if there are none."""
    absent = scores.get("absent_expressions")
    counted = [name for name in scores["metrics"] if _needs_every_class(name)]
    if not absent or not counted:
        return ""
    return (
        "expressions of the model that have no example count as 0 in "
        f"{' and '.join(counted)}: {absent}"
    )


def notes(scores: Mapping[str, Any]) -> Iterator[str]:
    """What a reader of the scores must know besides, a line each."""
    if note := absent_note(scores):
        yield note
    if tasks := scores.get("derived"):
        yield f"{derived_words(tasks)}: nobody rated these faces for it"
    if tasks := scores.get("trained_on_derived"):
        yield f"the model was trained on {derived_words(tasks)}"


def derived_words(tasks: Iterable[str]) -> str:
    """Says that labels are derived.

    >>> derived_words(["valence_arousal"])
    'derived valence_arousal (computed from other labels)'
    """
    return f"derived {', '.join(tasks)} (computed from other labels)"


def _needs_every_class(name):
    metric = metric_of(name)
    return metric.needs_all and metric.kind == table.CLASSES


def metrics(title: str, splits: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The table of every metric, a column per split.

    Args:
        title: Of the first column.
        splits: The scores by the name of the split.
    """
    yield from head([title, *splits])
    yield line(["measured on", *map(examples, splits.values())])
    yield from _rows(_names(splits), splits)


def _names(splits):
    """Metrics that any of the splits has, in their order."""
    return dict.fromkeys(n for scores in splits.values() for n in scores["metrics"])


def _rows(names, splits):
    for name in names:
        yield line([name, *(_cell(scores, name) for scores in splits.values())])


def _cell(scores, name):
    if name not in scores["metrics"]:
        return ""
    return reading(scores["metrics"][name], scores.get("intervals", {}).get(name))


def meanings(splits: Mapping[str, Mapping[str, Any]]) -> str:
    """A sentence that explains the metrics of the splits."""
    entries = {table.entry_of(name) for name in _names(splits)}
    terms = [
        f"`{entry.format('…')}`: {metric.meaning}"
        for entry, metric in METRICS.items()
        if entry in entries
    ]
    return f"{'; '.join(terms)}."


def expressions(matrix: Mapping[str, Any] | None, where: str) -> Iterator[str]:
    """The table of the expressions that occur; nothing where none was measured.

    Args:
        matrix: `"confusion"` of the scores.
        where: Name of the split or data set.
    """
    rates = list(confusion.expression_rates(matrix))
    if not rates:
        return
    kind = "class" if labels.are_own(matrix["expressions"]) else "expression"
    yield ""
    yield (
        f"Each {kind} that occurs on {where}: the share of its faces that is found "
        "(recall); of the faces said to show it, the share that does (precision, which "
        "depends on how often each occurs there); and what it is most often taken for, "
        "with the share of all its faces."
    )
    yield ""
    yield from head([kind, "examples", "recall", "precision", "most often taken for"])
    for row in rates:
        taken = ""
        if row.taken_for:
            taken = f"{row.taken_for} ({number(row.share_taken)})"
        precision = "" if row.precision is None else number(row.precision)
        yield line(
            [
                row.name,
                f"{row.num_examples:,}",
                reading(row.recall, row.recall_ends),
                precision + interval(row.precision_ends),
                taken,
            ]
        )


def calibration(
    fitted: Mapping[str, Any], where: str, inside: Mapping[str, Any] | None
) -> Iterator[str]:
    """What the confidence is worth.

    Args:
        fitted: `"calibration"` of the scores.
        where: Name of the split.
        inside: `"temperature"` of the card: that of the files, or None.
    """
    if inside:
        yield (
            f"Calibration on {where}: the logits in the files are divided by the "
            f"temperature {inside['value']:.3f} (fitted on {inside['num_fitted']:,} "
            f"validation examples); the calibration error is "
            f"{number(fitted['ece_before'])}."
        )
    else:
        yield (
            f"Calibration on {where}: divided by the temperature "
            f"{fitted['temperature']:.3f} (fitted on {fitted['num_fitted']:,} "
            "validation examples), the logits' calibration error is "
            f"{number(fitted['ece_after'])} instead of {number(fitted['ece_before'])}. "
            "The temperature is not in the files."
        )
    yield ""
    yield from head(
        ["surest part of the faces", "accuracy", "where the model says at least"]
    )
    for row in fitted["coverage"]:
        # One person, or one video, has no interval.
        accuracy = reading(row["accuracy"], row.get("interval"))
        yield line([f"{row['coverage']:.0%}", accuracy, f"{row['confidence']:.3f}"])


def balance(share: float) -> str:
    """What was taken out of the weights (`fer_tf.model_io.balance`), in a sentence."""
    return (
        f"{share:g} of the logarithm of each expression's frequency in the training "
        "data is taken out of its logit: rare expressions are named more often than "
        "these frequencies suggest."
    )


def groups(by_attribute: Mapping[str, Any], where: str) -> Iterator[str]:
    """The table of the groups of people.

    Args:
        by_attribute: `"groups"` of the scores, `{attribute: {value: scores}}`.
        where: Name of the split or data set.
    """
    yield f"By group on {where}, as the data set names them:"
    yield ""
    parts = {
        f"{attribute}: {value}": scores
        for attribute, values in by_attribute.items()
        for value, scores in values.items()
    }
    names = leading(_names(parts))
    yield from head(["group", "examples", *names])
    for title, scores in parts.items():
        count = f"{scores['num_examples']:,}{_labelled(scores)}"
        yield line([title, count, *(_cell(scores, name) for name in names)])


def on_other_data(title: str, scores: Mapping[str, Any]) -> list[str]:
    """The lines of a data set that the model never saw.

    Args:
        title: Of the data set.
        scores: What was measured of it.
    """
    # An expression that other data lack would count as always missed.
    names = [name for name in scores["metrics"] if not _needs_every_class(name)]
    lines = [
        f"## On data it never saw: {title}",
        "",
        *head(["metric", examples(scores)]),
        *_rows(names, {title: scores}),
        *expressions(scores.get("confusion"), title),
    ]
    if scores.get("groups"):
        lines += ["", *groups(scores["groups"], title)]
    return lines
