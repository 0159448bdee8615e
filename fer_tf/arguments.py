"""Checks of arguments, which all complain in the same form."""

from collections.abc import Collection


def require(
    fits: bool, wanted: str, error: type[ValueError] = ValueError, **received
) -> None:
    """Refuses arguments that do not fit, by their names and values.

    Args:
        fits: Whether they do.
        wanted: What they must be, behind "must".
        error: What is raised.
        **received: The arguments by name.

    Raises:
        ValueError: If they do not fit.

    >>> require(-1 > 0, "be positive", size=-1)
    Traceback (most recent call last):
    ValueError: `size` must be positive. Received: size=-1.
    """
    if not fits:
        names = " and ".join(f"`{name}`" for name in received)
        values = ", ".join(f"{name}={value!r}" for name, value in received.items())
        raise error(f"{names} must {wanted}. Received: {values}.")


def require_one_of(
    choices: Collection, error: type[ValueError] = ValueError, **received
) -> None:
    """Refuses an argument that is none of the choices; see `require`.

    >>> require_one_of(("max", "mean"), pool="sum")
    Traceback (most recent call last):
    ValueError: `pool` must be one of max, mean. Received: pool='sum'.
    """
    (value,) = received.values()
    wanted = f"be one of {', '.join(map(str, choices))}"
    require(value in choices, wanted, error, **received)
