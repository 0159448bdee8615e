"""Speed of face detection compared with the stock `mtcnn` package, and agreement.

Both get the same decoded photographs in turns, one at a time. Ours also gets several
together, and several with a larger smallest face, for which it sees fewer pixels.
"""

import time

import numpy as np

from fer_tf.faces import ImageError, MTCNNDetector, read_image
from fer_tf.faces.pyramid import shrunk
from trainers.common import sample_photograph
from trainers.speed.timing import photographs, processor

_TOGETHER = 16
# Pixels of the smallest face that is looked for in place of 20, the package's own.
_LARGER = 40
# Longer sides are shrunk to this; the time of both depends on the area alone.
_MAX_SIDE = 1000
_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


def compare(folders: str | None, *, seconds: float) -> dict:
    """Times both detectors, and counts the faces on which they agree.

    Args:
        folders: Of photographs, `A,B`, read with their subfolders; None:
            scikit-image's astronaut.
        seconds: Time of the measurement; each photograph is read at least once.

    Returns:
        Photographs per second of each. `stock_ratio` is the stock package's time over
        ours for the same photographs one by one; `stock_cpu_ratio` is that of their
        processor time, which other work on the machine influences less. Ours finds
        `same_faces` of the package's `stock_faces`, at an intersection over union of
        0.95 and with each landmark within a pixel. `invented_faces` are ours without
        such a partner. `larger_per_second`, `larger_ratio` and `larger_faces` are those
        of ours, several together, with no face below 40 pixels: of the package's faces,
        how many it finds at an intersection over union of a half. It looks at other
        scales, so its boxes are not the same.
    """
    from mtcnn import MTCNN

    images = _photographs(folders)
    ours, stock = MTCNNDetector().detect, MTCNN().detect_faces
    larger = MTCNNDetector(_LARGER).detect
    timed = {"ours": _Timed(ours), "stock": _Timed(stock), "batched": _Timed(ours)}
    timed["larger"] = _Timed(larger)
    for image in images[:3]:
        ours(image), stock(image)
    ours(images[:_TOGETHER]), larger(images[:_TOGETHER])
    # Number of a photograph -> (our faces, the package's), and ours of the larger.
    faces, found = {}, {}
    end = time.perf_counter() + seconds
    while len(faces) < len(images) or time.perf_counter() < end:
        for start in range(0, len(images), _TOGETHER):
            part = images[start : start + _TOGETHER]
            for number, image in enumerate(part, start):
                faces[number] = timed["ours"](image), timed["stock"](image)
            timed["batched"](part)
            found |= enumerate(timed["larger"](part), start)
    return {
        "what": "detect",
        "device": processor(),
        "photographs": len(images),
        "images_per_second": timed["ours"].rate,
        "stock_per_second": timed["stock"].rate,
        "batched_per_second": timed["batched"].rate,
        "stock_ratio": timed["stock"].wall / timed["ours"].wall,
        "stock_cpu_ratio": timed["stock"].cpu / timed["ours"].cpu,
        "batched_ratio": timed["stock"].wall / timed["batched"].wall,
        "larger_per_second": timed["larger"].rate,
        "larger_ratio": timed["stock"].wall / timed["larger"].wall,
        **_agreement(faces.values()),
        "larger_faces": sum(_found(found[n], faces[n][1]) for n in faces),
    }


class _Timed:
    """Calls a function and sums up how long that takes."""

    def __init__(self, function):
        self._function = function
        self.images, self.wall, self.cpu = 0, 0.0, 0.0

    def __call__(self, images):
        wall, cpu = time.perf_counter(), time.process_time()
        result = self._function(images)
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu
        self.images += len(images) if isinstance(images, list) else 1
        return result

    @property
    def rate(self):
        return self.images / self.wall


def _photographs(folders):
    """The photographs of folders, decoded."""
    if folders is None:
        return [sample_photograph.astronaut()]
    images = []
    for folder in folders.split(","):
        for path in photographs(folder):
            try:
                images.append(shrunk(read_image(path), _MAX_SIDE))
            except ImageError as error:
                raise ValueError(f"{path}: {error}") from None
    return images


def _agreement(pairs):
    counts = {"stock_faces": 0, "same_faces": 0, "invented_faces": 0}
    for ours, theirs in pairs:
        same = np.array([[_same(a, b) for b in theirs] for a in ours], bool)
        same = same.reshape(len(ours), len(theirs))
        counts["stock_faces"] += len(theirs)
        counts["same_faces"] += int(same.any(axis=0).sum())
        counts["invented_faces"] += int((~same.any(axis=1)).sum())
    return counts


def _found(ours, theirs):
    """How many of the package's faces are among ours, roughly where they are."""
    return sum(any(_overlap(a, b) >= 0.5 for a in ours) for b in theirs)


def _same(face, other):
    points = np.array([other["keypoints"][name] for name in _POINTS], float)
    # The package rounds its landmarks: half a pixel is its own.
    near = np.abs(face["landmarks"] - points).max() <= 1.5
    return near and _overlap(face, other) >= 0.95


def _overlap(face, other):
    """Intersection over union of two boxes."""
    (x, y, w, h), (u, v, m, n) = face["box"], other["box"]
    width = max(0, min(x + w, u + m) - max(x, u))
    height = max(0, min(y + h, v + n) - max(y, v))
    return width * height / max(w * h + m * n - width * height, 1)
