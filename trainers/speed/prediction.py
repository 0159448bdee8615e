"""Speed of prediction compared with the usual way of known packages.

The usual way, rebuilt here, is the `mtcnn` package as it comes and one `model.predict`
a face. Both read the same encoded photographs with the same model, in turns.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence

import cv2
import numpy as np

from fer_tf import models, predictor
from fer_tf.faces import MTCNNDetector, alignment
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import Card
from fer_tf.model_io.serving import make_serving_model
from fer_tf.utils import flops
from trainers.common.cli import UsageError
from trainers.common.sample_photograph import write_astronaut
from trainers.speed.timing import device, in_turns, photographs, result

_TOGETHER = 8
_CROPS = 256

# A fresh process from nothing to its first reading.
_COLD_START = """
import time; start = time.perf_counter()
import sys, fer_tf
fer_tf.Predictor(sys.argv[1]).predict(sys.argv[2])
print(time.perf_counter() - start)
"""


def compare(model: str | None, photos: str | None, *, seconds: float) -> dict:
    """Times both ways: photographs and faces per second, and a cold start.

    Args:
        model: What `fer_tf.load` takes; None: an untrained `small_resnet`, which
            is as fast as a trained one.
        photos: Folder of photographs; None: scikit-image's astronaut.
        seconds: About how long each way is measured.
    """
    with tempfile.TemporaryDirectory() as scratch:
        model = model or untrained(scratch)
        paths = _photographs(photos, scratch)
        # With the stock package's least confidence, so that both find the same.
        reader = predictor.Predictor(model, detector=MTCNNDetector())
        ours = lambda: [
            face
            for start in range(0, len(paths), _TOGETHER)
            for faces in reader.predict_many(paths[start : start + _TOGETHER])
            for face in faces
        ]
        stock = _stock(reader.model)
        theirs = lambda: [face for path in paths for face in stock(path)]
        counts = {"faces": len(ours()), "stock_faces": len(theirs())}
        runs = {"": lambda: len(ours()), "stock": lambda: len(theirs())}
        rates = in_turns(runs, len(paths), seconds, calls=1)
        return {
            **result("predict", rates),
            "model": reader.card.model,
            "photographs": len(paths),
            **counts,
            "faces_per_second": _faces_a_second(reader, seconds),
            "cold_start_seconds": _cold_start(model, paths[0]),
        }


def faces(trained: Sequence[str], *, seconds: float) -> dict:
    """Times several models in turns: aligned faces per second, with all views.

    Args:
        trained: Workdirs or models, as `fer_tf.load` takes them.
        seconds: About how long each is measured.

    Returns:
        `{"what", "device", "models": {name in MODELS: numbers}}`. The operations are
        those of one window of a face.

    Raises:
        UsageError: If two are of the same architecture.
    """
    # No photograph is read, so no detector is needed.
    readers = [predictor.Predictor(path, detector=object()) for path in trained]
    by_name = {reader.card.model: reader for reader in readers}
    if len(by_name) < len(readers):
        raise UsageError(
            f"--trained: one network, which costs the same, twice: {', '.join(trained)}"
        )
    runs = {name: _reading(reader) for name, reader in by_name.items()}
    rates = in_turns(runs, _CROPS, seconds, calls=1)
    numbers = {
        name: {
            "parameters": reader.model.count_params(),
            "gflops_per_image": flops.flops_per_image(reader.model) / 1e9,
            "views": reader.card.views,
            "faces_per_second": statistics.median(rates[name]),
        }
        for name, reader in by_name.items()
    }
    return {"what": "faces", "device": device(), "models": numbers}


def untrained(scratch: str) -> str:
    """Saves an untrained small network in a folder, and returns the model's path."""
    folder = os.path.join(scratch, "model")
    network = models.create_model("small_resnet")
    card = Card(
        model="small_resnet", arguments={}, crop_spec=CROP_SPECS["meen"],
        views="center_mirror", average="logits",
    )  # fmt: skip
    model_folder.save(folder, network, card)
    return folder


def _photographs(folder, scratch):
    if folder is None:
        return [write_astronaut(scratch)]
    return photographs(folder)


def _stock(model):
    """Returns `read(path) -> probabilities of each face`, without our own parts."""
    from mtcnn import MTCNN

    spec, serving = model.card.crop_spec, make_serving_model(model)
    detector = MTCNN()

    def read(path):
        image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
        faces = []
        for face in detector.detect_faces(image):
            x, y, w, h = (max(0, round(v)) for v in face["box"])
            crop = cv2.resize(image[y : y + h, x : x + w], (spec.size, spec.size))
            crop = alignment.to_color(crop, spec.color)[None]
            faces.append(serving.predict(crop, verbose=0))
        return faces

    return read


def _faces_a_second(reader, seconds):
    rates = in_turns({"": _reading(reader)}, _CROPS, seconds, calls=1)
    return statistics.median(rates[""])


def _reading(reader):
    """A function that puts `_CROPS` aligned crops through a model."""
    spec = reader.card.crop_spec
    rng = np.random.default_rng(0)
    shape = (_CROPS, spec.size, spec.size, spec.channels)
    crops = rng.integers(0, 256, shape, dtype=np.uint8)
    return lambda: len(reader.read_crops(crops))


def _cold_start(model, photo):
    done = subprocess.run(
        [sys.executable, "-c", _COLD_START, model, photo],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(done.stdout.splitlines()[-1])
