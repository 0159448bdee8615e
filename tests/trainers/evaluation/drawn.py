"""Columns of predictions, drawn."""

import json

import numpy as np

from fer_tf import scores


def columns(count=600, *, sharp=1.0, subjects=60, groups=True, seed=0):
    """Logits of which labels are drawn, then made `sharp` times too sure."""
    rng = np.random.default_rng(seed)
    logits = 1.5 * rng.normal(size=(count, 7))
    p = np.exp(scores.log_softmax(logits))
    people = rng.integers(0, subjects, count) if subjects else np.zeros(count)
    named = [
        json.dumps({"age": "young" if k % 3 else "old"} if k % 5 else {}).encode()
        for k in people.astype(int)
    ]
    return {
        "sample_id": np.array([b"id%d" % k for k in range(count)], object),
        "subject": np.array(
            [b"s%d" % k if subjects else b"" for k in people.astype(int)], object
        ),
        "video": np.full(count, b"", object),
        "groups": np.array(named if groups else [b"{}"] * count, object),
        "expression": sharp * logits,
        "true_expression": (p.cumsum(1) > rng.random((count, 1))).argmax(1),
        "expression_weight": np.ones(count),
    }
