"""The circumplex of affect (Russell, 1980): valence to the right, arousal up."""

import numpy as np
from matplotlib.figure import Figure

from fer_tf.plotting import COLORS

_INK = "#222222"

# What the ends of the axes and the quadrants are commonly called.
_WORDS = (
    (1.0, 0.0, "pleasant"),
    (-1.0, 0.0, "unpleasant"),
    (0.0, 1.0, "excited"),
    (0.0, -1.0, "calm"),
)


def circumplex(faces: list[dict]) -> Figure:
    """Each face a numbered point at its valence and arousal.

    Args:
        faces: As `fer_tf.Predictor` returns them; those without both values are
            left out, and a `track_id` is the number.
    """
    figure = Figure(figsize=(3.6, 3.6), layout="constrained")
    axes = figure.add_subplot()
    turn = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(turn), np.sin(turn), color="#bbbbbb", lw=1)
    axes.axhline(0, color="#dddddd", lw=1, zorder=0)
    axes.axvline(0, color="#dddddd", lw=1, zorder=0)
    for x, y, word in _WORDS:
        axes.annotate(
            word, (x, y), xytext=(-14 * x, -10 * y), textcoords="offset points",
            ha={1.0: "right", -1.0: "left"}.get(x, "center"), va="center",
            fontsize=8, color="#777777",
        )  # fmt: skip
    for number, face in enumerate(faces, 1):
        if "valence" in face and "arousal" in face:
            color = COLORS.get(face.get("expression"), _INK)
            point = face["valence"], face["arousal"]
            axes.plot(*point, "o", ms=15, color=color, mec="white")
            axes.text(
                *point, face.get("track_id", number), ha="center", va="center",
                fontsize=8, color="white", weight="bold",
            )  # fmt: skip
    axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal")
    axes.set_xlabel("valence", fontsize=8)
    axes.set_ylabel("arousal", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
