import itertools

import cv2
import numpy as np
import pytest

from data_pipelines import synthetic
from data_pipelines.checks import perceptual_hash
from data_pipelines.checks.picture_table import thumbnail

FACES = [
    synthetic.draw(index, synthetic.SyntheticOptions(seed=2, size=96)).image
    for index in range(40)
]


def clustered_codes(rng, n=400):
    """Hashes of which many are a few bits from another; some share half their bits."""
    codes = rng.integers(0, 2**64, n, dtype=np.uint64)
    codes[n // 2 :] = codes[: n - n // 2]
    for row in range(n // 2, n):
        for bit in rng.choice(64, rng.integers(0, 6), replace=False):
            codes[row] ^= np.uint64(1 << int(bit))
    codes[::7] &= np.uint64(0xFFFFFFFF)
    return codes


@pytest.mark.parametrize("seed", range(3))
def test_alike_is_what_comparing_all_pairs_gives(seed):
    rng = np.random.default_rng(seed)
    codes, groups = clustered_codes(rng), rng.integers(0, 3, 400)
    expected = {
        (a, b)
        for a, b in itertools.combinations(range(400), 2)
        if int(codes[a] ^ codes[b]).bit_count() <= 3 and groups[a] != groups[b]
    }
    found = perceptual_hash.alike(codes, groups)
    assert len(expected) > 50 and len(found) == len(expected)
    assert set(map(tuple, found.tolist())) == expected
    assert len(perceptual_hash.alike(codes, np.zeros(400))) == 0


def test_what_thousands_share_does_not_take_for_ever():
    # All share the upper half, and are compared by other blocks alone.
    codes = np.random.default_rng(0).integers(0, 2**32, 20_000, dtype=np.uint64)
    codes[1] = codes[0] ^ np.uint64(0b101)
    groups = np.arange(20_000) % 2
    assert [0, 1] in perceptual_hash.alike(codes, groups).tolist()


def nearest(image, other):
    """Fewest bits in which one of the three hashes differs."""
    codes = perceptual_hash.hashes(np.stack([thumbnail(image), thumbnail(other)]))
    return min(int(code[0] ^ code[1]).bit_count() for code in codes)


def marked(image):
    return cv2.putText(image.copy(), "stock", (20, 60), 0, 0.7, (250, 250, 250), 1)


@pytest.mark.parametrize(
    "copy",
    [
        lambda x: cv2.resize(x, (64, 64), interpolation=cv2.INTER_AREA),
        lambda x: cv2.imdecode(cv2.imencode(".jpg", x, [1, 30])[1], 1),
        lambda x: np.clip(x * 0.8 + 30, 0, 255).astype(np.uint8),
        lambda x: x[1:-1, 1:-1],
        lambda x: cv2.cvtColor(x, cv2.COLOR_RGB2GRAY),
        marked,
    ],
    ids=["smaller", "jpeg", "paler", "cut", "grey", "marked"],
)
def test_copies_share_nearly_all_bits_and_others_do_not(copy):
    close = [nearest(image, copy(image)) <= 3 for image in FACES]
    assert np.mean(close) >= 0.9
    strangers = [nearest(a, copy(b)) <= 3 for a, b in zip(FACES, FACES[1:])]
    assert np.mean(strangers) <= 0.05


def test_bits_by_hand():
    # Brighter from left to right everywhere; the same from top to bottom.
    ramp = np.tile(np.arange(24, dtype=np.uint8) * 10, (1, 24, 1))
    across, down, above = perceptual_hash.hashes(ramp)
    assert int(across[0]) == 2**64 - 1 and int(down[0]) == 0
    assert int(above[0]).bit_count() == 32
