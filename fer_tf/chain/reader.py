"""Reads faces with the files of an export: no TensorFlow, no Keras."""

import os

import numpy as np
import onnxruntime

from fer_tf.chain import description
from fer_tf.chain.patches import patches
from fer_tf.face_reader import FaceReader
from fer_tf.faces.cascade import Cascade
from fer_tf.utils.processes import require_own_process

# Sides of the patches that R-Net and O-Net take.
_REFINED, _OUTPUT = 24, 48


class Reader(FaceReader):
    """Finds and reads faces as `fer_tf.Predictor` does, by ONNX Runtime.

    Its `predict` and `predict_many` take and give what the Predictor's do.

    Args:
        folder: What `python -m trainers.export --chain` wrote.
        threads: Processor cores that one network uses; 0 for all of them.

    Attributes:
        facts: What the folder's `chain.json` says.

    Raises:
        ValueError: If the folder does not hold a whole, undamaged chain.

    Example, of a photograph::

        from fer_tf.chain import Reader

        reader = Reader("exports/chain")
        faces = reader.predict("photo.jpg")  # [{"box": ..., "expression": ...}]
    """

    def __init__(self, folder: str | os.PathLike, *, threads: int = 0):
        require_own_process("a reader of faces")
        described = description.read(folder)
        self.facts = described.facts
        networks = {
            name: _Network(os.path.join(folder, name), threads)
            for name in description.FILES
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


class _Network:
    """A file that ONNX Runtime runs.

    Attributes:
        names: Of its outputs.
    """

    def __init__(self, path, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that wait in a loop take the processor from the other network's.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has a class for each reason.
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(f"{path}: ONNX Runtime refuses it ({line})") from error
        (taken,) = self._session.get_inputs()
        self._input = taken.name
        self.names = [output.name for output in self._session.get_outputs()]

    def __call__(self, values) -> list[np.ndarray]:
        return self._session.run(None, {self._input: values})


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
