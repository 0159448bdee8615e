"""The folder that predictions are written to: its files, and what may lie where."""

import hashlib
import os

from fer_tf.utils import atomic

JSONL, CSV, RUN = "predictions.jsonl", "predictions.csv", "run.json"
PARQUET = "predictions.parquet"
# In run.json: what a run that came to its end has written.
_FINISHED = "finished"
# Records of pictures before all of them are there.
JOURNAL = f".part-{JSONL}"
# What the names of drawn files end with.
DRAWN, DRAWN_VIDEO, TIMELINE = "_annotated.png", "_annotated.mp4", "_timeline.png"


def begin(output: str, identity: dict, about: dict | None = None) -> None:
    """Makes the folder, or checks that its predictions came from the same model.

    Temporary files of a run that was killed are removed, but not its journal.

    Args:
        output: Folder; no other process may write to it.
        identity: Model and settings that predictions depend on, JSON-ready.
        about: What else a reader of the predictions should know; kept, not compared.
            What earlier runs kept of pictures that are not read again stays, as a list
            under `about_earlier`.

    Raises:
        ValueError: If it holds predictions of another model or settings.
    """
    os.makedirs(output, exist_ok=True)
    _remove_temporary_files(output)
    path = os.path.join(output, RUN)
    written = [os.path.join(output, name) for name in (JSONL, JOURNAL, CSV)]
    if not any(map(os.path.exists, written)):  # An earlier run wrote no predictions.
        atomic.write_json(path, {**identity, "about": about or {}})
    elif not os.path.exists(path):
        raise ValueError(f"{output}: holds predictions of an unknown model")
    else:
        earlier = atomic.read_json(path)
        _require_same(output, earlier, identity)
        if about:
            others = [] if "video" in identity else abouts(earlier)  # Read anew.
            others = [other for other in others if other != about]
            kept = {"about_earlier": others} if others else {}
            atomic.write_json(path, {**identity, "about": about, **kept})


def finish(output: str, settings: dict) -> None:
    """Notes that all is written; the next `begin` forgets it.

    Args:
        output: Folder; see `begin`.
        settings: What was read and how it was written, JSON-ready.
    """
    path = os.path.join(output, RUN)
    atomic.write_json(path, {**atomic.read_json(path), _FINISHED: settings})


def abandon(output: str, *, below: str) -> None:
    """Removes what `begin` has written into a folder that got no predictions.

    Args:
        output: Folder; see `begin`. One with predictions stays as it is.
        below: The folder under which empty folders go too; itself it stays.
    """
    if any(os.path.exists(os.path.join(output, name)) for name in (JSONL, JOURNAL)):
        return
    os.remove(os.path.join(output, RUN))
    while os.path.realpath(output) != os.path.realpath(below):
        try:
            os.rmdir(output)
        except OSError:  # It holds something else.
            return
        output = os.path.dirname(output)


def is_finished(output: str, identity: dict, about: dict, settings: dict) -> bool:
    """Whether a run of these very arguments, see `begin`, wrote all that it was to."""
    path = os.path.join(output, RUN)
    run = {**identity, "about": about, _FINISHED: settings}
    return os.path.exists(path) and atomic.read_json(path) == run


def abouts(run: dict) -> list[dict]:
    """What every run into a folder kept as `about`, the last run last.

    Args:
        run: What its run.json holds.

    Example:
        >>> abouts({"about": {"fer_tf": "2"}, "about_earlier": [{"fer_tf": "1"}]})
        [{'fer_tf': '1'}, {'fer_tf': '2'}]
    """
    earlier = run.get("about_earlier")
    found = [*(earlier if isinstance(earlier, list) else []), run.get("about")]
    return [about for about in found if isinstance(about, dict) and about]


def _require_same(output, earlier, identity):
    if not isinstance(earlier, dict):
        path = os.path.join(output, RUN)
        raise ValueError(f"{path}: not what a run of trainers.predict wrote")
    # A folder of pictures lacks the keys of a video, and the other way round.
    for name in {**earlier, **identity}:
        if name in ("about", "about_earlier", _FINISHED):
            continue
        if earlier.get(name) != identity.get(name):
            raise ValueError(
                f"{output}: holds predictions with {name} {earlier.get(name)!r}, now "
                f"{identity.get(name)!r}; choose another --output"
            )


def _remove_temporary_files(output):
    endings = (JSONL, CSV, PARQUET, RUN, DRAWN, DRAWN_VIDEO, TIMELINE)
    for entry in os.scandir(output):
        temporary = entry.name.startswith(".part-") and entry.name.endswith(endings)
        if temporary and entry.name != JOURNAL and not entry.is_dir():
            os.remove(entry.path)


def is_own(path: str, output: str) -> bool:
    """Whether this is the output folder, or a file that an earlier run wrote there."""
    name, path, output = os.path.basename(path), *map(os.path.realpath, (path, output))
    ours = name in (JSONL, CSV, RUN) or name.endswith((DRAWN, DRAWN_VIDEO, TIMELINE))
    return path == output or (path.startswith(output + os.sep) and ours)


def can_hold(output: str, picture: str) -> bool:
    """Whether an annotated picture can lie there: inside, and in no other file's way.

    Args:
        output: Folder.
        picture: Path in it, which may come from a stranger's records.
    """
    if "\0" in picture:
        return False
    path = os.path.normpath(os.path.join(output, picture))
    # A link may lead outside.
    root, folder = map(os.path.realpath, (output, os.path.dirname(path)))
    inside = f"{folder}{os.sep}".startswith(root.rstrip(os.sep) + os.sep)
    if not inside or os.path.isdir(path):
        return False
    parents = os.path.relpath(folder, root).split(os.sep)
    # Files that may still have to be written.
    if parents[0] in (JSONL, CSV, PARQUET, RUN):
        return False
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder)


def short_name(path: str) -> str:
    """Shortens a path's last part, so that an ending fits: 255 bytes are allowed."""
    folder, name = os.path.split(path)
    encoded = os.fsencode(name)
    if len(encoded) > 200:
        start = encoded[:180].decode(errors="ignore")
        name = f"{start}-{hashlib.sha256(encoded).hexdigest()[:8]}"
    return os.path.join(folder, name)
