"""What a confusion matrix says of each expression."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class ExpressionRates(NamedTuple):
    """What a confusion matrix says of one expression.

    Attributes:
        name: Of the expression.
        num_examples: How many have it.
        recall: The share of them, in [0, 1], that is found.
        recall_ends: Ends of its interval; None of a single person.
        precision: The share of those said to have it that do; None where it was
            never said.
        precision_ends: Ends of its interval, as of `recall`.
        taken_for: What the others are most often taken for, of equals the first;
            None where none was missed.
        share_taken: The share of `num_examples` that is taken for it.
    """

    name: str
    num_examples: int
    recall: float
    recall_ends: Sequence[float] | None
    precision: float | None
    precision_ends: Sequence[float] | None
    taken_for: str | None
    share_taken: float


def expression_rates(confusion: Mapping[str, Any] | None) -> Iterator[ExpressionRates]:
    """Yields the rates of each expression that has an example.

    Args:
        confusion: `"confusion"` as `trainers.evaluate` measured it, `{"expressions",
            "counts", "intervals"}`; None yields nothing.

    >>> ends = {"recall": [None] * 2, "precision": [None] * 2}
    >>> names, counts = ["neutral", "anger"], [[3, 1], [0, 0]]
    >>> matrix = {"expressions": names, "counts": counts, "intervals": ends}
    >>> [(rates.name, rates.recall) for rates in expression_rates(matrix)]
    [('neutral', 0.75)]
    """
    if not confusion:
        return
    names, counts, ends = (confusion[k] for k in ("expressions", "counts", "intervals"))
    for index, (name, row) in enumerate(zip(names, counts)):
        num_examples, said = sum(row), sum(other[index] for other in counts)
        if not num_examples:
            continue
        missed = [0 if k == index else count for k, count in enumerate(row)]
        most = max(missed)
        yield ExpressionRates(
            name=name,
            num_examples=num_examples,
            recall=row[index] / num_examples,
            recall_ends=ends["recall"][index],
            precision=row[index] / said if said else None,
            precision_ends=ends["precision"][index],
            taken_for=names[missed.index(most)] if most else None,
            share_taken=most / num_examples,
        )
