"""What the layouts are written with, and how their files are read."""

import os

from data_pipelines.sources import Reject, Sample

# What each writer draws, said again.
OPTIONS = {
    "fer2013": dict(size=48, grey=True),
    "fer2013_folders": dict(size=48, grey=True),
    "ferplus": dict(size=48, grey=True, non_faces=0.03),
    "affectnet": dict(size=160, missing=0.08, non_faces=0.03),
    "affectnet_npy": dict(size=224),
    "affwild2": dict(size=192),
    "affwild2_2022": dict(size=192),
    "rafdb": dict(size=144),
    "ckplus": dict(size=256, grey=True),
    "facenonface": dict(size=48, grey=True, non_faces=0.5),
    "folder": dict(),
    "csv": dict(missing=0.125),
}
EXAMPLES, SEED = 30, 5


def split(source):
    rows = list(source.rows())
    return [r for r in rows if isinstance(r, Sample)], [
        r for r in rows if isinstance(r, Reject)
    ]


def lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read().splitlines()
