"""Faces followed from frame to frame: a number for each track, and smoothed readings.

Faces of neighbouring frames are paired by their places: each track is expected to
move on at its last speed. What people look like is not compared. Somebody who was away
for longer than `max_gap`, or in another shot, begins a new track; `fer_tf.video.people`
then says which tracks show the same person.
"""

import collections
import dataclasses
import itertools
import math

import cv2
import numpy as np

from fer_tf.arguments import require
from fer_tf.face_types import Face

MAX_GAP = 1.0
"""Default of the seconds that a face may be unseen and keep its track."""
SMOOTHING = 0.3
"""Default time constant, in seconds, of the mean of a track's readings."""

# The readings that are averaged over time; boxes and landmarks are not.
_DIMENSIONS = ("valence", "arousal")
_NAMED = ("probabilities", "action_units")


@dataclasses.dataclass
class _Track:
    """Where a face was last, how fast it moved, and its mean readings."""

    number: int
    time: float
    box: np.ndarray
    speed: np.ndarray
    means: dict

    def expected(self, time: float) -> np.ndarray:
        """The box at a later time, if the speed stays the same."""
        moved = self.box.copy()
        moved[:2] += self.speed * (time - self.time)
        return moved


class Cuts:
    """Finds where in a video another shot begins.

    Frames are compared as 32 x 18 colours without their mean brightness, so that a
    lamp that is switched on is no cut. A frame begins a shot if it differs from the
    one before by at least `_STEP`, and also

    - correlates with it below `_ALIKE`: no two of eleven different photographs
      correlate above 0.53, and a face that moves by its width and is blurred does so
      above 0.62; or
    - differs by `_TIMES` more than the frames before it did, as shots of one place do.

    Half that step is enough if it is `_QUIET` times larger than those before, and the
    frames correlate below `_ALMOST`: another head at the same place before the same
    wall differs by 5.6 or more and correlates below 0.95; a lamp, above 0.99.

    Example:
        >>> import numpy as np
        >>> from fer_tf.video.tracking import Cuts
        >>> cuts, left = Cuts(), np.zeros((90, 160, 3), np.uint8)
        >>> left[:, :80] = 255
        >>> [cuts.at(frame) for frame in (left, left, left[:, ::-1])]
        [False, False, True]
    """

    _SIZE, _ALIKE, _ALMOST = (32, 18), 0.55, 0.97
    # Of 255: two portraits before the same wall differ by 8 or more.
    _STEP, _TIMES, _QUIET = 8.0, 4.0, 10.0

    def __init__(self):
        self._before, self._steps = None, collections.deque(maxlen=8)

    def at(self, image: np.ndarray) -> bool:
        """Whether the next frame begins another shot.

        Args:
            image: uint8 RGB `(height, width, 3)`.
        """
        small = cv2.resize(image, self._SIZE, interpolation=cv2.INTER_AREA)
        small = small.astype(np.float64) - small.mean()
        before, self._before = self._before, small
        if before is None:
            return False
        step = np.abs(small - before).mean()
        alike = (small * before).mean() / max(small.std() * before.std(), 1e-9)
        times = step / max(np.mean(self._steps), 1e-9) if self._steps else 0.0
        large = step > self._STEP and (alike < self._ALIKE or times > self._TIMES)
        other = alike < self._ALMOST and times > self._QUIET
        cut = bool(large or (2 * step > self._STEP and other))
        if cut:
            self._steps.clear()
        else:
            self._steps.append(step)
        return cut


