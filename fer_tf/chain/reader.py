"""Reads faces with the files of an export: no TensorFlow, no Keras."""

import importlib
import importlib.util
import os

import numpy as np

from fer_tf.chain import description
from fer_tf.chain.patches import patches
from fer_tf.face_reader import FaceReader
from fer_tf.faces.cascade import Cascade
from fer_tf.utils.processes import require_own_process

# Sides of the patches that R-Net and O-Net take.
_REFINED, _OUTPUT = 24, 48

# Runtime -> what it is imported as, and the module of ours that does.
_RUNTIMES = {
    "onnx": ("onnxruntime", "fer_tf.chain.onnx_network"),
    "litert": ("ai_edge_litert", "fer_tf.chain.litert_network"),
}


class Reader(FaceReader):
    """Finds and reads faces as `fer_tf.Predictor` does, by ONNX Runtime or LiteRT.

    Its `predict` and `predict_many` take and give what the Predictor's do.

    Args:
        folder: What `python -m trainers.export --chain` wrote.
        runtime: `"onnx"` or `"litert"`; None for the first that the folder has the
            networks for and that is installed.
        threads: Processor cores that one network uses; 0 for all of them.

    Attributes:
        runtime: That which is used.
        facts: What the folder's `chain.json` says.

    Raises:
        ValueError: If the folder does not hold a whole, undamaged chain, or not for a
            runtime that is installed.

    Example, of a photograph::

        from fer_tf.chain import Reader

        reader = Reader("exports/chain")
        faces = reader.predict("photo.jpg")  # [{"box": ..., "expression": ...}]
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        *,
        runtime: str | None = None,
        threads: int = 0,
    ):
        require_own_process("a reader of faces")
        described = description.read(folder)
        self.facts = described.facts
        self.runtime = _chosen(runtime, described.runtimes, folder)
        description.check_files(folder, self.facts, self.runtime)
        network = importlib.import_module(_RUNTIMES[self.runtime][1]).Network
        files = zip(description.NETWORKS, description.files(self.runtime))
        networks = {
            name: network(os.path.join(folder, file), threads) for name, file in files
        }
        self._model = networks[description.MODEL]
        super().__init__(
            detector=Cascade(_Detection(networks), described.detector),
            crop_spec=described.crop_spec,
            names=described.names,
            unsure_below=described.unsure_below,
        )

    def _outputs(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(self._model.names, self._model(crops)))


def _chosen(asked, there, folder):
    """The runtime to use."""
    wanted = there if asked is None else [asked]
    if not {*wanted} <= {*there}:
        raise ValueError(
            f"{folder}: holds networks for {', '.join(there)}, not for {asked}"
        )
    for name in wanted:
        if importlib.util.find_spec(_RUNTIMES[name][0]) is not None:
            return name
    packages = " or ".join(_RUNTIMES[name][0].replace("_", "-") for name in wanted)
    raise ValueError(f"{folder}: to run its networks, {packages} must be installed")


class _Detection:
    """MTCNN's networks; see `fer_tf.faces.cascade.Networks`."""

    def __init__(self, networks):
        self._proposal = {
            3: networks[description.PROPOSAL],
            4: networks[description.PROPOSAL_SHEET],
        }
        self._refinement = networks[description.REFINEMENT]
        self._output = networks[description.OUTPUT]

    def canvas(self, shape):
        return np.empty(shape, np.float32)

    def propose(self, sheets, least_logit):
        (everywhere,) = self._proposal[sheets.shape[-1]](sheets)
        places = np.argwhere(everywhere[..., 4] > least_logit)
        return places, everywhere[tuple(places.T)]

    def held(self, image):
        return image

    def refine(self, image, boxes):
        return self._refinement(patches(image, boxes, _REFINED))

    def output(self, image, boxes):
        return self._output(patches(image, boxes, _OUTPUT))
