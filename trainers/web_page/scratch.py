"""The page's private folder, which holds everything that the page writes.

Only its owner may read it, it has a quota, and it is removed when the page ends. If
the page is killed, the next page removes it.
"""

import contextlib
import glob
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator

from fer_tf.utils import atomic

# Most bytes of all uploads and results; the oldest are removed to make room.
QUOTA = 512 * 2**20

_NAME = "fer-tf-page-"
_LOCK = ".lock"


@contextlib.contextmanager
def private() -> Iterator[str]:
    """Yields the path of a new folder, which is removed when the block ends.

    Meanwhile all temporary files of this process lie there, with those that Gradio
    writes an upload to while it arrives.
    """
    root, before = tempfile.gettempdir(), tempfile.tempdir
    _remove_leftovers(root)
    # It gets its final name once it is locked: no other page takes it for a leftover.
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
    """Removes the oldest files, so that `size` more bytes fit into the quota."""
    files = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with contextlib.suppress(FileNotFoundError):
                stated = os.lstat(path)
                files.append((stated.st_mtime_ns, stated.st_size, path))
    total = size + sum(bytes_of_file for _, bytes_of_file, _ in files)
    for _, bytes_of_file, path in sorted(files):
        if total <= QUOTA:
            return
        if os.path.basename(path) != _LOCK:
            with contextlib.suppress(OSError):
                os.remove(path)
                os.rmdir(os.path.dirname(path))
            total -= bytes_of_file


def _remove_leftovers(root):
    """Removes the folders of pages that were killed."""
    if atomic.fcntl is None:  # Without locks, a leftover looks like a running page's.
        return
    for folder in glob.glob(os.path.join(glob.escape(root), f"{_NAME}*")):
        with contextlib.suppress(OSError):
            stated = os.lstat(folder)
            ours = stated.st_uid == os.geteuid() and stat.S_ISDIR(stated.st_mode)
            if ours and stat.S_IMODE(stated.st_mode) == 0o700:
                with atomic.locked(os.path.join(folder, _LOCK)):
                    _remove(folder)


def _remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
