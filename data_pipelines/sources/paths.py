"""Paths inside a data set's folder: safe ones, listings and searches."""

import os
import re
from collections.abc import Iterator

from data_pipelines.sources.errors import DataError, UnsafePath, clip
from fer_tf.utils.names import one_line

# Characters that move a cursor, end a line, or end a name.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def clean_path(relative: str) -> str:
    r"""A path from a label file with `/`, if it could lie inside a data folder.

    Absolute paths, drive letters, `..` and control characters, NUL among them, are
    refused, Windows separators are understood. Nothing is looked up on the disk.

    Raises:
        UnsafePath: If the path leads out, or is empty.

    >>> clean_path("faces\\1.jpg")
    'faces/1.jpg'
    """
    clean = relative.replace("\\", "/")
    parts = [part for part in clean.split("/") if part not in ("", ".")]
    if (
        not parts
        or _CONTROLS.search(clean)
        or clean.startswith("/")
        or ".." in parts
        or clean[1:2] == ":"
    ):
        name = clip(relative)
        raise UnsafePath(f"{name!r} is not a path inside the data folder")
    return "/".join(parts)


def resolve_inside(root: str, relative: str) -> str:
    """Absolute path of `relative`, if it does not lead out of `root`.

    Label files come from strangers: paths that `clean_path` refuses are refused, and
    so are links that leave the folder.

    Raises:
        UnsafePath: If the path is not inside `root`.
    """
    base = os.path.realpath(root)
    path = os.path.realpath(os.path.join(base, *clean_path(relative).split("/")))
    if path != base and not path.startswith(base.rstrip(os.sep) + os.sep):
        raise UnsafePath(f"{relative!r} leads out of the data folder")
    return path


def check_name(path: str) -> None:
    """Refuses names that cannot be written as plain text, or that move a cursor.

    Raises:
        DataError: If a file name of the listing is one.
    """
    if path != one_line(path):
        raise DataError("the name is no plain UTF-8")


def list_files(root: str, top: str = "") -> Iterator[str]:
    """Regular files below `root/top` in sorted order, as relative paths.

    Hidden files and folders (`.DS_Store`, `.git`) are passed over: no owner's
    layout has them. Every link is listed as a file and never followed;
    `resolve_inside` tells whether it may be read.
    """
    with os.scandir(os.path.join(root, top) if top else root) as entries:
        listed = sorted(
            (entry.name, entry.is_dir(follow_symlinks=False))
            for entry in entries
            if entry.is_dir(follow_symlinks=False)
            or entry.is_file(follow_symlinks=False)
            or entry.is_symlink()
        )
    for name, is_folder in listed:
        if name.startswith("."):
            continue
        relative = f"{top}/{name}" if top else name
        if is_folder:
            yield from list_files(root, relative)
        else:
            yield relative


def folders(root: str) -> list[str]:
    """Names of the folders directly in a folder, sorted, without hidden ones."""
    with os.scandir(root) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        )


def find(root: str, *names: str) -> str | None:
    """Relative path of the first of `names` in `root` or a folder directly in it.

    Owners ship archives, and users unpack them into different folders: one level of
    folders is searched, in sorted order.
    """
    if not os.path.isdir(root):
        return None
    for folder in ["", *folders(root)]:
        for name in names:
            path = f"{folder}/{name}" if folder else name
            if os.path.exists(os.path.join(root, path)):
                return path
    return None
