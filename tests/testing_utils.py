"""Small data sets in their owners' layouts, small models and runs, commands."""

import contextlib
import csv
import resource
import signal
import subprocess
import sys

import cv2
import numpy as np
from ml_collections import ConfigDict

USAGES = ("Training", "PublicTest", "PrivateTest")


def fer2013_rows(num_rows, seed=0):
    """`(emotion, pixels, usage)`: every second row trains, classes in turn."""
    rng = np.random.default_rng(seed)
    for i in range(num_rows):
        usage = USAGES[0] if i % 2 else USAGES[i // 2 % 3]
        yield i % 7, rng.integers(0, 256, (48, 48), dtype=np.uint8), usage


def write_fer2013_csv(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for emotion, pixels, usage in rows:
            writer.writerow([emotion, " ".join(map(str, pixels.ravel())), usage])


def write_fer2013_folders(root, rows):
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    for number, (emotion, pixels, usage) in enumerate(rows):
        top = "train" if usage == "Training" else "test"
        folder = root / top / names[emotion]
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{usage}_{number}.png"), pixels)


def bitmaps(folder, values):
    """A folder of pictures whose files all have one size."""
    from data_pipelines.sources import open_source

    for number, value in enumerate(values):
        path = folder / "happiness" / f"{number}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((48, 48), value, np.uint8))
    return open_source("folder", str(folder))


def tiny_config(**changes):
    """A config that trains on the `synthetic_data` fixture within seconds."""
    from trainers.configs import base

    config = base.get_config()
    config.model.name = "small_resnet"
    config.model.arguments = ConfigDict(dict(width=0.125, blocks=1, dropout_rate=0.5))
    config.batch_size = 16
    config.eval_batch_size = 32
    config.checkpoint_steps = 3
    config.deterministic = True
    config.stages[0].epochs = 2
    config.update(changes)
    return config


def paper_config(**changes):
    """`tiny_config` of a paper, whose protocol chooses weights on the test set too."""
    config = tiny_config(**changes)
    config.paper = ConfigDict(dict(accuracy=0.9))
    return config


TINY = dict(width=0.125, blocks=1)


def save_tiny_model(folder, spec, *, views="center"):
    """An untrained `small_resnet`, saved as `trainers.train` saves its best."""
    from fer_tf import models
    from fer_tf.model_io import model_folder
    from fer_tf.model_io.card import Card

    card = Card(
        model="small_resnet", arguments=TINY, crop_spec=spec, views=views,
        average="logits",
    )  # fmt: skip
    model_folder.save(str(folder), models.create_model("small_resnet", **TINY), card)
    return str(folder)


def run_command(name, *args, **kwargs):
    """Runs `python -m trainers.name` as a user does."""
    return subprocess.run(
        [sys.executable, "-m", f"trainers.{name}", *args],
        capture_output=True, text=True, timeout=300, **kwargs,
    )  # fmt: skip


def assert_one_line(result, code, text):
    assert result.returncode == code, result.stderr
    assert result.stderr.strip().count("\n") == 0, result.stderr
    assert text in result.stderr


@contextlib.contextmanager
def full_disk(limit):
    """Lets no file grow beyond some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def resident_mib():
    """Memory of this process; only Linux says it so."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20
