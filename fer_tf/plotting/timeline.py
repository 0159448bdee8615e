"""What each person of a video showed over time, in one figure.

Readings are summed over at most 1,024 spans of time for each person, so that an
hour takes no more memory than a minute.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_tf.face_types import Face
from fer_tf.plotting.colors import INK, class_colors
from fer_tf.plotting.style import tidy

_MOST_SPANS = 1024
_MOST_PEOPLE = 6
# Where a model has no head for them, their place among the expressions is drawn.
_DIMENSIONS = ("valence", "arousal", "circumplex_valence", "circumplex_arousal")


class Timeline:
    """Gathers the faces of a video's frames; `figure` draws them.

    Example:
        >>> from fer_tf.plotting.timeline import Timeline
        >>> timeline = Timeline()
        >>> for frame in range(50):
        ...     timeline.add(frame / 25, [{"person": 1, "valence": 0.5}])
        >>> _, readings = timeline.figure().axes  # On the left, a place for the face.
        >>> readings.get_title(loc="left")
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
            faces: From `Predictor.predict_video`, with their `person`; one that has
                none is passed over.
        """
        while time >= self._seconds * _MOST_SPANS:
            self._seconds *= 2
            self._people = {n: _halved(spans) for n, spans in self._people.items()}
            self._with_frames = {span // 2 for span in self._with_frames}
        span = int(time / self._seconds)
        self._with_frames.add(span)
        for face in faces:
            if face["person"] is None:
                continue
            reading = dict(face.get("probabilities", {}))
            reading |= {name: face[name] for name in _DIMENSIONS if name in face}
            spans = self._people.setdefault(face["person"], {})
            spans[span] = _added(spans.get(span, (0, {})), (1, reading))

    def figure(self, portraits: dict[int, np.ndarray] | None = None) -> Figure:
        """Draws the six people seen longest: expressions, valence and arousal.

        Args:
            portraits: A face of each person, drawn beside their number.
        """
        frames = lambda person: sum(count for count, _ in person[1].values())
        people = sorted(self._people.items(), key=frames, reverse=True)
        people = sorted(people[:_MOST_PEOPLE])
        panels = [(n, spans, names) for n, spans in people for names in _panels(spans)]
        figure = Figure(figsize=(10, 1.0 + 1.55 * max(1, len(panels))))
        figure.set_layout_engine("constrained")
        if not people:
            figure.suptitle("no face in this video", fontsize=10)
            return figure
        rows = figure.subplots(
            len(panels), 2, squeeze=False, sharex="col",
            gridspec_kw={"width_ratios": [1, 11]},
        )  # fmt: skip
        before = None
        for (left, axes), (number, spans, names) in zip(rows, panels):
            left.set_axis_off()
            if number != before:
                axes.set_title(
                    f"person {number}", fontsize=10, loc="left", weight="bold"
                )
                if portraits and number in portraits:
                    left.imshow(portraits[number], extent=(0, 1, 0, 1))
            before = number
            self._draw(axes, spans, names)
        rows[-1, 1].set_xlabel("seconds", fontsize=9)
        handles = _legend(figure)
        figure.legend(
            handles.values(), handles, loc="outside upper center", ncols=5, fontsize=9,
            frameon=False,
        )  # fmt: skip
        return figure

    def _draw(self, axes: Axes, spans, names):
        """The expressions as bands that fill 0 to 1, or the dimensions as lines."""
        count = max(self._with_frames) + 1
        times = np.arange(count + 1) * self._seconds
        values = np.array([self._means(spans, name, count) for name in names])
        # The last span lasts as long as the others.
        values = np.concatenate([values, values[:, -1:]], axis=1)
        if names[0] in _DIMENSIONS:
            for name, row in zip(names, values):
                label = name.replace("circumplex_", "derived ")
                line = "-" if "valence" in name else ":"
                style = dict(where="post", color=INK, lw=1.6, label=label)
                axes.step(times, row, line, **style)
            axes.axhline(0, color="#bbbbbb", lw=0.8, zorder=0)
            axes.set_ylim(-1.05, 1.05)
            axes.set_yticks([-1, 0, 1])
            axes.set_ylabel("\n".join(names).replace("_", " "), fontsize=9)
        else:
            axes.stackplot(
                times, np.nan_to_num(values), step="post", lw=0, labels=names,
                colors=class_colors(names),
            )  # fmt: skip
            axes.set_ylim(0, 1)
            axes.set_yticks([0, 0.5, 1])
            axes.set_ylabel("probability", fontsize=9)
        axes.set_xlim(0, times[-1])
        tidy(axes)

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


def _panels(spans):
    """Names of the readings in each panel of a person: expressions, then dimensions."""
    names = dict.fromkeys(name for _, sums in spans.values() for name in sums)
    expressions = [name for name in names if name not in _DIMENSIONS]
    pairs = _DIMENSIONS[:2], _DIMENSIONS[2:]
    pairs = [[name for name in pair if name in names] for pair in pairs]
    dimensions = pairs[0] or pairs[1]
    return [panel for panel in (expressions, dimensions) if panel] or [[]]


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
