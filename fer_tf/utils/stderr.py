"""Work without the notices that compiled code prints."""

import contextlib
import os
import sys
import tempfile


def quiet_imports():
    """Keeps TensorFlow's start-up notices off the terminal, but not an error."""
    return quiet_stderr(shown_on_error=True)


@contextlib.contextmanager
def quiet_stderr(*, shown_on_error: bool):
    """Keeps what is written to stderr off the terminal.

    Notices of compiled code come before any setting, or heed none.

    Args:
        shown_on_error: Whether it is written after all if the block raises.
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
