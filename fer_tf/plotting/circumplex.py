"""The circumplex of affect (Russell, 1980), with the faces of a picture on it."""

from matplotlib.figure import Figure

from fer_tf.face_types import Face
from fer_tf.plotting.colors import COLORS, INK, ink_on
from fer_tf.plotting.score_figures import draw_circle


def circumplex(faces: list[Face]) -> Figure:
    """A numbered point for each face at its valence and arousal.

    Args:
        faces: From `fer_tf.Predictor`. Faces without both values are left out. The
            number is the `track`, or else the place in the list, from 1.
    """
    figure = Figure(figsize=(4.0, 3.8), layout="constrained")
    axes = figure.add_subplot()
    draw_circle(axes)
    for number, face in enumerate(faces, 1):
        if "valence" in face and "arousal" in face:
            color = COLORS.get(face.get("expression"), INK)
            point = face["valence"], face["arousal"]
            axes.plot(*point, "o", ms=15, color=color, mec="white")
            axes.text(
                *point, face.get("track", number), ha="center", va="center",
                fontsize=8, color=ink_on(color), weight="bold",
            )  # fmt: skip
    return figure
