"""Which face in a video is whose: stable numbers, and readings made steady.

Faces of neighbouring frames are paired by where they are, each track moving on
at its last speed. Nothing is known of what people look like: somebody who was
away for longer than `max_gap`, or in another shot, comes back under a new number.
"""

import collections
import dataclasses
import itertools
import math

import cv2
import numpy as np

# What of a face is averaged over time; boxes and landmarks stay as they are.
_DIMENSIONS = ("valence", "arousal")
_NAMED = ("probabilities", "action_units")


@dataclasses.dataclass
class _Track:
    """One person: where they were last, how fast they moved, what was read."""

    number: int
    time: float
    box: np.ndarray
    speed: np.ndarray
    steady: dict

    def expected(self, time: float) -> np.ndarray:
        """The box where it would be if it went on as it did."""
        moved = self.box.copy()
        moved[:2] += self.speed * (time - self.time)
        return moved


class Cuts:
    """Says where in a video another shot begins.

    Frames are compared as 32 x 18 colours, their mean brightness apart: a lamp that
    is switched on is no cut. Of eleven photographs of the project's no two correlate
    above 0.53, and a face that is moved by its width and blurred does above 0.62.
    Shots of one place look more alike; they differ from one frame to the next by far
    more than a shot did before.
    """

    _SIZE, _ALIKE = (32, 18), 0.55
    # Of 255: two portraits before one wall differ by 8 or more.
    _STEP, _TIMES = 8.0, 4.0

    def __init__(self):
        self._before, self._usual = None, collections.deque(maxlen=8)

    def at(self, image: np.ndarray) -> bool:
        """Whether the next frame, uint8 RGB, belongs to another shot."""
        small = cv2.resize(image, self._SIZE, interpolation=cv2.INTER_AREA)
        small = small.astype(np.float64) - small.mean()
        before, self._before = self._before, small
        if before is None:
            return False
        step = np.abs(small - before).mean()
        alike = (small * before).mean() / max(small.std() * before.std(), 1e-9)
        sudden = self._usual and step > self._TIMES * np.mean(self._usual)
        cut = bool(step > self._STEP and (alike < self._ALIKE or sudden))
        if cut:
            self._usual.clear()
        else:
            self._usual.append(step)
        return cut


class Tracker:
    """Gives the faces of a video's frames, shown in order, stable numbers.

    Args:
        max_gap: Seconds that somebody may be unseen and keep the number. Who was in
            the frame before is not unseen, however long ago that was.
        smoothing: Time constant in seconds of the exponential mean that is
            taken of each person's readings; 0 leaves them as they are.

    Raises:
        ValueError: If either is negative.
    """

    def __init__(self, *, max_gap: float = 1.0, smoothing: float = 0.3):
        if max_gap < 0 or smoothing < 0:
            raise ValueError(
                "`max_gap` and `smoothing` must not be negative. "
                f"Received: max_gap={max_gap}, smoothing={smoothing}."
            )
        self._max_gap, self._smoothing = max_gap, smoothing
        self._tracks: list[_Track] = []
        self._before = -math.inf
        self._numbers = itertools.count(1)

    def update(
        self, faces: list[dict], time: float, *, cut: bool = False
    ) -> list[dict]:
        """Numbers the faces of the next frame.

        Args:
            faces: As `fer_tf.Predictor.predict` returns them.
            time: Seconds; must not go back.
            cut: Whether another shot begins here: nobody of the one before goes on.

        Returns:
            The faces in their order, each a new dict with `track_id`, from 1.
            With smoothing their readings are means over the track, and
            `unsmoothed` holds those of this frame alone.
        """
        if cut:
            self._tracks = []
        since = min(time - self._max_gap, self._before)
        self._tracks = [track for track in self._tracks if track.time >= since]
        self._before = time
        boxes = np.array([face["box"] for face in faces], float).reshape(-1, 4)
        pairs = _pairs(boxes, [track.expected(time) for track in self._tracks])
        known = {face: self._tracks[track] for face, track in pairs}
        found = []
        for number, face in enumerate(faces):
            track = known.get(number)
            if track is None:
                track = _Track(
                    next(self._numbers), time, boxes[number], np.zeros(2), {}
                )
                self._tracks.append(track)
            found.append(self._seen(track, face, boxes[number], time))
        return found

    def _seen(self, track, face, box, time):
        """Moves a track on to a face, and returns the face with its number."""
        gap = time - track.time
        if gap > 0:
            middle = lambda b: b[:2] + b[2:] / 2
            # Half of the old speed stays: detections tremble.
            speed = (middle(box) - middle(track.box)) / gap
            track.speed = (track.speed + speed) / 2
        share = 1.0
        if track.steady and self._smoothing:
            share = -math.expm1(-gap / self._smoothing)
        track.time, track.box = time, box
        numbered = {**face, "track_id": track.number}
        if not self._smoothing:
            return numbered
        readings = {n: face[n] for n in (*_NAMED, *_DIMENSIONS) if n in face}
        track.steady = _mean(track.steady or readings, readings, share)
        numbered |= track.steady
        if "probabilities" in numbered:
            probabilities = numbered["probabilities"]
            numbered["expression"] = max(probabilities, key=probabilities.get)
        return {**numbered, "unsmoothed": readings}


def _mean(old, new, share):
    """`old` moved towards `new` by a share, value by value."""
    if isinstance(new, dict):
        return {name: _mean(old[name], value, share) for name, value in new.items()}
    return old + share * (new - old)


def _pairs(boxes, tracks):
    """Pairs `(face, track)`, the most certain first, each used once.

    Two boxes can be one face if their middles are nearer than one mean side and
    neither is twice the other's size: at every n-th frame of a fast head the
    boxes need not overlap, so their intersection alone would lose it.
    """
    if not len(boxes) or not len(tracks):
        return []
    tracks = np.stack(tracks)
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
