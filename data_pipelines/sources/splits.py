"""The split of a picture whose owner does not state one."""

import hashlib

import numpy as np

from data_pipelines.sources.sample import SPLITS, Sample

# A tenth of the 65,536 places that a picture may fall into.
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
    """The splits that `split_of` may return, before the pixels are read."""
    if sample.split is None:
        return SPLITS
    if sample.split == "train" and holdout == "pixels":
        return ("train", "validation")
    return (sample.split,)


def split_by_pixels(image: np.ndarray) -> str:
    """A split drawn from the picture itself: 80 % train, 10 %, 10 %.

    Identical pictures fall into the same split, whatever their names.
    """
    place = _place(image)
    if place < _TENTH:
        return "test"
    return "validation" if place < 2 * _TENTH - 1 else "train"


def _place(image):
    """The place in 0..65535 of a picture, by a hash of its pixels."""
    digest = hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()
    return digest[0] * 256 + digest[1]
