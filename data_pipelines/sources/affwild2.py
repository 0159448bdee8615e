"""Aff-Wild2 (Kollias & Zafeiriou), as the ABAW challenges ship it.

`annotations/<task>/<set>/<video>.txt`, a header and then a row for each frame of
the video, and `cropped_aligned/<video>/00001.jpg`, a picture for each frame where
the owner found the face: row k belongs to picture k, counted from 1, and there are
more rows than pictures. A frame carries what is valid of each task.

The tasks' folders were renamed after the 2020 challenge, and one of them again;
twelve action units replaced eight, an eighth class "Other" came, and the frames of
fifty new videos lie in a folder of their own. The headers say which. The
challenges' one list of all three tasks, `MTL_Challenge`, is not read.
"""

import functools
import itertools
import os
import re
from collections.abc import Iterator

import numpy as np

from data_pipelines.sources import affwild2_labels, fingerprints, paths
from data_pipelines.sources.errors import DataError
from data_pipelines.sources.sample import Reject, Sample
from data_pipelines.sources.source import Source
from fer_tf import labels
from fer_tf.dataset_facts import OWNERS_TERMS, PEOPLE_UNRECORDED, DatasetFacts
from fer_tf.utils.names import one_line

# Edition -> task -> folder.
_EDITIONS = {
    "2020": {"VA": ("VA_Set",), "EXPR": ("EXPR_Set",), "AU": ("AU_Set",)},
    "2022": {
        "VA": ("VA_Estimation_Challenge",),
        "EXPR": ("EXPR_Classification_Challenge", "EXPR_Recognition_Challenge"),
        "AU": ("AU_Detection_Challenge",),
    },
}
_SETS = {"Training_Set": "train", "Train_Set": "train", "Validation_Set": "test"}
_IMAGES = ("cropped_aligned", "cropped_aligned_new_50_vids")
_IMAGE_NAME = re.compile(r"(\d{5}|[1-9]\d{5,8})\.jpg")
_SEVEN = labels.EXPRESSIONS[:7]


