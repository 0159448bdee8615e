"""Labels and predictions of every kind, and their scores over weights."""

import numpy as np

from fer_tf import scores

RNG = np.random.default_rng(1)
NUM = 203  # Seven batches of 29.
LABELS = RNG.integers(0, 6, NUM)  # Class 6 never occurs.
LOGITS = (RNG.normal(size=(NUM, 7)) + np.eye(7)[LABELS]).astype("float32")
VA = RNG.uniform(-1, 1, (NUM, 2)).astype("float32")
VA_GUESS = (0.5 * VA + 0.3 * RNG.normal(size=VA.shape) + 0.1).astype("float32")
UNITS = RNG.integers(0, 2, (NUM, 8))
UNIT_LOGITS = (RNG.normal(size=(NUM, 8)) + UNITS).astype("float32")
MASK = RNG.integers(0, 2, NUM)

EXPRESSION = lambda w: scores.classification_scores(LABELS, LOGITS, 7, w)
DIMENSIONAL = lambda w: scores.dimensional_scores(VA, VA_GUESS, w)
ACTION_UNIT = lambda w: scores.action_unit_scores(UNITS, UNIT_LOGITS, w)
