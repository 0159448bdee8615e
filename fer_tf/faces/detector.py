"""Faces and their five landmarks in photographs, by MTCNN.

The networks, weights, rules and results are those of the `mtcnn` package (Zhang et
al., 2016, https://arxiv.org/abs/1604.02878). It is faster: the scales of a picture go
through P-Net drawn on two sheets, R-Net and O-Net cut out their own candidates, and no
new size is traced again.
"""

from collections.abc import Sequence

import numpy as np

from fer_tf.faces.cascade import Cascade, Settings
from fer_tf.utils.processes import require_own_process
from fer_tf.utils.stderr import quiet_imports


class MTCNNDetector(Cascade):
    """Finds faces: `MTCNNDetector().detect(image)`.

    Args:
        min_face_size: Side in pixels of the smallest face to look for, at least
            12. The time grows with its inverse square.
        scale_factor: Ratio of one scale of the pyramid to the one before.
        thresholds: Least confidence after P-Net, R-Net and O-Net.
        max_side: A picture with a longer side is shrunk to it first, and the faces are
            scaled back; so its smallest face is larger.
        device: Where TensorFlow runs the networks.

    Raises:
        ValueError: If an argument is outside its range.

    >>> MTCNNDetector().detect(np.zeros((48, 64, 3), np.uint8))  # No face is there.
    []
    """

    def __init__(
        self,
        min_face_size: float = 20,
        *,
        scale_factor: float = 0.709,
        thresholds: Sequence[float] = (0.6, 0.7, 0.8),
        max_side: int = 2048,
        device: str = "CPU:0",
    ):
        settings = Settings(
            min_face_size=min_face_size,
            scale_factor=scale_factor,
            thresholds=thresholds,
            max_side=max_side,
        )
        require_own_process("a detector")
        super().__init__(_TensorFlow(device), settings)


class _TensorFlow:
    """The three networks, by TensorFlow; see `fer_tf.faces.cascade.Networks`."""

    def __init__(self, device):
        # Here and not at the top: `import fer_tf.faces` is light. Quietly: a worker of
        # `prepare` imports TensorFlow, and asks for its devices, here first.
        with quiet_imports():
            import tensorflow as tf

            from fer_tf.faces import networks

            self._proposal = {n: networks.proposal_network(n) for n in (3, 4)}
            self._refinement = networks.refinement_network()
            self._output = networks.output_network()
        self._tf, self._networks, self._device = tf, networks, device
        self.canvas, self.held = networks.empty, tf.constant

    def propose(self, sheets, least_logit):
        with self._tf.device(self._device):
            network = self._proposal[sheets.shape[-1]]
            tensors = network(self._networks.tensor(sheets), least_logit)
        return tuple(map(np.asarray, tensors))

    def refine(self, image, boxes):
        return self._of_patches(self._refinement, image, boxes)

    def output(self, image, boxes):
        return self._of_patches(self._output, image, boxes)

    def _of_patches(self, network, image, boxes):
        size = network.inputs[0].shape[1]
        with self._tf.device(self._device):
            boxes = self._tf.constant(boxes)
            tensors = network(self._networks.patches(image, boxes, size))
        return tuple(map(np.asarray, tensors))
