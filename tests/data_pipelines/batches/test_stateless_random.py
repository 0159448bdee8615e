import numpy as np
import pytest
import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from data_pipelines.batches import stateless_random

KEYS = np.random.default_rng(0).integers(0, 2**32, 200_000)


def draw(keys=KEYS, seed=0, epoch=0, purpose="flip"):
    return stateless_random.uniform(np, keys, seed=seed, epoch=epoch, purpose=purpose)


def test_uniform_on_the_unit_interval():
    counts = np.histogram(draw(), bins=20, range=(0, 1))[0]
    assert counts.sum() == len(KEYS)
    # Chi-square with 19 degrees of freedom: 43.8 is its 0.1 % point.
    expected = len(KEYS) / 20
    assert ((counts - expected) ** 2 / expected).sum() < 43.8


def test_consecutive_keys_are_uncorrelated():
    draws = draw(np.arange(200_000))
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.01


@pytest.mark.parametrize(
    "other", [dict(seed=1), dict(epoch=1), dict(purpose="crop x"), dict(seed=2**31)]
)
def test_every_part_of_the_key_gives_an_independent_draw(other):
    assert abs(np.corrcoef(draw(), draw(**other))[0, 1]) < 0.01


def test_tensorflow_and_numpy_agree_exactly():
    epochs = KEYS % 7
    ours = stateless_random.uniform(np, KEYS, seed=5, epoch=epochs, purpose="erase")
    keys, epochs = tf.constant(KEYS), tf.constant(epochs)
    theirs = stateless_random.uniform(tnp, keys, seed=5, epoch=epochs, purpose="erase")
    np.testing.assert_array_equal(ours, np.asarray(theirs))
    assert ours.dtype == np.float32


def test_integers_cover_their_range_and_no_more():
    draws = stateless_random.integers(np, KEYS, 5, seed=0, epoch=0, purpose="crop y")
    assert set(draws.tolist()) == {0, 1, 2, 3, 4}
