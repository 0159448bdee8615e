"""The clips of a folder or pattern, each read into an output folder of its own."""

import os
from collections import Counter

from trainers.prediction.output_folder import can_hold, short_name
from trainers.prediction.picture_files import Files


def folders(files: Files, clips: list[str], output: str) -> dict[str, str]:
    """The output folder of each clip: below `output` as the clip below the input.

    It is called as the clip without its ending, unless two clips differ in the ending
    alone. So summaries find conditions: `before/a.mp4` is read into `before/a`.

    Args:
        files: What `--input` means.
        clips: Those of its paths that are videos.
        output: Folder.

    Raises:
        ValueError: If an output folder would lie elsewhere, through a link, or where a
            file of `trainers.predict` lies.

    Example:
        >>> files = Files("study", ["study/a/x.mp4", "study/b/x.mp4", "study/b/x.mov"])
        >>> list(folders(files, files.paths, "out").values())
        ['out/a/x', 'out/b/x.mp4', 'out/b/x.mov']
    """
    names = {clip: files.name(clip) for clip in clips}
    stem = lambda name: os.path.splitext(name)[0]
    stems = Counter(map(stem, names.values()))
    found = {}
    for clip, name in names.items():
        own = short_name(stem(name) if stems[stem(name)] == 1 else name)
        if not can_hold(output, os.path.join(own, "x")):
            raise ValueError(f"{output}: {own} in it cannot be the folder of a clip")
        found[clip] = os.path.join(output, own)
    return found


def condition(name: str) -> str:
    """The first folder of a clip's path below the input; empty if there is none.

    >>> condition("before/day1/a.mp4"), condition("a.mp4")
    ('before', '')
    """
    first, below, _ = name.partition(os.sep)
    return first if below else ""
