"""Predictions of many pictures: lines of JSON, a table, annotated pictures.

Each record is written to a journal as soon as it is there, and the journal
becomes `predictions.jsonl` when all are: a run that was stopped goes on, and a
folder that has grown is read where it is new.
"""

import contextlib
import glob
import hashlib
import itertools
import json
import os
from collections import Counter, deque
from concurrent import futures

from data_pipelines import atomic
from fer_tf import labels, plotting, video
from fer_tf.faces.images import read_image
from trainers import prediction_table
from trainers.progress import Progress

SCHEMA_VERSION = 1
NO_FACE = "no face found"
JSONL, CSV, RUN = "predictions.jsonl", "predictions.csv", "run.json"
_JOURNAL = f".part-{JSONL}"
_DRAWN = "_annotated.png"

# Of one picture: it cannot be used, or the model says NaN of it.
_FAILURES = (ValueError, FloatingPointError)

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
    kept = [os.path.join(output, name) for name in (JSONL, _JOURNAL, CSV)]
    if not any(map(os.path.exists, kept)):  # What was begun before gave nothing.
        atomic.write_json(path, identity)
    elif not os.path.exists(path):
        raise ValueError(f"{output}: holds predictions of an unknown model")
    else:
        with open(path, encoding="utf-8") as file:
            try:
                found = json.load(file)
            except ValueError as error:
                raise ValueError(f"{path}: not valid JSON ({error})") from error
        # A folder of pictures lacks the keys of a video, and the other way round.
        for name in {**found, **identity}:
            if found.get(name) != identity.get(name):
                raise ValueError(
                    f"{output}: holds predictions with {name} {found.get(name)!r}, now "
                    f"{identity.get(name)!r}; choose another --output"
                )


def run(predictor, paths, output: str, *, root: str, pictures: bool):
    """Predicts pictures and writes everything to `output`.

    Args:
        predictor: A `fer_tf.Predictor`.
        paths: Of the pictures.
        output: Folder, see `begin`.
        root: What names are relative to, if it is a folder.
        pictures: Whether to write annotated pictures.

    Returns:
        All `Records` of predictions.jsonl, those of earlier calls too, and the names
        of the pictures' own, in their order.

    Raises:
        ValueError: If the output holds another picture's prediction by a name.
    """
    names = [_name(path, root) for path in paths]
    records = Records(output)
    drawn = _picture_names(names, root, records.pictures) if pictures else {}
    new = []
    for path, name in zip(paths, names):
        if name in records:
            record = records[name]
            _refuse_another(record, path, output)
            if _is_done(record, path, drawn.get(name), output):
                continue
        new.append((path, name))
    bar = Progress("predict", len(paths), unit="pictures")
    done = len(paths) - len(new)
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
    return records, names


class Records:
    """The records in a folder: finished ones, and the journal of the others.

    Only where each lies, and its annotated picture, is held in memory.

    Attributes:
        pictures: Name of a record -> its annotated picture, where it has one.
    """

    def __init__(self, output: str):
        self._final = os.path.join(output, JSONL)
        self._journal = os.path.join(output, _JOURNAL)
        self._table = os.path.join(output, CSV)
        self._places: dict[str, tuple[str, int]] = {}
        self.pictures: dict[str, str] = {}
        for path in (self._final, self._journal):
            self._index(path)

    def __contains__(self, name) -> bool:
        return name in self._places

    def __getitem__(self, name) -> dict:
        return json.loads(self._line(name))

    def __iter__(self):
        return (self[name] for name in self._places)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def names(self) -> list[str]:
        """Of the records, in their order."""
        return list(self._places)

    @contextlib.contextmanager
    def appending(self):
        """Yields `append(record)`; what is appended outlives a kill."""
        with open(self._journal, "ab") as file:

            def append(record):
                self._places[record["source"]] = self._journal, file.tell()
                file.write(line(record).encode())
                file.flush()

            yield append

    def finish(self, names, card) -> None:
        """Writes predictions.jsonl and .csv of the records named, in that order."""
        with atomic.replacing(self._final) as path, open(path, "wb") as file:
            places = {}
            for name in names:
                places[name] = self._final, file.tell()
                file.write(self._line(name))
        self._places = places
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._journal)
        prediction_table.write(self._table, self, card)

    def _line(self, name):
        path, offset = self._places[name]
        with open(path, "rb") as file:
            file.seek(offset)
            return file.readline()

    def _index(self, path):
        """Finds the records of a file; a torn last line of a kill is cut off."""
        if not os.path.exists(path):
            return
        offset = 0
        with open(path, "rb") as file:
            for line in file:
                if line[-1:] != b"\n":
                    break
                try:
                    record = json.loads(line)
                    source, picture = record["source"], record.get("picture")
                except (ValueError, KeyError, TypeError):
                    raise ValueError(
                        f"{path}: byte {offset}: not a line of predictions"
                    ) from None
                self._places[source] = path, offset
                self.pictures.pop(source, None)  # Of an earlier line of its name.
                if picture:
                    self.pictures[source] = picture
                offset += len(line)
        if offset < os.path.getsize(path):
            os.truncate(path, offset)


