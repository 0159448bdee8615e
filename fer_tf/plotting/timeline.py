"""What each person of a video showed, over time, in one picture.

Readings are gathered into at most `_BINS` spans of time a person, so that an
hour takes no more memory than a minute.
"""

import numpy as np
from matplotlib.figure import Figure

from fer_tf.plotting.figures import COLORS

_BINS = 1024
_SHOWN = 6


class Timeline:
    """Gathers the faces of a video's frames; `figure` draws them."""

    def __init__(self):
        # Seconds a bin; doubled whenever the video outgrows the bins.
        self._width = 0.05
        self._people = {}
        # Bins with a frame in them: others are between two frames, no absence.
        self._seen = set()

    def add(self, time: float, faces: list[dict]) -> None:
        """Takes up a frame's faces, as `Predictor.predict_video` gives them."""
        while time >= self._width * _BINS:
            self._width *= 2
            self._people = {k: _halved(v) for k, v in self._people.items()}
            self._seen = {index // 2 for index in self._seen}
        self._seen.add(int(time / self._width))
        for face in faces:
            reading = {**face.get("probabilities", {})}
            reading |= {n: face[n] for n in ("valence", "arousal") if n in face}
            bins = self._people.setdefault(face["track_id"], {})
            count, sums = bins.get(int(time / self._width), (0, {}))
            sums = {name: sums.get(name, 0.0) + v for name, v in reading.items()}
            bins[int(time / self._width)] = (count + 1, sums)

    def figure(self) -> Figure:
        """The people seen longest, a row each: expressions, valence, arousal."""
        people = sorted(self._people.items(), key=lambda item: -_frames(item[1]))
        people = sorted(people[:_SHOWN])
        figure = Figure(figsize=(9, 1.0 + 2.1 * max(1, len(people))))
        figure.set_layout_engine("constrained")
        if not people:
            figure.suptitle("no face in this video", fontsize=10)
            return figure
        last = max(self._seen) + 1
        grid = figure.subplots(len(people), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (number, bins) in zip(grid, people):
            self._draw(axes, number, bins, last)
        grid[-1].set_xlabel("seconds", fontsize=8)
        handles, names = _legend(grid)
        figure.legend(
            handles,
            names,
            loc="outside upper center",
            ncols=5,
            fontsize=8,
            frameon=False,
        )
        return figure

    def _draw(self, axes, number, bins, last):
        times = np.arange(last) * self._width
        names = list(dict.fromkeys(n for _, sums in bins.values() for n in sums))
        column = lambda name: self._column(bins, name, last)
        expressions = [name for name in names if name not in ("valence", "arousal")]
        axes.set_ylabel(f"person {number}", fontsize=8)
        axes.set_yticks([])
        if expressions:
            bands = np.nan_to_num([column(name) for name in expressions])
            colors = [COLORS.get(name, "#bbbbbb") for name in expressions]
            axes.stackplot(
                times, bands, colors=colors, labels=expressions, alpha=0.75, lw=0,
                step="post",
            )  # fmt: skip
            axes.set_ylim(0, 1)
        lines = [name for name in ("valence", "arousal") if name in names]
        if lines:
            right = axes.twinx()
            for name, style in zip(("valence", "arousal"), ("-", ":")):
                if name in lines:
                    right.plot(times, column(name), style, color="black", lw=1.3,
                               label=name)  # fmt: skip
            right.set_ylim(-1, 1)
            right.set_yticks([-1, 0, 1])
            right.tick_params(labelsize=7)
        axes.set_xlim(0, max(last * self._width, self._width))
        axes.tick_params(labelsize=7)

    def _column(self, bins, name, last):
        """Means a bin; NaN where there were frames and the person in none."""
        values = np.full(last, np.nan)
        for index in range(last):
            if index in self._seen:
                values[index] = _mean(bins.get(index), name)
            elif index:
                values[index] = values[index - 1]
        return values


def _halved(bins):
    """Two neighbouring spans made one."""
    found = {}
    for index, (count, sums) in bins.items():
        old_count, old = found.get(index // 2, (0, {}))
        merged = {name: old.get(name, 0.0) + value for name, value in sums.items()}
        found[index // 2] = (old_count + count, {**old, **merged})
    return found


def _frames(bins):
    return sum(count for count, _ in bins.values())


def _mean(found, name):
    if found is None or name not in found[1]:
        return np.nan
    return found[1][name] / found[0]


def _legend(grid):
    """Each name once, whichever of the axes have it."""
    found = {}
    for axes in grid[0].figure.axes:
        for handle, name in zip(*axes.get_legend_handles_labels()):
            found.setdefault(name, handle)
    return list(found.values()), list(found)
