"""Refuses to compute in a fork, which lacks the threads of its parent."""

import os

_user: int | None = None


def require_own_process(what: str) -> None:
    """Refuses to compute in a fork of a process that has computed before.

    TensorFlow and ONNX Runtime would wait for ever for threads that `os.fork` does not
    copy.

    Args:
        what: Subject of the message.

    Raises:
        RuntimeError: If this process is such a fork.
    """
    global _user
    _user = _user or os.getpid()
    if _user != os.getpid():
        raise RuntimeError(
            f"{what} cannot be used here: this process is a fork of one that has used "
            "TensorFlow or ONNX Runtime, whose threads do not come along. Start "
            'processes by multiprocessing.get_context("spawn"), and load the model in '
            "each"
        )
