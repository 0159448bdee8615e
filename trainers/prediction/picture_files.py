"""Which files an `--input` means: one, a folder's, or a pattern's."""

import dataclasses
import glob
import os
from collections import Counter
from collections.abc import Callable

from fer_tf.faces.images import address_hint
from fer_tf.utils import hashing
from fer_tf.utils.names import shown
from fer_tf.video import video_files
from trainers.common.terminal import counted

# What is expected to be a picture by its name, whether it can be read or not.
_ENDINGS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .apng .webp .bmp .dib .gif .tif .tiff .ppm .pgm .pbm "
    ".pnm .heic .heif .avif".split()
)

# What pictures begin with; WebP, HEIC and AVIF say what they are behind a length.
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*")
_KINDS = (b"WEBP", b"ftypheic", b"ftypavif", b"ftypmif1")


@dataclasses.dataclass
class Files:
    """What was found.

    Attributes:
        root: Folder that the names are relative to; no caller's path.
        paths: Pictures and videos, in order.
        searched: Whether they were looked for, in a folder or by a pattern.
        passed: Number of files of each other ending, in a folder or pattern.
        unlisted: A line for each folder that could not be listed.
        bare: Folders in the root, which are conditions, without a picture.
    """

    root: str
    paths: list[str]
    searched: bool = True
    passed: Counter = dataclasses.field(default_factory=Counter)
    unlisted: list[str] = dataclasses.field(default_factory=list)
    bare: list[str] = dataclasses.field(default_factory=list)

    def name(self, path: str) -> str:
        """What a file is called: its path inside the root."""
        name = os.path.relpath(path, self.root)
        # A pattern may lead back up: `*/../../a.jpg`.
        return os.path.basename(name) if name.startswith(os.pardir + os.sep) else name

    def passed_over(self) -> str:
        """A line for people."""
        endings = ", ".join(sorted(self.passed))
        files = counted(
            self.passed.total(), "file that is no picture", "files that are no pictures"
        )
        return f"passed over: {files} ({endings})"


def find(path: str, *, own: Callable[[str], bool] = lambda path: False) -> Files:
    """The files that `path` means.

    Of a folder or pattern, what is neither called a picture or video nor begins as
    a picture does is passed over. A file that is named is taken as it is.

    Args:
        path: Of a file or folder, or a pattern.
        own: Whether a file or folder is what an earlier run wrote, which is no input.

    Raises:
        ValueError: If there is no picture.
    """
    if os.path.lexists(path) and not os.path.isdir(path):
        return Files(os.path.dirname(path) or ".", [path], searched=False)
    if os.path.isdir(path):
        files = Files(path, [])
        paths = _below(path, own, files.unlisted)
    else:
        if hint := address_hint(path):
            raise ValueError(f"{shown(path)}: {hint}")
        files = Files(_fixed_part(path), [])
        paths = _matches(path)
        if not paths:
            raise ValueError(f"{path}: no such file or folder")
    for file in paths:
        if own(file):
            continue
        if _is_picture(file) or video_files.is_video(file):
            files.paths.append(file)
        else:
            files.passed[os.path.splitext(file)[1].lower() or "no ending"] += 1
    if not files.paths:
        passed = [files.passed_over()] if files.passed else []
        lines = [f"{path}: no picture here", *passed, *files.unlisted]
        raise ValueError("; ".join(lines))
    if os.path.isdir(path):
        files.bare = _bare(files, own)
    return files


def _bare(files, own):
    """The folders in the root that are searched, and hold no picture."""
    holding = {files.name(path).split(os.sep)[0] for path in files.paths}
    folders = (
        entry for entry in os.scandir(files.root)
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
    )  # fmt: skip
    return sorted(
        entry.name for entry in folders
        if entry.name not in holding and not own(entry.path)
    )  # fmt: skip


def sha256(path: str) -> str | None:
    """Hash of a file's content; None if it cannot be opened."""
    try:
        # Times and sizes do not tell files apart: `cp -p` keeps them. Hashing takes a
        # hundredth of the search for faces.
        return hashing.sha256(path) if os.path.isfile(path) else None
    except OSError:
        return None


def _matches(pattern):
    """The files, each once: `*/../a.jpg` finds one as often as there are folders."""
    path_of = {}
    for path in sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True))):
        folder, name = os.path.split(path)
        path_of.setdefault((os.path.realpath(folder), name), path)
    return list(path_of.values())


def _fixed_part(pattern):
    """The last folder that a pattern leaves no choice of."""
    folder = os.path.dirname(pattern)
    while glob.has_magic(folder):
        folder = os.path.dirname(folder)
    return folder or "."


def _is_picture(path):
    if os.path.splitext(path)[1].lower() in _ENDINGS:
        return True
    if not os.path.isfile(path):  # Opening a pipe would wait for ever.
        return False
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError:
        return True  # Whoever reads it says why it cannot be read.
    return start.startswith(_STARTS) or start.endswith(_KINDS)


def _below(root, own, unlisted):
    """Files below a folder, hidden ones and hidden folders passed over.

    Links to folders are followed, but for those whose pictures are below the folder
    anyway, or that lead back up.
    """
    real_root, seen = os.path.realpath(root), set()
    inside = lambda one, other: f"{one}{os.sep}".startswith(f"{other}{os.sep}")
    note = lambda error: unlisted.append(
        f"{error.filename}: cannot be listed: {error.strerror}"
    )
    for folder, folders, names in os.walk(root, followlinks=True, onerror=note):
        kept = []
        for name in sorted(folders):
            whole = os.path.join(folder, name)
            real = os.path.realpath(whole)
            passed = name.startswith(".") or own(whole)
            if os.path.islink(whole):
                passed |= inside(real, real_root) or inside(real_root, real)
                passed |= real in seen
                seen.add(real)
            if not passed:
                kept.append(name)
        folders[:] = kept
        for name in sorted(names):
            if not name.startswith("."):
                yield os.path.join(folder, name)
