"""A process that has used TensorFlow cannot be copied: its threads are not."""

import os

_user: int | None = None


def require_own_process(what: str) -> None:
    """Refuses to compute in a fork of the process that computed first.

    TensorFlow would wait for threads that `os.fork` has left behind, for ever.

    Args:
        what: Is to be used; how the message begins.

    Raises:
        RuntimeError: If this process is such a copy.
    """
    global _user
    _user = _user or os.getpid()
    if _user != os.getpid():
        raise RuntimeError(
            f"{what} cannot be used here: this process is a fork of one that has used "
            "TensorFlow, whose threads do not come along. Start processes by "
            'multiprocessing.get_context("spawn"), and load the model in each'
        )
