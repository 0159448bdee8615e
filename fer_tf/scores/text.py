"""How a reading and its interval are written, everywhere."""

from collections.abc import Sequence

MISSING = "—"


def number(
    value: float | None, *, percent: bool = False, digits: int | None = None
) -> str:
    """A value as a fraction, or in percent without its sign; `—` for None.

    Args:
        value: A fraction.
        percent: Whether to write percent.
        digits: Decimals; by default 4, and 2 of percent.

    >>> number(0.67289), number(0.67289, percent=True), number(None)
    ('0.6729', '67.29', '—')
    """
    if value is None:
        return MISSING
    if digits is None:
        digits = 2 if percent else 4
    text = f"{100 * value if percent else value:.{digits}f}"
    # No minus sign before a number that is rounded to 0.
    return text.lstrip("-") if float(text) == 0 else text


def interval(ends: Sequence[float] | None, **form) -> str:
    """The ends of an interval behind a number; nothing where there is none.

    Args:
        ends: `(low, high)`, or None.
        **form: As of `number`.

    >>> interval((0.5, 0.75)), interval(None)
    (' [0.5000, 0.7500]', '')
    >>> interval((-0.00002, 0.5))
    ' [-0.0000, 0.5000]'
    """
    if not ends:
        return ""
    low, high = (_end(end, **form) for end in ends)
    return f" [{low}, {high}]"


def _end(value, **form):
    """As `number`, but with the sign of what is rounded to 0: 0 may lie between."""
    text = number(value, **form)
    # Less than 1e-12 is the rounding of a sum.
    return f"-{text}" if value < -1e-12 and not text.startswith("-") else text


def reading(
    value: float | None,
    ends: Sequence[float] | None = None,
    *,
    deviation: float | None = None,
    **form,
) -> str:
    """A value, ± its deviation over runs, and its interval.

    Args:
        value: None where it was not measured: `—`.
        ends: Of its interval, or None.
        deviation: None of a single run.
        **form: As of `number`.

    >>> reading(0.5, (0.25, 0.75), deviation=0.125, percent=True)
    '50.00 ± 12.50 [25.00, 75.00]'
    """
    if value is None:
        return MISSING
    spread = "" if deviation is None else f" ± {number(deviation, **form)}"
    return f"{number(value, **form)}{spread}{interval(ends, **form)}"
