"""Hides the notices that compiled code prints."""

import contextlib
import os
import sys
import tempfile


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
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as notices:
        os.dup2(notices.fileno(), 2)
        try:
            yield
        except Exception:
            if shown_on_error:
                notices.seek(0)
                os.write(kept, notices.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
