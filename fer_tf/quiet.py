"""Imports without the notices that compiled code prints."""

import contextlib
import os
import sys
import tempfile


@contextlib.contextmanager
def quiet_imports():
    """Keeps TensorFlow's start-up notices off the terminal, but not an error.

    They are written by compiled code, before any setting can reach it.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as notices:
        os.dup2(notices.fileno(), 2)
        try:
            yield
        except BaseException:
            notices.seek(0)
            os.write(kept, notices.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
