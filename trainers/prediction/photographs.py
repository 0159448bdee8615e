"""Predictions of many pictures: lines of JSON, a table, annotated pictures.

A run that was stopped goes on, and of a folder only what is new or has changed is
read again. A picture is called what it is called in the folder or pattern that was
given, and stands in one line, whatever way it is given.
"""

import hashlib
import itertools
import os
from collections import Counter, deque
from concurrent import futures

from fer_tf import labels
from fer_tf.faces.images import read_with_note
from fer_tf.plotting.photograph import annotated
from fer_tf.plotting.style import save_figure
from fer_tf.utils import atomic, hashing
from fer_tf.utils.names import one_line
from fer_tf.video import video_files
from trainers.common.progress import Progress
from trainers.prediction.picture_files import NO_FACE, Files
from trainers.prediction.records import (
    CSV,
    DRAWN,
    JOURNAL,
    JSONL,
    RUN,
    Records,
    fits,
    line,
)

__all__ = ["CSV", "JSONL", "NO_FACE", "begin", "describe", "line", "run"]

SCHEMA_VERSION = 1

# Of one picture: it cannot be used, or the model says NaN of it.
_FAILURES = (ValueError, FloatingPointError)

# Likewise: it cannot be drawn, or something is in the way there.
_UNDRAWN = (ValueError, FileExistsError, IsADirectoryError, NotADirectoryError)

# Pictures that are searched together: so many, but no more pixels than this.
_TOGETHER, _PIXELS = 8, 12_000_000


def begin(output: str, identity: dict) -> None:
    """Makes the folder, or checks that what it holds came from the same model.

    Args:
        output: Folder.
        identity: Model and settings that predictions depend on, JSON-ready.

    Raises:
        ValueError: If it holds predictions of another model or settings.
    """
    os.makedirs(output, exist_ok=True)
    path = os.path.join(output, RUN)
    kept = [os.path.join(output, name) for name in (JSONL, JOURNAL, CSV)]
    if not any(map(os.path.exists, kept)):  # What was begun before gave nothing.
        atomic.write_json(path, identity)
    elif not os.path.exists(path):
        raise ValueError(f"{output}: holds predictions of an unknown model")
    else:
        found = atomic.read_json(path)
        if not isinstance(found, dict):
            raise ValueError(f"{path}: not what a run of trainers.predict wrote")
        # A folder of pictures lacks the keys of a video, and the other way round.
        for name in {**found, **identity}:
            if found.get(name) != identity.get(name):
                raise ValueError(
                    f"{output}: holds predictions with {name} {found.get(name)!r}, now "
                    f"{identity.get(name)!r}; choose another --output"
                )


def run(predictor, files: Files, output: str, *, pictures: bool):
    """Predicts pictures and writes everything to `output`.

    Args:
        predictor: A `fer_tf.Predictor`.
        files: The pictures.
        output: Folder, see `begin`.
        pictures: Whether to write annotated pictures.

    Returns:
        All `Records` of predictions.jsonl, those of earlier calls too; the names of
        the pictures, in the order of `files.paths`; and how many records were
        dropped, since their pictures are gone from the folder or pattern.

    Raises:
        ValueError: If the output holds lines that are no predictions.
    """
    records = Records(output)
    gone = _gone(records, files)
    for name in gone:
        records.drop(name)
    names = list(_names(files, records))
    drawn = _picture_names(names, records.pictures, output) if pictures else {}
    bar, done, new = Progress("predict", len(names), unit="pictures"), 0, []
    for path, name in zip(files.paths, names):
        if name in records and _is_done(records[name], path, drawn.get(name), output):
            done += 1
        else:
            new.append((path, name))
    bar.update(done)
    with records.appending() as append:
        for some in _read(new):
            for record, image in _predict(predictor, some):
                if image is not None and pictures:
                    _draw(image, record, output, drawn[record["source"]])
                append(record)
                done += 1
                bar.update(done)
    # What other calls have read into the folder stays in front.
    own = set(names)
    earlier = [name for name in records.names if name not in own]
    records.finish([*earlier, *names], predictor.card)
    return records, names, len(gone)


def _gone(records, files):
    """Names of records whose pictures are no more where one looks for them now.

    Those of other folders stay: a stick may be unplugged. So do those of a single
    picture, which is not looked for.
    """
    if not files.searched:
        return []
    root = os.path.join(os.path.realpath(files.root), "")
    return [
        name
        for name, path in records.files.items()
        if path.startswith(root) and _is_gone(path)
    ]


def _is_gone(path):
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def _names(files, records):
    """What each picture is called in the records.

    A file that was read before keeps its name, and two files that would have one name
    are told apart by the folders that they lie in.
    """
    known = {path: name for name, path in records.files.items()}
    used = set()

    def is_free(name, real):
        holder = records.files.get(name)
        # A picture that is gone has moved: its prediction may make way.
        return name not in used and (holder in (None, real) or _is_gone(holder))

    for path in files.paths:
        real, name = os.path.realpath(path), files.name(path)
        before = known.get(real, name)
        if records.files.get(name) != real and before not in used:
            name = before
        parts = real.split(os.sep)
        longer = (os.sep.join(parts[-count:]) for count in range(2, len(parts)))
        free = (each for each in (name, *longer) if is_free(each, real))
        name = next(free, None)
        if name is None:
            raise ValueError(f"{path}: its names are others'; choose another --output")
        used.add(name)
        yield name


