"""The page's private folder: all that it writes lies there and goes with it.

Nobody but its owner may look inside, it holds so many bytes at most, and it is
removed however the page ends. What a killed page left, the next one removes.
"""

import contextlib
import glob
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator

from fer_tf.utils import atomic

# All uploads and results together; the oldest go where there would be more.
QUOTA = 512 * 2**20

_NAME = "fer-tf-page-"
_LOCK = ".lock"


@contextlib.contextmanager
def private() -> Iterator[str]:
    """Yields the path of a new folder, which is removed when the block ends.

    Temporary files of the whole process lie there meanwhile: those too that
    Gradio writes an upload to while it comes.
    """
    root, before = tempfile.gettempdir(), tempfile.tempdir
    _remove_what_was_left(root)
    # It has its final name once it is locked: no other page takes it for a leftover.
    new = tempfile.mkdtemp(prefix=f".{_NAME}", dir=root)
    folder = os.path.join(root, os.path.basename(new)[1:])
    with contextlib.ExitStack() as stack:
        stack.callback(_remove, new)
        stack.callback(_remove, folder)
        stack.enter_context(atomic.locked(os.path.join(new, _LOCK)))
        os.rename(new, folder)
        stack.callback(setattr, tempfile, "tempdir", before)
        tempfile.tempdir = folder
        yield folder


def make_room(folder: str, size: int = 0) -> None:
    """Removes the oldest files, so that `size` more bytes keep the quota."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with contextlib.suppress(FileNotFoundError):
                told = os.lstat(path)
                found.append((told.st_mtime_ns, told.st_size, path))
    total = size + sum(each for _, each, _ in found)
    for _, each, path in sorted(found):
        if total <= QUOTA:
            return
        if os.path.basename(path) != _LOCK:
            with contextlib.suppress(OSError):
                os.remove(path)
                os.rmdir(os.path.dirname(path))
            total -= each


def _remove_what_was_left(root):
    """Removes the folders of pages that have ended without doing so."""
    if atomic.fcntl is None:  # Without locks nobody knows which pages have ended.
        return
    for folder in glob.glob(os.path.join(glob.escape(root), f"{_NAME}*")):
        with contextlib.suppress(OSError):
            told = os.lstat(folder)
            ours = told.st_uid == os.geteuid() and stat.S_ISDIR(told.st_mode)
            if ours and stat.S_IMODE(told.st_mode) == 0o700:
                with atomic.locked(os.path.join(folder, _LOCK)):
                    _remove(folder)


def _remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
