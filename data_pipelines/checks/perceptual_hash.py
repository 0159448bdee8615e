"""Which pictures look alike: 64-bit hashes, and those that differ in few bits.

Three hashes of an 8x8 picture: where it gets brighter from left to right, and from
top to bottom, and where it is brighter than its median. Two copies of a photograph,
rescaled, compressed anew, brightened or with a mark upon it, share nearly all bits
of one of them at least.
"""

import itertools
from collections.abc import Iterator

import numpy as np

MAX_BITS = 3
"""Bits in which hashes of copies may differ."""

_SIDE = 8
# Any three wrong bits leave three of six blocks whole: pictures that share three
# blocks are compared, for each of the twenty choices of three.
_BLOCKS = np.array_split(np.arange(64), 6)
_MASKS = [
    np.uint64(sum(1 << int(bit) for block in chosen for bit in block))
    for chosen in itertools.combinations(_BLOCKS, 3)
]
# Most comparisons for each choice, the smallest buckets first. A large bucket holds
# blocks that very many pictures share; copies nearly always share others too. 300,000
# faces need less than a tenth of this limit.
_COMPARISONS = 2**27


def hashes(thumbs: np.ndarray) -> list[np.ndarray]:
    """The three hashes of each thumbnail.

    Args:
        thumbs: uint8 `(n, s, s)`, s a multiple of 8.

    Returns:
        Three arrays, uint64 `(n,)`.
    """
    n, side, _ = thumbs.shape
    cell = side // _SIDE
    small = thumbs.reshape(n, _SIDE, cell, _SIDE, cell).sum((2, 4), dtype=np.int32)
    # Each cell is compared with the next but one, which is less sensitive to noise.
    padded = np.pad(small, ((0, 0), (1, 1), (1, 1)), mode="edge")
    median = np.median(small, axis=(1, 2), keepdims=True)
    return [
        _pack(padded[:, 1:-1, 2:] > padded[:, 1:-1, :-2]),
        _pack(padded[:, 2:, 1:-1] > padded[:, :-2, 1:-1]),
        _pack(small > median),
    ]


def _pack(bits):
    packed = np.packbits(bits.reshape(len(bits), 64), axis=1)
    return np.ascontiguousarray(packed).view(np.uint64)[:, 0]


def alike(codes: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Pairs from different groups whose hashes differ in three bits or fewer.

    Exact but for hashes that share half of their bits with ten thousand others.

    Args:
        codes: uint64 `(n,)`.
        groups: `(n,)`, such as the split of each.

    Returns:
        int64 `(pairs, 2)`, without repetitions, the smaller index first.
    """
    close_pairs = [np.zeros((0, 2), np.int64)]
    for mask in _MASKS if len(codes) else ():
        order = np.argsort(codes & mask, kind="stable")
        for left, right in _pairs_in_buckets(codes[order] & mask, groups[order]):
            pairs = np.stack([order[left], order[right]], axis=1)
            differ = np.bitwise_count(codes[pairs[:, 0]] ^ codes[pairs[:, 1]])
            close_pairs.append(np.sort(pairs[differ <= MAX_BITS], axis=1))
    return np.unique(np.concatenate(close_pairs), axis=0)


def _pairs_in_buckets(keys, groups) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places of equal keys, in sorted keys, whose groups differ.

    The pairs that lie one apart, then those two apart, and so on: each time in one
    go for all buckets that are that large.
    """
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    sizes = np.diff(np.r_[starts, len(keys)])
    mixed = np.minimum.reduceat(groups, starts) != np.maximum.reduceat(groups, starts)
    cost = np.where(mixed, sizes * (sizes - 1) // 2, 0)
    by_size = np.argsort(sizes, kind="stable")
    wanted = mixed.copy()
    wanted[by_size] &= np.cumsum(cost[by_size]) <= _COMPARISONS
    ends = np.repeat(starts + sizes, sizes)
    left = np.flatnonzero(np.repeat(wanted, sizes))
    for apart in itertools.count(1):
        left = left[left + apart < ends[left]]
        if not left.size:
            return
        across = left[groups[left] != groups[left + apart]]
        if across.size:
            yield across, across + apart
