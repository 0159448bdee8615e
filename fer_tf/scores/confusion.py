"""What a confusion matrix says of each expression."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class OfExpression(NamedTuple):
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


def of_each_expression(found: Mapping[str, Any] | None) -> Iterator[OfExpression]:
    """Yields each expression that has an example.

    Args:
        found: `"confusion"` as `trainers.evaluate` measured it; None yields nothing.
    """
    if not found:
        return
    names, counts, ends = (found[k] for k in ("expressions", "counts", "intervals"))
    for index, (name, row) in enumerate(zip(names, counts)):
        there, said = sum(row), sum(other[index] for other in counts)
        if not there:
            continue
        missed = [0 if k == index else count for k, count in enumerate(row)]
        most = max(missed)
        yield OfExpression(
            name=name,
            num_examples=there,
            recall=row[index] / there,
            recall_ends=ends["recall"][index],
            precision=row[index] / said if said else None,
            precision_ends=ends["precision"][index],
            taken_for=names[missed.index(most)] if most else None,
            share_taken=most / there,
        )