def line(record: dict) -> str:
    """A record as a line of JSON; bytes of a file's name that are no text escaped."""
    text = json.dumps(record, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode() + "\n"


def describe(record: dict) -> str:
    """A line for people."""
    if record["error"]:
        return f"{record['source']}: {record['error']}"
    return f"{record['source']}: " + "; ".join(map(_in_words, record["faces"]))


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


def _name(path, root):
    return os.path.relpath(path, root) if os.path.isdir(root) else path


def _refuse_another(record, path, output):
    """Pictures of two folders may have one name; neither's prediction is lost."""
    known, own = (record["file"] or {}).get("path"), os.path.realpath(path)
    # What is gone has moved: its prediction may make way.
    if known not in (None, own) and os.path.exists(known):
        raise ValueError(
            f"{output}: holds a prediction of {known} as {record['source']}, which "
            f"{own} would be too; choose another --output"
        )


def _is_done(record, path, picture, output):
    """Whether a record is of this very file, and drawn if it is to be.

    One that could not be read is tried again: what was in the way may be gone.
    """
    if record["error"] not in (None, NO_FACE):
        return False
    drawn = picture is None or not record["faces"]
    if picture is not None and record.get("picture") == picture:
        drawn |= os.path.exists(os.path.join(output, picture))
    stamp, found = _stamp(path), record["file"] or {}
    same = stamp and all(found.get(key) == value for key, value in stamp.items())
    return bool(drawn and same)


def _stamp(path):
    """What tells whether a file is still the one that was read."""
    try:
        found = os.stat(path)
    except OSError:
        return {}
    return {"bytes": found.st_size, "modified_ns": found.st_mtime_ns}


def _picture_names(names, root, kept):
    """Paths of the annotated pictures: without ending, unless two would be one.

    They are relative to the output, and those that were drawn, `kept`, stay.

    Names that lead upwards or away are those of a file or of a pattern, `root`: they
    are taken from its folder, or from the last one that the pattern leaves no choice
    of, whatever else there is.
    """
    base = os.path.dirname(os.path.abspath(root))
    while glob.has_magic(base):
        base = os.path.dirname(base)
    inside = {name: _inside(name, base) for name in names}
    stem = lambda name: os.path.splitext(inside[name])[0]
    stems = Counter(map(stem, names))
    owners = {picture: name for name, picture in kept.items()}
    found = {}
    for name in names:
        plain = stem(name) if stems[stem(name)] == 1 else inside[name]
        picture = short_name(plain) + _DRAWN
        if owners.get(picture, name) != name:  # Another's, of an earlier call.
            own = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
            picture = short_name(f"{plain}-{own}") + _DRAWN
        found[name] = kept.get(name, picture)
    return found


def _inside(name, base):
    """A picture's name as a path that does not lead out of the output."""
    name = os.path.normpath(name)
    if os.path.isabs(name) or name.startswith(os.pardir + os.sep):
        return os.path.relpath(os.path.abspath(name), base)
    return name


def is_own(path: str, output: str) -> bool:
    """Whether an earlier call wrote this file to its output."""
    name = os.path.basename(path)
    inside = os.path.realpath(path).startswith(os.path.realpath(output) + os.sep)
    return inside and (name in (JSONL, CSV, RUN) or name.endswith(_DRAWN))


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
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    try:
        plotting.save(plotting.annotated(image, record["faces"]), path)
        record["picture"] = picture
    except ValueError as error:
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
    file = {**_stamp(path), "path": os.path.realpath(path)}
    record |= {"file": file, "picture": None, "faces": [], "error": None}
    if video.is_video(path):
        record["error"] = "a video: give it as an --input of its own"
        return record, None
    try:
        return record, read_image(path)
    except (ValueError, OSError) as error:
        record["error"] = str(error)
        return record, None


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
                record["faces"] = [plain(face) for face in faces]
                record["error"] = None if faces else NO_FACE
            except _FAILURES as error:
                record["error"] = str(error)
        yield record, image


def plain(face: dict) -> dict:
    """A face as JSON takes it."""
    return {**face, "landmarks": face["landmarks"].tolist()}
