"""Peak memory of this process."""

import sys

try:
    import resource
except ImportError:  # Not on Windows.
    resource = None

# macOS counts in bytes, Linux in KiB.
_UNIT = 1 if sys.platform == "darwin" else 1024


def peak() -> int | None:
    """Peak memory in bytes; None where the system does not tell it."""
    if resource is None:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
