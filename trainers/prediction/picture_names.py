"""What pictures are called in the records, and where their annotated ones lie.

A picture is called by its path in the folder or pattern that `--input` states, and
has one record, by whichever path it is reached.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator

from trainers.prediction.output_folder import DRAWN, can_hold, short_name
from trainers.prediction.picture_files import Files
from trainers.prediction.records import Records


def source_names(files: Files, records: Records) -> Iterator[str]:
    """Yields the name of each picture in the records.

    A file that was read before keeps its name. Two files that would have the same name
    are told apart by the folders that they lie in.

    Raises:
        ValueError: If every name of a picture is another's already.
    """
    known = {path: name for name, path in records.files.items()}
    used = set()

    def is_free(name, path):
        holder = records.files.get(name)
        # A picture that is gone may have moved: its record makes way.
        return name not in used and (holder in (None, path) or is_gone(holder))

    for path in files.paths:
        real, name = os.path.realpath(path), files.name(path)
        before = known.get(real, name)
        if records.files.get(name) != real and before not in used:
            name = before
        parts = real.split(os.sep)
        longer = (os.sep.join(parts[-count:]) for count in range(2, len(parts)))
        name = next((n for n in (name, *longer) if is_free(n, real)), None)
        if name is None:
            raise ValueError(
                f"{path}: its name is taken by another picture; choose another --output"
            )
        used.add(name)
        yield name


def gone(records: Records, files: Files) -> list[str]:
    """Names of records whose pictures are gone from the folder that is searched now.

    Records of other folders stay, since a drive may be unplugged. When a single
    picture is named, no folder is searched.
    """
    if not files.searched:
        return []
    root = os.path.join(os.path.realpath(files.root), "")
    return [
        name
        for name, path in records.files.items()
        if path.startswith(root) and is_gone(path)
    ]


def is_gone(path: str) -> bool:
    """Whether a file was removed; one that cannot be looked at was not."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def drawn_names(
    names: list[str], earlier: dict[str, str], output: str
) -> dict[str, str]:
    """Paths of the annotated pictures in the output folder, by name of the picture.

    A path is the picture's name without its ending, unless two names differ in the
    ending alone. Where another file or folder is in the way, a number that stands for
    the name is added, and the annotated picture lies at the top if it must.

    Args:
        names: Of the pictures.
        earlier: Annotated pictures of earlier runs by name; these stay.
        output: Folder.
    """
    stem = lambda name: os.path.splitext(name)[0]
    stems = Counter(map(stem, names))
    folders = {folder for name in names for folder in _folders_above(name)}
    owners = {picture: name for name, picture in earlier.items()}
    drawn = {}
    for name in names:
        plain = stem(name) if stems[stem(name)] == 1 else name
        picture = short_name(plain) + DRAWN
        taken = owners.get(picture, name) != name
        if taken or picture in folders or not can_hold(output, picture):
            number = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
            plain = plain if taken else os.path.basename(plain)
            picture = short_name(f"{plain}-{number}") + DRAWN
        drawn[name] = earlier.get(name, picture)
    return drawn


def _folders_above(name):
    while name := os.path.dirname(name):
        yield name
