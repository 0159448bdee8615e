"""Which tracks of a video show the same person, before and after cuts and absences.

A track is a face followed from frame to frame (`fer_tf.video.tracking`). Twice a second
each track's face is described by numbers: by a face embedding where there is one, else
by its looks within the clip. When the video ends, tracks whose mean numbers lie near
each other become one person. Two tracks that overlap in time never do. A track that is
short and of low score, as a false face of a few frames is, makes no person of its own.

Per track, its span, two sums and a small portrait are held; nothing per frame.
"""

import dataclasses

import cv2
import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial import distance

from fer_tf.arguments import require
from fer_tf.face_types import Face
from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CROP_SPECS

SAME_EMBEDDING, SAME_LOOKS = 0.5, 0.85
"""Largest mean distance between tracks of one person, of embeddings and of looks."""
SHORT, LOW_SCORE = 0.5, 0.98
"""A track that lasts fewer seconds, of faces that all score lower, makes no person.

Of 6,000 patches of everyday photographs none without a face scored 0.98, and of 408
London portraits 401 did: see the table in `fer_tf/predictor.py`.
"""
PORTRAIT = 64
"""Sides of a portrait in pixels."""

_SPEC = CROP_SPECS["dlib_face"]
# Seconds between two descriptions of a track.
_PAUSE = 0.5
# Distance of two tracks that overlap in time. A mean over up to ten thousand pairs
# that holds one of these is still above any distance of looks.
_NEVER, _FAR = 1e9, 1e4


@dataclasses.dataclass
class _Track:
    """When a track was seen, how surely, and what its face looks like.

    `total` is the sum of its descriptions; `portrait` is the largest.
    """

    first: float
    last: float
    score: float = 0.0
    frames: int = 0
    described: float = -np.inf
    total: np.ndarray | float = 0.0
    count: int = 0
    size: float = 0.0
    portrait: np.ndarray | None = None

    @property
    def mean(self) -> np.ndarray:
        return self.total / self.count

    @property
    def faint(self) -> bool:
        return self.last - self.first < SHORT and self.score < LOW_SCORE


class People:
    """Gathers the tracks of a video; `persons` then says which show the same person.

    Args:
        embedder: A `fer_tf.faces.FaceEmbedder`; without one, people are told apart by
            their looks: colours of face, hair and clothes. That holds within a clip
            where nobody changes clothes and the light stays.

    Example:
        >>> import numpy as np
        >>> from fer_tf.video.people import People
        >>> people, image = People(), np.full((90, 90, 3), 99, np.uint8)
        >>> points = [[20, 20], [40, 20], [30, 30], [23, 40], [37, 40]]
        >>> for track in (1, 2):  # One after the other, and they look alike.
        ...     face = {"track": track, "box": [9, 9, 42, 42], "landmarks": points}
        ...     face["confidence"] = 0.99
        ...     people.add(image, track / 10, [face])
        >>> people.persons()
        {1: 1, 2: 1}
    """

    def __init__(self, embedder=None):
        self._embedder = embedder
        self._tracks: dict[int, _Track] = {}

    def add(self, image: np.ndarray, time: float, faces: list[Face]) -> None:
        """Adds a frame.

        Args:
            image: uint8 RGB `(height, width, 3)`.
            time: Seconds; never less than that of the frame before.
            faces: From `Predictor.predict_video`, with their `track`.
        """
        new = []
        for face in faces:
            track = self._tracks.setdefault(face["track"], _Track(time, time))
            track.last, track.frames = time, track.frames + 1
            track.score = max(track.score, face["confidence"])
            if time - track.described >= _PAUSE:
                track.described = time
                new.append((track, face))
        if not new:
            return
        crops = [alignment.align(image, face["landmarks"], _SPEC) for _, face in new]
        if self._embedder:
            described = self._embedder.embed(np.array(crops))
        else:
            pairs = zip(crops, new)
            described = [looks(image, crop, face["box"]) for crop, (_, face) in pairs]
        for (track, face), numbers in zip(new, described):
            track.total, track.count = track.total + numbers, track.count + 1
            if face["box"][3] > track.size:
                track.size = face["box"][3]
                track.portrait = _portrait(image, face["box"])

    def persons(self, count: int | None = None) -> dict[int, int | None]:
        """Number of each track's person, from 1, in the order of their appearance.

        A track of less than `SHORT` seconds whose faces all score below `LOW_SCORE` is
        the person whom it looks like. If it looks like nobody, it gets None.

        Args:
            count: How many people there are, if that is known. If more were seen at
                once, or tracks cannot be shared out so, the people seen longest are
                kept, and a track that is none of theirs gets None.

        Raises:
            ValueError: If `count` is less than 1.
        """
        require(count is None or count >= 1, "be at least 1", count=count)
        same = SAME_EMBEDDING if self._embedder else SAME_LOOKS
        groups = _groups(list(self._tracks.values()), same, count)
        first = {}
        for group in groups:
            if group >= 0:
                first.setdefault(group, len(first) + 1)
        return {number: first.get(g) for number, g in zip(self._tracks, groups)}

    def portraits(self, persons: dict[int, int | None]) -> dict[int, np.ndarray]:
        """The largest face of each person: uint8 RGB `(64, 64, 3)`.

        Args:
            persons: From `persons`.
        """
        best = {}
        for number, track in self._tracks.items():
            person = persons[number]
            if person and (person not in best or track.size > best[person].size):
                best[person] = track
        return {person: best[person].portrait for person in sorted(best)}


def looks(image: np.ndarray, crop: np.ndarray, box: list[float]) -> np.ndarray:
    """Numbers of what a person looks like; small pictures of one person lie near.

    They are the face as 8 x 8 colours without brightness and contrast, and the roots
    of histograms (Hellinger distance) of the head's and the clothes' colours. The
    weights are those that told 102 people apart best, of nine that were tried.

    Args:
        image: uint8 RGB `(height, width, 3)`.
        crop: uint8 RGB `(150, 150, 3)`, the face by the crop spec `dlib_face`.
        box: `[x, y, width, height]` of the face.

    Returns:
        float64 `(704,)`.
    """
    small = cv2.resize(crop, (8, 8), interpolation=cv2.INTER_AREA)
    face = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(float)
    face = (face - face.mean((0, 1))).ravel()
    face /= max(np.linalg.norm(face), 1e-9)
    x, y, w, h = box
    head = _colours(image, x - 0.25 * w, y - 0.25 * h, 1.5 * w, 1.25 * h)
    clothes = _colours(image, x - 0.4 * w, y + 1.25 * h, 1.8 * w, 0.7 * h)
    return np.concatenate([face, np.sqrt(2) * head, np.sqrt(0.125) * clothes])


def _colours(image, x, y, w, h):
    """Roots of the shares of 4 x 8 x 8 colours, L*a*b*; zeros outside the image."""
    x0, y0, x1, y1 = (max(0, round(v)) for v in (x, y, x + w, y + h))
    part = image[y0:y1, x0:x1]
    if not part.size:
        return np.zeros(256)
    lab = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2LAB)
    # Few colours are more vivid; they count as the most vivid of their kind.
    lab[..., 1:] = np.clip(lab[..., 1:], 96, 175)
    ranges = [0, 256, 96, 176, 96, 176]
    counts = cv2.calcHist([lab], [0, 1, 2], None, [4, 8, 8], ranges).ravel()
    return np.sqrt(counts / max(counts.sum(), 1))


def _portrait(image, box):
    """The square about a box, as far as it is in the image."""
    x, y, w, h = box
    side = 1.3 * max(w, h)
    left, top = x + w / 2 - side / 2, y + h / 2 - side / 2
    scale = PORTRAIT / side
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    return cv2.warpAffine(
        image, matrix, (PORTRAIT, PORTRAIT), borderMode=cv2.BORDER_REPLICATE
    )


def _groups(tracks, same, count):
    """Group of each track, or -1: faint tracks join a group but make none."""
    groups = np.full(len(tracks), -1)
    sure = np.array([t for t, track in enumerate(tracks) if not track.faint], int)
    if not len(sure):
        return groups
    apart = _distances(tracks)
    frames = np.array([track.frames for track in tracks])
    groups[sure] = _grouped(apart[np.ix_(sure, sure)], same, count)
    if count is not None:
        seen = np.bincount(groups[sure], frames[sure])
        kept = np.argsort(-seen, kind="stable")[:count]
        groups[~np.isin(groups, kept)] = -1
        _share_out(sure, groups, apart, frames, _FAR)
    _share_out(np.arange(len(tracks)), groups, apart, frames, same)
    return groups


def _distances(tracks):
    """Distance of each two tracks; `_NEVER` if they overlap in time."""
    apart = distance.cdist(*[np.array([track.mean for track in tracks])] * 2)
    first, last = (np.array([getattr(t, n) for t in tracks]) for n in ("first", "last"))
    together = (first[:, None] <= last[None]) & (first[None] <= last[:, None])
    apart[together] = _NEVER
    np.fill_diagonal(apart, 0)
    return apart


def _grouped(apart, same, count):
    """Group of each track, by mean distance: `count` groups, or those apart."""
    if len(apart) == 1:
        return np.zeros(1, int)
    tree = hierarchy.linkage(distance.squareform(apart, checks=False), "average")
    limit = same
    if count is not None:
        # The merges before the last `count - 1`, but none of people seen together.
        heights = tree[: max(0, len(apart) - count), 2]
        limit = max(heights[heights < _FAR], default=-1.0)
    return hierarchy.fcluster(tree, limit, "distance") - 1


def _share_out(tracks, groups, apart, frames, limit):
    """Gives those of `tracks` that are in no group the nearest one within a limit.

    The longest come first. The groups are changed in place; no new one is made.
    """
    known = np.unique(groups[groups >= 0])
    for track in tracks[np.argsort(-frames[tracks], kind="stable")]:
        if groups[track] < 0:
            means = [apart[track, groups == group].mean() for group in known]
            if min(means) < limit:
                groups[track] = known[int(np.argmin(means))]