def describe(record: dict) -> str:
    """A line for people."""
    said = record["error"] or "; ".join(map(_in_words, record["faces"]))
    note = f" ({record['note']})" if record.get("note") else ""
    return one_line(f"{record['source']}: {said}{note}")


def _in_words(face):
    words = []
    if "expression" in face:
        name = face["expression"]
        words.append(f"{name} {face['probabilities'][name]:.0%}")
    for name in ("valence", "arousal"):
        if name in face:
            words.append(f"{name} {face[name]:+.2f}")
    if "action_units" in face:
        active = labels.active_units(face["action_units"])
        words.append(" ".join(active) or "no action unit")
    if "face_probability" in face:
        words.append(f"face {face['face_probability']:.0%}")
    if face["enlargement"] > 1.5:
        words.append(f"(small: enlarged {face['enlargement']:.1f} times)")
    return " ".join(words) or "face"


def _is_done(record, path, picture, output):
    """Whether a record is of this very file, and drawn if it is to be.

    One that could not be read is tried again: what was in the way may be gone.
    """
    if record["error"] not in (None, NO_FACE):
        return False
    drawn = picture is None or not record["faces"]
    if picture is not None and record.get("picture") == picture:
        drawn |= os.path.exists(os.path.join(output, picture))
    known = (record.get("file") or {}).get("sha256")
    return bool(drawn and known) and known == _sha256(path)


def _sha256(path):
    """Tells a file from every other; of one that cannot be opened, none."""
    try:
        # Times and sizes do not tell: `cp -p` keeps them. Hashing takes a hundredth
        # of the search for faces.
        return hashing.sha256(path) if os.path.isfile(path) else None
    except OSError:
        return None


def _picture_names(names, kept, output):
    """Paths of the annotated pictures: without ending, unless two would be one.

    They are relative to the output, and those that were drawn, `kept`, stay. What
    would lie where a folder is to be, or in a file, lies at the top under a name of
    its own.
    """
    stem = lambda name: os.path.splitext(name)[0]
    stems = Counter(map(stem, names))
    folders = {os.path.dirname(name) for name in names}
    folders |= {above for folder in folders for above in _above(folder)}
    owners = {picture: name for name, picture in kept.items()}
    found = {}
    for name in names:
        plain = stem(name) if stems[stem(name)] == 1 else name
        picture = short_name(plain) + DRAWN
        other = owners.get(picture, name) != name  # Of an earlier call.
        if other or picture in folders or not fits(output, picture):
            own = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
            plain = plain if other else os.path.basename(plain)
            picture = short_name(f"{plain}-{own}") + DRAWN
        found[name] = kept.get(name, picture)
    return found


def _above(folder):
    while folder := os.path.dirname(folder):
        yield folder


def short_name(path: str) -> str:
    """A path whose last part leaves room for an ending: 255 bytes are allowed."""
    folder, name = os.path.split(path)
    whole = os.fsencode(name)
    if len(whole) > 200:
        kept = whole[:180].decode(errors="ignore")
        name = f"{kept}-{hashlib.sha256(whole).hexdigest()[:8]}"
    return os.path.join(folder, name)


def _draw(image, record, output, picture):
    """Writes the annotated picture; one that cannot be drawn is noted."""
    path = os.path.join(output, picture)
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        save_figure(annotated(image, record["faces"]), path)
        record["picture"] = picture
    except _UNDRAWN as error:
        record["error"] = f"the annotated picture cannot be drawn: {error}"


def _read(files):
    """Groups of `(record, image or None)`, decoded ahead of their use."""
    waiting, group, pixels = deque(), [], 0
    with futures.ThreadPoolExecutor(2) as pool:
        files = iter(files)
        ahead = lambda count: waiting.extend(
            pool.submit(_decode, *file) for file in itertools.islice(files, count)
        )
        ahead(4)
        while waiting:
            record, image = waiting.popleft().result()
            ahead(1)
            group.append((record, image))
            pixels += 0 if image is None else image.shape[0] * image.shape[1]
            if len(group) == _TOGETHER or pixels > _PIXELS:
                yield group
                group, pixels = [], 0
    if group:
        yield group


def _decode(path, name):
    """A picture's record, still without faces, and its pixels if it has any."""
    record = {"schema_version": SCHEMA_VERSION, "source": name, "frame": None}
    file = {"path": os.path.realpath(path), "sha256": None}
    record |= {"file": file, "picture": None, "faces": [], "error": None}
    if video_files.is_video(path):
        record["error"] = "a video: give it as an --input of its own"
        return record, None
    try:
        image, note = read_with_note(path)
    except (ValueError, OSError) as error:
        record["error"] = str(error)
        return record, None
    file["sha256"] = _sha256(path)
    if note:
        record["note"] = note
    return record, image


def _predict(predictor, group):
    """The group with its faces; one picture that fails does not fail the others."""
    images = [image for _, image in group if image is not None]
    try:
        found = iter(predictor.predict_many(images))
    except _FAILURES:
        found = None
    for record, image in group:
        if image is not None:
            try:
                faces = predictor.predict(image) if found is None else next(found)
                record["faces"] = faces
                record["error"] = None if faces else NO_FACE
            except _FAILURES as error:
                record["error"] = str(error)
        yield record, image
