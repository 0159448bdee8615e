"""How the time of a job grows with its size.

A job that grows in proportion has the slope 1: twice the size takes twice the time.
Below 1, a part of the time does not depend on the size.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from data_pipelines.preparation.prepare import prepare
from data_pipelines.sources import open_source
from fer_tf import predictor
from fer_tf.faces import MTCNNDetector
from trainers.common import sample_photograph
from trainers.speed import timing
from trainers.speed.prediction import untrained

_SIDES = (256, 512, 1024, 2048)
_ROWS = (500, 1000, 2000, 4000)
_FACES = (32, 64, 128, 256)
_BATCHES = (16, 32, 64, 128)


def measure(*, seconds: float) -> dict:
    """Times four jobs, each at four sizes in turns.

    Args:
        seconds: About how long each job is measured; each size at least three times.

    Returns:
        `{"what", "device", "jobs": {job: {"of", "sizes", "seconds", "slope"}}}`:
        what the sizes count, the median seconds at each, and the slope of their
        logarithms.
    """
    jobs = {
        "detect": ("pixels", *_detect()),
        "prepare": ("rows", *_prepare()),
        "predict": ("faces", *_predict()),
        "train": ("images of a batch", *_train()),
    }
    grown = {}
    for job, (of, sizes, runs) in jobs.items():
        times = _times(runs, seconds)
        grown[job] = {
            "of": of, "sizes": list(sizes), "seconds": times,
            "slope": slope(sizes, times),
        }  # fmt: skip
    return {"what": "growth", "device": timing.device(), "jobs": grown}


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The exponent of the power law that fits best (least squares of logarithms).

    >>> round(slope((1, 2, 4), (3.0, 12.0, 48.0)), 6)
    2.0
    """
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _times(runs: Sequence[Callable], seconds):
    """The median seconds of each, called in turns after a first call."""
    for run in runs:
        run()
    times, end = [[] for _ in runs], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 3:
        for run, taken in zip(runs, times):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


def _detect():
    # One face that grows with the picture, and the whole range of faces below it.
    photo, detect = sample_photograph.astronaut(), MTCNNDetector().detect
    photos = [cv2.resize(photo, (side, side)) for side in _SIDES]
    return [side**2 for side in _SIDES], [lambda p=p: detect(p) for p in photos]


def _prepare():
    def run(rows):
        source = open_source("synthetic", f"examples={rows},size=48")
        with tempfile.TemporaryDirectory() as folder:
            prepare(source, folder, crop_spec=source.crop_spec())

    return _ROWS, [lambda rows=rows: run(rows) for rows in _ROWS]


def _predict():
    with tempfile.TemporaryDirectory() as scratch:
        # No photograph is read, so no detector is needed.
        reader = predictor.Predictor(untrained(scratch), detector=object())
    spec = reader.card.crop_spec
    shape = (max(_FACES), spec.size, spec.size, spec.channels)
    crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return _FACES, [lambda n=n: reader.read_crops(crops[:n]) for n in _FACES]


def _train():
    steps = [timing.stepping("small_resnet", "float32", size) for size in _BATCHES]
    return _BATCHES, [lambda step=step: np.asarray(step()) for step in steps]
