"""Aff-Wild2 (Kollias & Zafeiriou), as the ABAW challenges ship it.

`annotations/<task>/<set>/<video>.txt`, a header and then a row for each frame of
the video, and `cropped_aligned/<video>/00001.jpg`, a picture for each frame where
the owner found the face: row k belongs to picture k, counted from 1, and there are
more rows than pictures. A frame carries what is valid of each task.

The tasks' folders were renamed after the 2020 challenge, twelve action units
replaced eight, and an eighth class "Other" came; the headers say which.
"""

import functools
import itertools
import os
import re
from collections.abc import Iterator

import numpy as np

from data_pipelines.sources import files
from data_pipelines.sources.sample import DataError, Reject, Sample, resolve_inside
from fer_tf import labels
from fer_tf.faces.images import read_image

# Edition -> task -> folder.
_EDITIONS = {
    "2020": {"VA": "VA_Set", "EXPR": "EXPR_Set", "AU": "AU_Set"},
    "2022": {
        "VA": "VA_Estimation_Challenge",
        "EXPR": "EXPR_Classification_Challenge",
        "AU": "AU_Detection_Challenge",
    },
}
_SETS = {"Training_Set": "train", "Train_Set": "train", "Validation_Set": "test"}
_IMAGES = "cropped_aligned"
_IMAGE_NAME = re.compile(r"(\d{5,})\.jpg", re.IGNORECASE)
_UNIT_NAME = re.compile(r"AU\d{1,2}")

_NO_VALENCE_AROUSAL = -5
_NO_LABEL = -1


class AffWild2:
    """Source of Aff-Wild2's frames.

    The owner's validation set is `test`; `validation` is a tenth of the training
    videos (seed 0; both people of a video fall on the same side). A video that one
    task trains on and another validates on is `test`, with the labels of the
    latter alone. Frames without a picture or without a valid label are expected
    rejects.

    Args:
        root: Folder that holds the annotations and `cropped_aligned`, each here or
            one level down.
        **options: `edition`, `2020` or `2022` (and after); by default the one
            that is there.

    Raises:
        DataError: If annotations or pictures are not there.
        OptionError: If an option is unknown.
    """

    name = "affwild2"
    strict = False
    published = None
    num_landmarks = 0
    holdout = None

    def __init__(self, root: str, **options):
        given = files.check_options(self.name, {"edition": tuple(_EDITIONS)}, options)
        self.root = self.folder = root
        self._images = files.find(root, _IMAGES)
        wanted = [given["edition"]] if given["edition"] else list(_EDITIONS)
        for edition in wanted:
            self._tasks = {
                task: path
                for task, folder in _EDITIONS[edition].items()
                if (path := files.find(root, folder))
            }
            if self._tasks:
                break
        else:
            folders = ", ".join(_EDITIONS[wanted[0]].values())
            raise DataError(f"{root}: none of {folders} is here or one level down")
        if not self._images:
            raise DataError(f"{root}: no folder {_IMAGES} here or one level down")
        self.layout = f"edition {edition}: {', '.join(self._tasks)}"
        if not self._videos():
            raise DataError(f"{root}: no <task>/Training_Set/<video>.txt here")

    @functools.cached_property
    def fingerprint(self) -> str:
        videos = self._videos()
        contents = sorted(path for sets in videos.values() for _, path in sets.values())
        # The names of millions of frames tell enough, and quickly.
        names = (
            f"{video}/{number}" for video in videos for number in self._numbers(video)
        )
        return files.fingerprint(
            self.root, contents=contents, names=names, text=self.layout
        )

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the frames, video by video."""
        videos = self._videos()
        held_out = _held_out(
            video
            for video, tasks in videos.items()
            if all(split == "train" for split, _ in tasks.values())
        )
        for video, tasks in videos.items():
            splits = {split for split, _ in tasks.values()}
            split = "test" if "test" in splits else "train"
            for task, (own, path) in tasks.items():
                if own != split:
                    reason = f"not used: another task validates on {video}"
                    yield Reject(path, f"{task} labels {reason}", True)
            used = {task: path for task, (own, path) in tasks.items() if own == split}
            if split == "train" and _clip(video) in held_out:
                split = "validation"
            yield from self._frames(video, split, used)

    def load(self, sample: Sample) -> tuple[Sample, np.ndarray]:
        """Reads one frame, an aligned face of 112 pixels."""
        return sample, read_image(resolve_inside(self.root, sample.path))

    def _videos(self):
        """`{video: {task: (split, label file)}}` in sorted order."""
        videos = {}
        for task, folder in self._tasks.items():
            for name, split in _SETS.items():
                path = os.path.join(self.root, folder, name)
                for file in os.listdir(path) if os.path.isdir(path) else ():
                    video, ending = os.path.splitext(file)
                    if ending != ".txt" or file.startswith("."):
                        continue
                    tasks = videos.setdefault(video, {})
                    if task in tasks:
                        raise DataError(
                            f"{folder}: {file} is in the training and in the "
                            "validation set"
                        )
                    tasks[task] = split, f"{folder}/{name}/{file}"
        return dict(sorted(videos.items()))

    def _numbers(self, video):
        """Frames of a video that there is a picture of, sorted."""
        try:
            names = os.listdir(os.path.join(self.root, self._images, video))
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = (_IMAGE_NAME.fullmatch(name) for name in names)
        return sorted(int(match[1]) for match in found if match)

    def _frames(self, video, split, tasks):
        folder = f"{self._images}/{video}"
        numbers = self._numbers(video)
        if not numbers:
            yield Reject(folder, "the video has labels, and no pictures at all")
            return
        pictures, last = set(numbers), 0
        readers = [
            _read(task, os.path.join(self.root, path), path)
            for task, path in tasks.items()
        ]
        for number, parts in enumerate(itertools.zip_longest(*readers), 1):
            last = number
            path = f"{folder}/{number:05d}.jpg"
            broken = [part for part in parts if isinstance(part, Reject)]
            found = {}
            for part in parts:
                found |= part if isinstance(part, dict) else {}
            if broken:
                yield from broken
            elif number not in pictures:
                yield Reject(path, "no picture: the owner found no face", True)
            elif not found:
                yield Reject(path, "no valid label", True)
            else:
                sample_id = f"{video}/{number:05d}"
                yield Sample(sample_id, split, path, video=video, frame=number, **found)
        beyond = sum(number > last for number in pictures)
        if beyond:
            yield Reject(folder, f"{beyond} pictures beyond the last label", True)


def _rows(path, name):
    """The header of a label file, then `(place, fields)` of each row."""
    lines = files.text_lines(path, name)
    yield [field.strip() for field in next(lines, "").split(",")]
    # Files often end on empty lines, which are no frames; one in between is.
    waiting = []
    for number, line in enumerate(lines, 2):
        waiting.append((f"{name}, line {number}", line.split(",")))
        if line.strip():
            yield from waiting
            waiting.clear()


def _read(task, path, name):
    """What each row of a task's file says: a dict of labels, or a Reject."""
    read_header, read_row = _TASKS[task]
    rows = _rows(path, name)
    header = next(rows)
    try:
        columns, width = read_header(header)
    except ValueError as error:
        text = ",".join(header)[:80]
        raise DataError(f"{name}: {text!r} is not its header: {error}") from error
    for place, fields in rows:
        try:
            if len(fields) != width:
                raise DataError(f"{len(fields)} values, not {width}")
            yield read_row(columns, fields)
        except ValueError as error:
            yield Reject(place, str(error))


