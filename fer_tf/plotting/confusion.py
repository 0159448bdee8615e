"""Confusion matrices."""

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from fer_tf.plotting.colors import ink_on


def confusion_matrix(
    counts: np.ndarray, names: list[str], *, title: str = "", rates: bool = False
) -> Figure:
    """Row-normalised confusion matrix in percent, true classes as rows.

    Args:
        counts: `(classes, classes)`, rows true.
        names: Of the classes.
        title: Printed above.
        rates: Whether `counts` are fractions of the true classes, as in a mean of
            several matrices. The number of faces is then not printed.

    Example:
        >>> import numpy as np
        >>> from fer_tf.plotting.confusion import confusion_matrix
        >>> figure = confusion_matrix(np.array([[3, 1], [0, 4]]), ["fear", "anger"])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['75.0', '25.0', '0.0', '100.0']
    """
    totals = counts.sum(axis=1, keepdims=True)
    percent = 100 * counts if rates else 100 * counts / np.maximum(totals, 1)
    side = 1.9 + 0.62 * len(names)
    figure = Figure(figsize=(side, side * 0.95), layout="constrained")
    axes = figure.add_subplot()
    cells = axes.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    for row, column in np.ndindex(percent.shape):
        value = percent[row, column]
        axes.text(
            column, row, f"{value:.1f}", ha="center", va="center", fontsize=8.5,
            color=ink_on(to_hex(cells.to_rgba(value))),
            weight="bold" if row == column else "normal",
        )  # fmt: skip
    counted = [f"{name}\n{total:,.0f}" for name, total in zip(names, totals[:, 0])]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=9)
    axes.set_yticks(range(len(names)), names if rates else counted, fontsize=9)
    axes.set_xlabel("predicted, % of the true class", fontsize=9)
    axes.set_ylabel("true" if rates else "true, and how many", fontsize=9)
    axes.set_title(title, fontsize=10)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure
