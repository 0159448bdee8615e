import numpy as np

from data_pipelines.sources.splits import split_by_pixels


def test_split_by_pixels_keeps_copies_together_and_shares_out_fairly():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3000, 4, 4), dtype=np.uint8)
    splits = [split_by_pixels(image) for image in images]
    assert splits == [split_by_pixels(image.copy()) for image in images]
    assert 0.07 < splits.count("test") / 3000 < 0.13
    assert 0.07 < splits.count("validation") / 3000 < 0.13