def _dimensions(header):
    names = [column.lower() for column in header]
    if sorted(names) != ["arousal", "valence"]:
        raise ValueError("it must be valence,arousal")
    return names, 2


def _valence_arousal(columns, fields):
    values = {c: files.number(text, c) for c, text in zip(columns, fields)}
    if _NO_VALENCE_AROUSAL in values.values():
        return {}
    return {c: files.in_circumplex(value, c) for c, value in values.items()}


def _classes(header):
    """Our name of each class; None for "Other"."""
    names = [
        None
        if name.lower() == "other"
        else labels.EXPRESSIONS[labels.expression_index(name)]
        for name in header
    ]
    return names, 1


def _expression(classes, fields):
    label = files.whole_number(fields[0], "expression")
    if label == _NO_LABEL:
        return {}
    if not 0 <= label < len(classes):
        raise DataError(f"expression must be 0..{len(classes) - 1}, is {label}")
    return {} if classes[label] is None else {"expression": classes[label]}


def _units(header):
    names = [column.upper() for column in header]
    if not all(_UNIT_NAME.fullmatch(name) for name in names):
        raise ValueError("it must be AU1,AU2,…")
    if len(set(names)) < len(names):
        raise ValueError("an action unit comes twice")
    return names, len(names)


def _action_units(names, fields):
    values = {n: files.whole_number(text, n) for n, text in zip(names, fields)}
    if _NO_LABEL in values.values():
        # As in public readers of the challenge: one missing, none used.
        return {}
    for name, value in values.items():
        if value not in (0, 1):
            raise DataError(f"{name} must be 0 or 1, is {value}")
    return {"action_units": values}


_TASKS = {
    "VA": (_dimensions, _valence_arousal),
    "EXPR": (_classes, _expression),
    "AU": (_units, _action_units),
}


def _clip(video):
    """The recording that a video shows one person of."""
    return re.sub(r"_(left|right)$", "", video)


def _held_out(videos) -> set[str]:
    """A tenth of the recordings, drawn with seed 0; one at least, of two or more."""
    clips = sorted({_clip(video) for video in videos})
    count = max(1, round(len(clips) / 10)) if len(clips) > 1 else 0
    order = np.random.default_rng(0).permutation(len(clips))
    return {clips[index] for index in order[:count]}
