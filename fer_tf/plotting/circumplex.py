"""The circumplex of affect (Russell, 1980), with the faces of a picture on it."""

from matplotlib.figure import Figure

from fer_tf.plotting.figures import COLORS, INK
from fer_tf.plotting.score_figures import draw_circle


def circumplex(faces: list[dict]) -> Figure:
    """Each face a numbered point at its valence and arousal.

    Args:
        faces: As `fer_tf.Predictor` returns them; those without both values are
            left out, and a `track_id` is the number.
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
                *point, face.get("track_id", number), ha="center", va="center",
                fontsize=8, color="white", weight="bold",
            )  # fmt: skip
    return figure
