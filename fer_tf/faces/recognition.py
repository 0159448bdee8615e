"""Knowing a person again: 128 numbers of a face, by dlib's face-recognition network.

The network and what its photographs were: `fer_tf.models.face_resnet29`. Its weights
do not ship with this package: `fer_tf.convert.dlib_face` says where they are.

It was trained on dlib's chips, 150 pixels in colour with a padding of 0.25. The crop
`CROP_SPECS["dlib_face"]` puts our five points, of MTCNN or of annotations, where the
mean face of those chips has them.

Two embeddings of one person lie about 0.23 apart, of two people about 0.84: at 0.5,
hardly any pair is taken wrongly where photographs are good. dlib's own threshold, 0.6,
refuses fewer pairs of one person and takes 0.8 % of the others for one (measured on 102
people: `fer_tf/models/README.md`).
"""

import os

import numpy as np

from fer_tf.faces.crop_spec import CROP_SPECS

CROP_SPEC = CROP_SPECS["dlib_face"]
"""The crop that the embedding is made from: 150 pixels, RGB."""


class FaceEmbedder:
    """Turns faces into points that lie near each other if the person is the same.

    Args:
        path: File of published weights, see `fer_tf.convert.dlib_face`.
        sha256: Digest that the file must have; it is printed in any case.
        batch_size: Faces at a time.

    Raises:
        ValueError: If it is another file.

    Example, of a photograph with a face::

        embedder = FaceEmbedder("vladmandic-face-api-1.7.15.tgz")
        face = MTCNNDetector().detect(photo)[0]
        crop = align(photo, face["landmarks"], CROP_SPECS["dlib_face"])
        embedding = embedder.embed(crop[None])[0]
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        sha256: str | None = None,
        batch_size: int = 32,
    ):
        from fer_tf.convert.dlib_face import load_dlib_face
        from fer_tf.models import create_model

        self._model = create_model("face_embedding")
        self._batch_size = batch_size
        load_dlib_face(self._model, path, sha256=sha256)

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Embeddings of aligned faces.

        Args:
            crops: uint8 `(n, 150, 150, 3)`, as `align` makes them by
                `CROP_SPECS["dlib_face"]`.

        Returns:
            float32 `(n, 128)`. What counts is the Euclidean distance of two.

        Raises:
            ValueError: If the crops are of another type or size.
        """
        crops = np.asarray(crops)
        shape = (CROP_SPEC.size, CROP_SPEC.size, CROP_SPEC.channels)
        if crops.dtype != np.uint8 or crops.shape[1:] != shape:
            raise ValueError(
                f"`crops` must be uint8 (n, {', '.join(map(str, shape))}). Received: "
                f"{crops.dtype} {crops.shape}."
            )
        if not len(crops):
            return np.zeros((0, 128), np.float32)
        # Of a face or two, `predict` takes four times as long, and some memory a call.
        parts = np.split(crops, range(self._batch_size, len(crops), self._batch_size))
        batches = (
            self._model.predict_on_batch(part.astype("float32")) for part in parts
        )
        return np.concatenate([batch["embedding"] for batch in batches])
