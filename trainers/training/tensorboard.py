"""Images for TensorBoard: augmented training faces and confusion matrices."""

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from fer_tf import labels
from fer_tf.plotting import attention_maps
from fer_tf.plotting.confusion import confusion_matrix

_COLUMNS, _ROWS = 8, 3


def pixels(figure) -> np.ndarray:
    """A figure as uint8 RGB `(height, width, 3)`."""
    figure.set_dpi(90)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def crops(
    batch: dict,
    expressions: Sequence[str],
    *,
    action_units: Sequence[str] = labels.ACTION_UNITS,
    title: str,
) -> np.ndarray:
    """The first faces of a training batch, as augmented, with their labels.

    Args:
        batch: A training batch; `image` in 0..255.
        expressions: Names of the expressions.
        action_units: Names of the action units.
        title: Printed above.

    Returns:
        uint8 RGB `(height, width, 3)`.
    """
    columns = {name: np.asarray(value) for name, value in batch.items()}
    count = min(_COLUMNS * _ROWS, len(columns["image"]))
    cells = [
        (
            caption(columns, row, expressions, action_units),
            attention_maps.face(columns["image"][row]),
        )
        for row in range(count)
    ]
    rows = [cells[i : i + _COLUMNS] for i in range(0, count, _COLUMNS)]
    return pixels(attention_maps.captioned(rows, title=title))


def caption(
    columns: dict,
    row: int,
    expressions: Sequence[str],
    action_units: Sequence[str] = labels.ACTION_UNITS,
) -> str:
    """The labels of one face, one per line; "no label" if it has none."""

    def labelled(task):
        name = f"{task}_weight"
        return name in columns and columns[name][row]

    lines = []
    if np.any(labelled("expression")):
        lines.append(expressions[int(columns["expression"][row])])
    if np.any(labelled("valence_arousal")):
        valence, arousal = columns["valence_arousal"][row]
        lines.append(f"v {valence:+.2f}  a {arousal:+.2f}")
    units = columns.get("action_units", np.zeros((row + 1, 0)))[row]
    if np.any(labelled("action_units")):
        present = zip(action_units, units, labelled("action_units"))
        numbers = [n.removeprefix("AU") for n, u, known in present if known and u > 0.5]
        lines.append(" ".join(["AU", *numbers]) if numbers else "no action unit")
    if np.any(labelled("is_face")) and not lines:
        lines.append("face" if columns["is_face"][row] else "no face")
    return "\n".join(lines) or "no label"


def confusion(
    counts: np.ndarray, expressions: Sequence[str], *, title: str
) -> np.ndarray:
    """A confusion matrix as uint8 RGB `(height, width, 3)`."""
    names = list(expressions[: len(counts)])
    return pixels(confusion_matrix(counts, names, title=title))
