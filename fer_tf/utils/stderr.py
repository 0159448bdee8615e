"""Hides the notices that compiled code prints."""

import contextlib
import os
import re
import sys
import tempfile

# What TensorFlow says when it starts: a heading, lines of the level INFO, and what
# goes on from them. Its own setting does not reach all of them.
_NOTICE = re.compile(
    rb"WARNING: All log messages before absl::|I0000 00:00:|"
    rb"To enable the following instructions:"
)


@contextlib.contextmanager
def quiet_start():
    """Hides TensorFlow's notices while it is imported, and nothing else.

    Whoever sets `TF_CPP_MIN_LOG_LEVEL` sees them.
    """
    asked_for = "TF_CPP_MIN_LOG_LEVEL" in os.environ
    if asked_for or "tensorflow" in sys.modules or sys.stderr is None:
        yield
        return
    with _kept_back() as (notices, stderr):
        try:
            yield
        finally:
            notices.seek(0)
            others = (line for line in notices if not _NOTICE.match(line))
            os.write(stderr, b"".join(others))


def quiet_imports():
    """Hides TensorFlow's start-up notices, unless an error is raised."""
    return quiet_stderr(shown_on_error=True)


@contextlib.contextmanager
def quiet_stderr(*, shown_on_error: bool):
    """Hides everything that is written to stderr within a block.

    Compiled code prints notices before a setting can act, or ignores the setting.

    Args:
        shown_on_error: Whether the text is shown if the block raises.
    """
    with _kept_back() as (notices, stderr):
        try:
            yield
        except Exception:
            if shown_on_error:
                notices.seek(0)
                os.write(stderr, notices.read())
            raise


@contextlib.contextmanager
def _kept_back():
    """Yields a file that takes what is written to stderr, and the true stderr."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as notices:
        os.dup2(notices.fileno(), 2)
        try:
            yield notices, kept
        finally:
            os.dup2(kept, 2)
            os.close(kept)
