r"""Lets the PyPI package `fer` read pictures, for `trainers.evaluate --predictions`.

python -m venv peer && peer/bin/pip install fer==25.10.3
peer/bin/python trainers/evaluation/fer_predictions.py london '*/*.jpg' london.csv

It needs that environment of its own, because `fer` and this package want different
versions of NumPy; nothing of this package is imported. The pattern finds the pictures
below the folder; each becomes a line with its path there.

`fer` searches faces by its own detector, and the largest is read. With `--crops` at the
end, each picture is one face and is read whole.
"""

import csv
import glob
import os
import sys

# What `fer` calls the expressions -> what they are called here.
NAMES = {
    "neutral": "neutral",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "fear": "fear",
    "disgust": "disgust",
    "angry": "anger",
}


def main(folder: str, pattern: str, output: str, *, crops: bool) -> None:
    """Writes the CSV."""
    import cv2
    from fer.fer import FER

    # No margin around a crop: the network was trained on the whole pictures.
    reader = FER(offsets=(0, 0)) if crops else FER()
    with open(output, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", *NAMES.values()])
        for path in sorted(glob.glob(pattern, root_dir=folder)):
            image = cv2.imread(os.path.join(folder, path))
            height, width = image.shape[:2]
            box = [(0, 0, width, height)] if crops else None
            faces = reader.detect_emotions(image, face_rectangles=box)
            writer.writerow([path, *largest(faces)])


def largest(faces: list[dict]) -> list:
    """The numbers of the largest face, in the order of `NAMES`; of none, empty ones.

    >>> sad = {name: 0.0 for name in NAMES} | {"sad": 1.0}
    >>> largest([{"box": (0, 0, 9, 9), "emotions": sad}])
    [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    if not faces:
        return [""] * len(NAMES)
    size = lambda face: face["box"][2] * face["box"][3]
    return [max(faces, key=size)["emotions"][name] for name in NAMES]


if __name__ == "__main__":
    main(*sys.argv[1:4], crops="--crops" in sys.argv)
