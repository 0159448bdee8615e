"""What each person of a video showed over time, in one figure.

Readings are summed over at most 1,024 spans of time for each person, so that an
hour takes no more memory than a minute.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_tf.face_types import Face
from fer_tf.plotting.style import COLORS

_MOST_SPANS = 1024
_MOST_PEOPLE = 6
_DIMENSIONS = ("valence", "arousal")


class Timeline:
    """Gathers the faces of a video's frames; `figure` draws them.

    Example:
        >>> from fer_tf.plotting.timeline import Timeline
        >>> timeline = Timeline()
        >>> for frame in range(50):
        ...     timeline.add(frame / 25, [{"track_id": 1, "valence": 0.5}])
        >>> timeline.figure().axes[0].get_ylabel()
        'person 1'
    """

    def __init__(self):
        # Seconds of a span; doubled whenever the video needs more spans.
        self._seconds = 0.05
        # Number of a person -> index of a span -> (frames, sum of each reading).
        self._people = {}
        # Spans that hold a frame. In any other nobody was absent.
        self._with_frames = set()

    def add(self, time: float, faces: list[Face]) -> None:
        """Adds a frame.

        Args:
            time: Seconds since the first frame.
            faces: From `Predictor.predict_video`, with their `track_id`.
        """
        while time >= self._seconds * _MOST_SPANS:
            self._seconds *= 2
            self._people = {n: _halved(spans) for n, spans in self._people.items()}
            self._with_frames = {span // 2 for span in self._with_frames}
        span = int(time / self._seconds)
        self._with_frames.add(span)
        for face in faces:
            reading = dict(face.get("probabilities", {}))
            reading |= {name: face[name] for name in _DIMENSIONS if name in face}
            spans = self._people.setdefault(face["track_id"], {})
            spans[span] = _added(spans.get(span, (0, {})), (1, reading))

    def figure(self) -> Figure:
        """Draws the six people seen longest: expressions, valence and arousal."""
        frames = lambda person: sum(count for count, _ in person[1].values())
        people = sorted(self._people.items(), key=frames, reverse=True)
        people = sorted(people[:_MOST_PEOPLE])
        figure = Figure(figsize=(9, 1.0 + 2.1 * max(1, len(people))))
        figure.set_layout_engine("constrained")
        if not people:
            figure.suptitle("no face in this video", fontsize=10)
            return figure
        rows = figure.subplots(len(people), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (number, spans) in zip(rows, people):
            axes.set_ylabel(f"person {number}", fontsize=8)
            self._draw(axes, spans)
        rows[-1].set_xlabel("seconds", fontsize=8)
        handles = _legend(figure)
        figure.legend(
            handles.values(), handles, loc="outside upper center", ncols=5, fontsize=8,
            frameon=False,
        )  # fmt: skip
        return figure

    def _draw(self, axes: Axes, spans):
        """Expressions as bands, and the dimensions as lines over them."""
        count = max(self._with_frames) + 1
        times = np.arange(count) * self._seconds
        names = dict.fromkeys(name for _, sums in spans.values() for name in sums)
        expressions = [name for name in names if name not in _DIMENSIONS]
        axes.set_yticks([])
        if expressions:
            bands = [self._means(spans, name, count) for name in expressions]
            colors = [COLORS.get(name, "#bbbbbb") for name in expressions]
            axes.stackplot(
                times, np.nan_to_num(bands), colors=colors, labels=expressions,
                alpha=0.75, lw=0, step="post",
            )  # fmt: skip
            axes.set_ylim(0, 1)
        if any(name in names for name in _DIMENSIONS):
            right = axes.twinx()
            for name, style in zip(_DIMENSIONS, ("-", ":")):
                if name in names:
                    values = self._means(spans, name, count)
                    right.plot(times, values, style, color="black", lw=1.3, label=name)
            right.set_ylim(-1, 1)
            right.set_yticks([-1, 0, 1])
            right.tick_params(labelsize=7)
        axes.set_xlim(0, count * self._seconds)
        axes.tick_params(labelsize=7)

    def _means(self, spans, name, count):
        """Mean of a reading in each span; NaN where only other people were seen."""
        values = np.full(count, np.nan)
        for span in range(count):
            if span in self._with_frames:
                frames, sums = spans.get(span, (0, {}))
                values[span] = sums[name] / frames if name in sums else np.nan
            elif span:
                values[span] = values[span - 1]
        return values


def _halved(spans):
    """The same sums in half as many spans, each twice as long."""
    halved = {}
    for span, sums in spans.items():
        halved[span // 2] = _added(halved.get(span // 2, (0, {})), sums)
    return halved


def _added(one, other):
    """The sum of two `(frames, sum of each reading)`."""
    sums = dict(one[1])
    for name, value in other[1].items():
        sums[name] = sums.get(name, 0.0) + value
    return one[0] + other[0], sums


def _legend(figure):
    """Handles of the legend by name, each name once."""
    handles = {}
    for axes in figure.axes:
        for handle, name in zip(*axes.get_legend_handles_labels()):
            handles.setdefault(name, handle)
    return handles
