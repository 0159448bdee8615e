"""Whether labels fit their picture: their places in it, and its file's name."""

import os
import re

import numpy as np

from data_pipelines.checks.findings import Findings
from data_pipelines.sources import Sample
from fer_tf import labels

# Landmarks of faces at the border may lie a little outside: trackers guess them.
_BEYOND = 0.1


def check_sample(
    sample: Sample, shape: tuple[int, ...], name: str, findings: Findings
) -> None:
    """Finds annotations that cannot belong to this picture.

    Args:
        sample: Its labels.
        shape: Of the picture, `(height, width, ...)`.
        name: What the picture is called.
        findings: Gets what is found.
    """
    size = np.array(shape[1::-1], float)
    if sample.landmarks is not None:
        points = np.asarray(sample.landmarks)
        far = (points < -_BEYOND * size) | (points > (1 + _BEYOND) * size)
        if far.any():
            x, y = points[far.any(axis=1)][0]
            text = f"{name}: ({x:.0f}, {y:.0f}) in a picture of {_by(size)}"
            findings.add("points_outside", text)
    if sample.box is not None:
        corner, side = np.array(sample.box[:2]), np.array(sample.box[2:])
        if (corner >= size).any() or (corner + side <= 0).any():
            text = f"{name}: {_by(side)} at {tuple(corner)} in {_by(size)}"
            findings.add("box_outside", text)
    said = expression_in(name)
    # A class of another kind, such as calm, is neither the one nor the other.
    if said and sample.expression in {*labels.EXPRESSIONS} - {said}:
        findings.add("named_otherwise", f"{name} is labelled {sample.expression}")


def expression_in(path: str) -> str | None:
    """The expression that the file name states; None if it states none, or several."""
    expressions = set()
    for word in re.split(r"[^a-z]+", os.path.basename(path).lower()):
        try:
            expressions.add(labels.expression_of(word))
        except ValueError:
            continue
    return expressions.pop() if len(expressions) == 1 else None


def _by(size):
    return "x".join(f"{side:g}" for side in size)