class Tracker:
    """Follows the faces of a video, whose frames come in order.

    Args:
        max_gap: Seconds that a face may be unseen and keep its track. A face in the
            frame before keeps it, however much time lies between two frames.
        smoothing: Time constant in seconds of the exponential mean of each track's
            readings; 0 leaves them as they are.

    Raises:
        ValueError: If either is negative.

    Example:
        >>> from fer_tf.video.tracking import Tracker
        >>> tracker = Tracker()
        >>> one, other = {"box": [0, 0, 50, 50]}, {"box": [300, 0, 50, 50]}
        >>> [face["track"] for face in tracker.update([one, other], time=0.0)]
        [1, 2]
        >>> [face["track"] for face in tracker.update([other, one], time=0.04)]
        [2, 1]
    """

    def __init__(self, *, max_gap: float = MAX_GAP, smoothing: float = SMOOTHING):
        require(
            max_gap >= 0 and smoothing >= 0,
            "not be negative",
            max_gap=max_gap,
            smoothing=smoothing,
        )
        self._max_gap, self._smoothing = max_gap, smoothing
        self._tracks: list[_Track] = []
        self._before = -math.inf
        self._numbers = itertools.count(1)

    def update(
        self, faces: list[Face], time: float, *, cut: bool = False
    ) -> list[Face]:
        """Numbers the faces of the next frame.

        Args:
            faces: From `fer_tf.Predictor.predict`.
            time: Seconds; never less than that of the frame before.
            cut: Whether another shot begins here: all tracks end.

        Returns:
            New dicts of the faces in their order, with `track`, from 1. With
            smoothing, their readings are means over time, and `unsmoothed` holds
            those of this frame alone.
        """
        if cut:
            self._tracks = []
        oldest = min(time - self._max_gap, self._before)
        self._tracks = [track for track in self._tracks if track.time >= oldest]
        self._before = time
        boxes = np.array([face["box"] for face in faces], float).reshape(-1, 4)
        pairs = _pairs(boxes, [track.expected(time) for track in self._tracks])
        known = {face: self._tracks[track] for face, track in pairs}
        numbered = []
        for place, (face, box) in enumerate(zip(faces, boxes)):
            track = known.get(place)
            if track is None:
                track = _Track(next(self._numbers), time, box, np.zeros(2), {})
                self._tracks.append(track)
            numbered.append(self._continued(track, face, box, time))
        return numbered

    def _continued(self, track: _Track, face: Face, box, time) -> Face:
        """Continues a track with a face; returns the face with the track's number."""
        gap = time - track.time
        if gap > 0:
            middle = lambda b: b[:2] + b[2:] / 2
            # Detections tremble: the speed changes by half only.
            speed = (middle(box) - middle(track.box)) / gap
            track.speed = (track.speed + speed) / 2
        share = 1.0
        if track.means and self._smoothing:
            share = -math.expm1(-gap / self._smoothing)
        track.time, track.box = time, box
        numbered = {**face, "track": track.number}
        if not self._smoothing:
            return numbered
        readings = {n: face[n] for n in (*_NAMED, *_DIMENSIONS) if n in face}
        track.means = _moved(track.means or readings, readings, share)
        numbered |= track.means
        if "probabilities" in numbered:
            probabilities = numbered["probabilities"]
            numbered["expression"] = max(probabilities, key=probabilities.get)
        return {**numbered, "unsmoothed": readings}


def _moved(old, new, share):
    """Moves `old` towards `new` by a share, value by value."""
    if isinstance(new, dict):
        return {name: _moved(old[name], value, share) for name, value in new.items()}
    return old + share * (new - old)


def _pairs(boxes, expected):
    """Pairs `(face, track)`, the most certain first, with each used once.

    A box can be a track's if their middles are nearer than their mean side, and
    neither's side is twice the other's. Boxes need not overlap: those of a fast head
    do not when only every n-th frame is read.
    """
    if not len(boxes) or not len(expected):
        return []
    tracks = np.stack(expected)
    middle = lambda b: b[:, :2] + b[:, 2:] / 2
    side = lambda b: np.sqrt(np.maximum(b[:, 2] * b[:, 3], 1e-9))
    mean = np.sqrt(side(boxes)[:, None] * side(tracks)[None])
    away = np.linalg.norm(middle(boxes)[:, None] - middle(tracks)[None], axis=-1)
    ratio = np.abs(np.log(side(boxes)[:, None] / side(tracks)[None]))
    cost = np.where((away < mean) & (ratio < math.log(2)), away / mean + ratio, np.inf)
    pairs = []
    while np.isfinite(cost).any():
        face, track = np.unravel_index(np.argmin(cost), cost.shape)
        pairs.append((int(face), int(track)))
        cost[face], cost[:, track] = np.inf, np.inf
    return pairs
