"""Which split a picture is prepared for, where its owner does not say."""

import hashlib

import numpy as np

from data_pipelines.sources.sample import SPLITS, Sample

# Of the 65,536 places that a picture may fall into.
_TENTH = 6554


def split_of(sample: Sample, image: np.ndarray, holdout: str | None) -> str:
    """The split that a picture is prepared for, by its source's `holdout`."""
    if sample.split is None:
        return split_by_pixels(image)
    if sample.split == "train" and holdout == "pixels":
        # Copies of a picture stay on one side.
        return "validation" if _place(image) < _TENTH else "train"
    return sample.split


def possible_splits(sample: Sample, holdout: str | None) -> tuple[str, ...]:
    """The splits that `split_of` may find, before the pixels are read."""
    if sample.split is None:
        return SPLITS
    if sample.split == "train" and holdout == "pixels":
        return ("train", "validation")
    return (sample.split,)


def split_by_pixels(image: np.ndarray) -> str:
    """A split drawn from the picture itself: 80 % train, 10 %, 10 %.

    Identical pictures fall into the same split, whatever they are called.
    """
    place = _place(image)
    if place < _TENTH:
        return "test"
    return "validation" if place < 2 * _TENTH - 1 else "train"


def _place(image):
    """Where in 0..65535 a picture falls by its pixels."""
    digest = hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()
    return digest[0] * 256 + digest[1]
