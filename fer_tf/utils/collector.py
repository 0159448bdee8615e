"""Python's garbage collector, kept from looking through what imports leave behind.

Importing TensorFlow makes about a million objects, none of which is garbage. The
collector would look through them again and again: while they are made, at each full
collection, and several times when the process ends.
"""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Switches the collector off within a block, for this process.

    Example:
        >>> import gc
        >>> from fer_tf.utils import collector
        >>> with collector.paused():
        ...     print(gc.isenabled())
        False
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextlib.contextmanager
def keeping() -> Iterator[None]:
    """As `paused`; then takes all objects there are for lasting.

    For commands, not for a caller's process: garbage in cycles that is there already
    would never be freed.
    """
    with paused():
        yield
        gc.freeze()