class AffWild2(Source):
    """Source of Aff-Wild2's frames.

    The owner's validation set is `test`; `validation` is a tenth of the training
    videos (seed 0). Both people of a recording fall on the same side: one that is
    trained on for one task or person and validated on for another is `test`, with the
    labels of the latter alone. Frames without a picture or without a valid label are
    expected rejects.

    Args:
        root: Folder that holds the annotations and `cropped_aligned`, each here or
            one level down.
        edition: `2020` or `2022` (and after); by default the one that is there.
        classes: `7` (a frame of class "Other" has no expression) or `8`.

    Raises:
        DataError: If annotations or pictures are not there.
    """

    name = "affwild2"
    facts = DatasetFacts(
        title="Aff-Wild2",
        pictures="Frames of over 500 videos in the wild, cropped by their owner.",
        labels=(
            "Valence and arousal, seven expressions and eight action units a frame "
            '(since 2022 also "other", and twelve units), by people; most frames lack '
            "some of them. What is called test here is the owner's validation set."
        ),
        people=PEOPLE_UNRECORDED,
        terms=OWNERS_TERMS,
    )
    citation = "Kollias and Zafeiriou, 2019, and the ABAW challenges; no counts a class"
    class_ids = dict(
        enumerate(
            ("neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise")
        )
    )
    default_crop = "zhang2020"
    default_detector = "annotated"
    options = {"edition": tuple(_EDITIONS), "classes": ("7", "8")}
    published = None

    def __init__(self, root: str, edition: str | None = None, classes: str = "7"):
        self.root = self.folder = root
        self._images = [p for name in _IMAGES if (p := paths.find(root, name))]
        if classes == "8":
            self.expressions = (*_SEVEN, affwild2_labels.OTHER)
        wanted = [edition] if edition else list(_EDITIONS)
        for edition in wanted:
            self._tasks = {
                task: path
                for task, folders in _EDITIONS[edition].items()
                if (path := paths.find(root, *folders))
            }
            if self._tasks:
                break
        else:
            tasks = itertools.chain(*(_EDITIONS[e].values() for e in wanted))
            names = ", ".join(itertools.chain(*tasks))
            raise DataError(f"{root}: none of {names} is here or one level down")
        if not self._images:
            raise DataError(f"{root}: no folder {_IMAGES[0]} here or one level down")
        self.layout = f"edition {edition}: {', '.join(self._tasks)}"
        self.layout += f", classes={classes}"
        videos = self._videos()
        if not videos:
            raise DataError(f"{root}: no <task>/Training_Set/<video>.txt here")
        self.action_units = self._find_action_units(videos)

    @functools.cached_property
    def fingerprint(self) -> str:
        videos = self._videos()
        contents = sorted(path for sets in videos.values() for _, path in sets.values())
        listed = (
            f"{self._folder(video)}/{number:05d}.jpg"
            for video in videos
            for number in self._numbers(video)
        )
        return fingerprints.of_files(
            self.root, contents=contents, listed=listed, text=self.layout
        )

    def rows(self) -> Iterator[Sample | Reject]:
        """Lists the frames, video by video."""
        videos = self._videos()
        tested = {
            _clip(video)
            for video, tasks in videos.items()
            if "test" in (split for split, _ in tasks.values())
        }
        held_out = _held_out(video for video in videos if _clip(video) not in tested)
        for video, tasks in videos.items():
            split = "test" if _clip(video) in tested else "train"
            for task, (own, path) in tasks.items():
                if own != split:
                    reason = f"not used: the recording of {video} is validated on"
                    yield Reject(path, f"{task} labels {reason}", True)
            used = {task: path for task, (own, path) in tasks.items() if own == split}
            if split == "train" and _clip(video) in held_out:
                split = "validation"
            if used:
                yield from self._frames(video, split, used)

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
                    if file != one_line(file):
                        raise DataError(f"{one_line(file)}: no plain UTF-8")
                    tasks = videos.setdefault(video, {})
                    if task in tasks:
                        raise DataError(
                            f"{folder}: {file} is in the training and in the "
                            "validation set"
                        )
                    tasks[task] = split, f"{folder}/{name}/{file}"
        return dict(sorted(videos.items()))

    def _find_action_units(self, videos):
        """The units of the AU headers, which must be the same in every file."""
        units = labels.ACTION_UNITS
        label_lists = [tasks["AU"][1] for tasks in videos.values() if "AU" in tasks]
        for path in label_lists:
            columns = affwild2_labels.read_columns(self.root, "AU", path)
            if path == label_lists[0]:
                units = tuple(columns)
            elif set(columns) != set(units):
                raise DataError(f"{path}: has other action units than {label_lists[0]}")
        return units

    def _folder(self, video):
        """Folder of a video's pictures."""
        folders = [f"{top}/{video}" for top in self._images]
        existing = [f for f in folders if os.path.isdir(os.path.join(self.root, f))]
        return (existing or folders)[0]

    def _numbers(self, video):
        """Numbers of the frames of a video that have a picture, sorted."""
        path = os.path.join(self.root, self._folder(video))
        if not os.path.isdir(path):
            return []
        matches = (_IMAGE_NAME.fullmatch(name) for name in os.listdir(path))
        return sorted(int(match[1]) for match in matches if match)

    def _frames(self, video, split, tasks):
        folder = self._folder(video)
        numbers = self._numbers(video)
        if not numbers:
            reason = "the video has labels, and no pictures at all"
            yield Reject(folder, reason, kind="missing")
            return
        pictures, lengths = set(numbers), dict.fromkeys(tasks, 0)
        readers = [
            affwild2_labels.read_labels(self.root, task, path)
            for task, path in tasks.items()
        ]
        for number, parts in enumerate(itertools.zip_longest(*readers), 1):
            path = f"{folder}/{number:05d}.jpg"
            lengths |= {t: number for t, part in zip(tasks, parts) if part is not None}
            broken = [part for part in parts if isinstance(part, Reject)]
            labelled = {}
            for part in parts:
                labelled |= part if isinstance(part, dict) else {}
            if labelled.get("expression") not in (None, *self.expressions):
                del labelled["expression"]  # "Other", where seven classes are wanted.
            # A bad label costs the frame its own task only.
            yield from broken
            if number not in pictures:
                yield Reject(path, "no picture: the owner found no face", True)
            elif labelled:
                sample_id = f"{video}/{number:05d}"
                yield Sample(
                    sample_id, split, path, video=video, frame=number, **labelled
                )
            elif not broken:
                yield Reject(path, "no valid label", True)
        yield from _out_of_step(tasks, lengths, folder, numbers)


def _out_of_step(tasks, lengths, folder, numbers):
    """Rejects where the labels and the frames of a video do not end together."""
    last = max(lengths.values())
    for task, length in lengths.items():
        if length < last:
            reason = f"ends after {length:,} frames, where another task has {last:,}"
            yield Reject(tasks[task], reason, True, kind="frames")
    beyond = sum(number > last for number in numbers)
    if beyond:
        reason = f"{beyond} pictures beyond the last label"
        yield Reject(folder, reason, True, kind="frames")


def _clip(video):
    """The recording of a video: two videos may show two people of one recording."""
    return re.sub(r"_(left|right)$", "", video)


def _held_out(videos) -> set[str]:
    """A tenth of the recordings, drawn with seed 0; at least one of two or more."""
    clips = sorted({_clip(video) for video in videos})
    count = max(1, round(len(clips) / 10)) if len(clips) > 1 else 0
    order = np.random.default_rng(0).permutation(len(clips))
    return {clips[index] for index in order[:count]}
