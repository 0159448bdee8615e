"""Random numbers that depend on what they are for, not on when they are drawn.

An augmentation draws from (seed, epoch, example, purpose): an epoch replays
exactly, a run resumes at the very next example, and shuffling, batching or
the number of threads changes nothing. A counter-based integer hash gives
that for a whole batch at once, and the same numbers in TensorFlow and NumPy.
"""

import zlib

# Any odd constants with well-mixed bits do; these are the finaliser of
# MurmurHash3 (Appleby, public domain).
_MIX = ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, None))
_WORD = 0xFFFFFFFF


def uniform(xp, keys, *, seed: int, epoch, purpose: str):
    """Uniform numbers in [0, 1), one for each key.

    Args:
        xp: `tensorflow.experimental.numpy` or `numpy`.
        keys: int64 `(batch,)`, what each example is keyed on.
        seed: Seed of the run.
        epoch: int or scalar int64 tensor.
        purpose: Names the draw ("flip"); draws of other names are independent.

    Returns:
        float32 `(batch,)`, a multiple of 2**-24.
    """
    word = xp.bitwise_and(keys, _WORD)
    for part in (seed & _WORD, epoch, zlib.crc32(purpose.encode())):
        word = _mix(xp, xp.bitwise_xor(word, _mix(xp, part + xp.zeros_like(word))))
    return xp.asarray(word // 256, dtype=xp.float32) * xp.float32(2.0**-24)


def integers(xp, keys, bound: int, *, seed: int, epoch, purpose: str):
    """Whole numbers in [0, bound), one for each key: int64 `(batch,)`."""
    draws = uniform(xp, keys, seed=seed, epoch=epoch, purpose=purpose)
    return xp.asarray(xp.floor(draws * xp.float32(bound)), dtype=xp.int64)


def _mix(xp, word):
    """A bijection of 32-bit words, held in int64, that flips bits evenly."""
    for shift, factor in _MIX:
        word = xp.bitwise_xor(word, word // 2**shift)
        if factor is not None:
            # The product may wrap in int64; its low 32 bits are right.
            word = xp.bitwise_and(word * factor, _WORD)
    return word
