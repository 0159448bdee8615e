"""How much memory this process has taken."""

import sys

try:
    import resource
except ImportError:  # Not on Windows.
    resource = None

# What the system counts in: macOS in bytes, Linux in KiB.
_UNIT = 1 if sys.platform == "darwin" else 1024


def peak() -> int | None:
    """The most bytes that were in use at once; None where the system does not say."""
    if resource is None:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
