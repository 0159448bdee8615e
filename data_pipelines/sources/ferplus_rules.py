"""The rules by which FER+ turns the votes of ten raters into a target."""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

VOTES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
"""A rater's choices, in the owner's order; NF is "not a face"."""

NUM_EXPRESSIONS = 8
"""The first eight of `VOTES` are expressions."""


def target_votes(votes: Sequence[float], rule: str) -> np.ndarray:
    """Distribution over `VOTES` that the owner's rule makes of ten counts.

    A single vote counts as a slip and is dropped. Then

    - `majority`: the one choice with more than half of the votes;
    - `probability`, `crossentropy`: the choices with most votes, until three
      quarters are covered, at most three; "unknown" and "NF" end the list and
      only count at its head;
    - `multi_target`: every choice with 30 % or more.

    If these hold no more than half of the votes, it is all "unknown".

    Args:
        votes: Ten counts, in the order of `VOTES`.
        rule: One of `RULES`.

    Returns:
        float64 `(10,)` that sums to 1. (The owner trains on one draw of it with
        `probability`, and on its support with `multi_target`.)
    """
    kept = [float(count) if count > 1 else 0.0 for count in votes]
    total = sum(kept)
    chosen = RULES[rule](kept, total)
    if sum(chosen.values()) <= 0.5 * total:
        chosen = {VOTES.index("unknown"): 1.0}
    target = np.zeros(len(VOTES))
    target[list(chosen)] = list(chosen.values())
    return target / target.sum()


def _majority(kept, total) -> Mapping[int, float]:
    best = int(np.argmax(kept))
    return {best: kept[best]}


def _leading(kept, total) -> Mapping[int, float]:
    chosen, covered = {}, 0.0
    # Largest first; of equals, which are taken together, in the owner's order.
    for most, tied in itertools.groupby(
        sorted(range(len(kept)), key=lambda i: -kept[i]), key=lambda i: kept[i]
    ):
        if covered >= 0.75 * total or len(chosen) >= 3:
            break
        for index in tied:
            if index >= NUM_EXPRESSIONS:
                chosen = chosen or {index: most}
                covered = total
                break
            chosen[index] = most
            covered += most
    return chosen if len(chosen) <= 3 else {}


def _multi_target(kept, total) -> Mapping[int, float]:
    return {i: count for i, count in enumerate(kept) if count and count >= 0.3 * total}


RULES: dict[str, Callable[[list[float], float], Mapping[int, float]]] = {
    "majority": _majority,
    "probability": _leading,
    "crossentropy": _leading,
    "multi_target": _multi_target,
}
"""The owner's training modes."""
