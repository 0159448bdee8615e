"""The order of the examples in the endless training stream.

It depends on the place in the stream and on the seed alone: a run that begins at step
s sees what a run that reached step s sees. Records and arrays have the same order.

The examples lie in groups, and every epoch takes a group's quota of examples from
it. None of a group's examples comes again before all of them have come.
Each way to draw examples is a choice of groups and quotas:

    all     a group per prepared folder, all of it, every epoch
    up      a group per class, as many as the largest class has: AffectNet's
            up-sampling (Mollahosseini et al., 2017), in which small classes repeat
    down    a group per class, `limit` at most, the same ones in every epoch:
            AffectNet's down-sampling, with limit 15,000
    videos  a group per video, `limit` at most, others in the next epoch: neighbouring
            frames are near copies, and a batch of few videos has a poor CCC

Groups are spread evenly over the epoch and then shuffled within windows, so each
window, and nearly each batch, holds them in proportion.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from data_pipelines.batches import stateless_random
from data_pipelines.sources.errors import DataError
from data_pipelines.storage.prepared import Prepared

WINDOW = 16384
"""Examples that are shuffled together by default: tens of MB of 48 px records."""

NAMES = ("all", "up", "down", "videos")
# Rows of about one shard. Blocks are shuffled as wholes, then rows within windows of
# several blocks, so that rows that are read together lie close together on the disk.
_BLOCK = 2048


@dataclasses.dataclass(frozen=True)
class Group:
    """Rows that share a quota.

    Attributes:
        rows: int64, the rows of the group.
        quota: Examples that an epoch takes from it.
        block: Rows that stay together when the group is shuffled.
    """

    rows: np.ndarray
    quota: int
    block: int = 1

    def turn(self, number: int, seed: int) -> np.ndarray:
        """The rows in the order of their turn `number`, from 0."""
        blocks = self.rows // self.block
        return self.rows[np.argsort(_draw(blocks, seed, number, "turn"), kind="stable")]


class Order:
    """The order of the training examples.

    Args:
        groups: Groups, none empty.
        seed: Of the run.
        window: Places that are shuffled together.

    Attributes:
        epoch_size: Examples per epoch.
        num_examples: Different examples that it draws from.
    """

    def __init__(self, groups: Sequence[Group], *, seed: int, window: int):
        self.groups, self.seed, self.window = tuple(groups), seed, window
        self.epoch_size = sum(group.quota for group in groups)
        self.num_examples = sum(len(group.rows) for group in groups)
        self._epochs = {}

    def batch(self, step: int, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the batch at a step, and how often each has come before.

        Batches go on across the end of an epoch, so each is full. The second
        array keys the augmentation: an example that comes twice in an epoch is
        augmented differently.
        """
        places = np.arange(step * batch_size, (step + 1) * batch_size)
        epochs, places = np.divmod(places, self.epoch_size)
        rows, turns = np.empty((2, batch_size), np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            rows[here], turns[here] = self.epoch(int(epoch))[:, places[here]]
        return rows, turns

    def epoch(self, number: int) -> np.ndarray:
        """Rows and turns of a whole epoch: int64 `(2, epoch_size)`."""
        # Several threads ask, nearly in order: the neighbouring epochs may still be
        # needed, and another thread may replace the dict meanwhile.
        rows_and_turns = self._epochs.get(number)
        if rows_and_turns is None:
            rows_and_turns = self._epoch(number)
            near = {n: e for n, e in self._epochs.items() if abs(n - number) <= 1}
            self._epochs = near | {number: rows_and_turns}
        return rows_and_turns

    def _epoch(self, number):
        # A slot per example, group behind group. The k-th of a group's q examples goes
        # to a place in [k / q, (k + 1) / q) of the epoch: that spreads every group.
        taken = [self._of(group, number) for group in self.groups]
        rows_and_turns = np.concatenate(taken, axis=1)
        slots = np.arange(self.epoch_size)
        jitter = _draw(slots, self.seed, number, "slot").astype(np.float64)
        starts = np.cumsum([0] + [group.quota for group in self.groups[:-1]])
        quotas = [group.quota for group in self.groups]
        inside = slots - np.repeat(starts, quotas)
        # Stable: places of two groups can tie, and their order must be ours.
        places = (inside + jitter) / np.repeat(quotas, quotas)
        spread = np.argsort(places, kind="stable")
        # Sorted by window, and within one at random.
        shuffle = _draw(slots, self.seed, number, "window")
        return rows_and_turns[:, spread[np.lexsort((shuffle, slots // self.window))]]

    def _of(self, group, number):
        """The rows and turns that an epoch takes from a group, in the group's order."""
        places = np.arange(number * group.quota, (number + 1) * group.quota)
        turns, places = np.divmod(places, len(group.rows))
        rows = [
            group.turn(int(turn), self.seed)[places[turns == turn]]
            for turn in np.unique(turns)
        ]
        return np.stack([np.concatenate(rows), turns])


def order(
    prepared: Prepared, *, name: str, limit: int, seed: int, window: int
) -> Order:
    """The order of a prepared folder's training examples.

    Args:
        prepared: One or several folders.
        name: `all`, `up`, `down` or `videos`, see above. `up` and `down` leave
            out examples without an expression; `videos` takes all that belong
            to no video.
        limit: Of `down` and `videos`.
        seed: Of the run.
        window: Places that are shuffled together.

    Raises:
        ValueError: If `name` or `limit` is none of the above.
        DataError: If there are no such examples.
    """
    if name not in NAMES or (name in ("down", "videos") and limit < 1):
        raise ValueError(
            f"`sampling.name` must be one of {', '.join(NAMES)}, and `sampling.limit` "
            f"of down and videos at least 1. Received: name={name!r}, limit={limit}."
        )
    if name == "all":
        groups = _folders(prepared)
    elif name == "videos":
        groups = _videos(prepared, limit)
    else:
        groups = _classes(prepared, name, limit, seed)
    return Order(groups, seed=seed, window=window)


def require_a_batch(prepared: Prepared, order: Order, batch_size: int) -> None:
    """Refuses a batch larger than an epoch.

    Raises:
        DataError: If it is.
    """
    if order.epoch_size < batch_size:
        raise DataError(
            f"{','.join(prepared.folders)}: {order.epoch_size} training examples are "
            f"fewer than one batch of {batch_size}"
        )


def _folders(prepared):
    """A group for each folder, so that every window holds some of a small folder."""
    counts = prepared.counts("train")
    parts = np.split(np.arange(sum(counts)), np.cumsum(counts)[:-1])
    return [Group(rows, len(rows), _BLOCK) for rows in parts if len(rows)]


def _classes(prepared, name, limit, seed):
    columns = prepared.training_columns
    named = columns["expression_weight"] > 0
    if not named.any():
        folders = ",".join(prepared.folders)
        raise DataError(f"{folders}: sampling {name!r} needs expressions; none is here")
    classes = columns["expression"]
    members = [
        np.flatnonzero(named & (classes == c)) for c in np.unique(classes[named])
    ]
    if name == "up":
        largest = max(len(rows) for rows in members)
        return [Group(rows, largest) for rows in members]
    kept = [
        np.sort(rows[np.argsort(_draw(rows, seed, 0, "down"), kind="stable")[:limit]])
        for rows in members
    ]
    return [Group(rows, len(rows)) for rows in kept]


def _videos(prepared, limit):
    videos = prepared.training_columns["video"]
    names, numbers = np.unique(videos, return_inverse=True)
    by_video = np.argsort(numbers, kind="stable")
    members = np.split(by_video, np.cumsum(np.bincount(numbers))[:-1])
    if not any(names):
        folders = ",".join(prepared.folders)
        raise DataError(f"{folders}: sampling 'videos' needs videos; none is named")
    return [
        Group(rows, min(limit, len(rows)) if name else len(rows))
        for name, rows in zip(names, members)
    ]


def _draw(keys, seed, number, purpose):
    return stateless_random.uniform(np, keys, seed=seed, epoch=number, purpose=purpose)
