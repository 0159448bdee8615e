"""Small data sets in their owners' layouts, and a config that trains at once."""

import csv

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
