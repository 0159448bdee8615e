"""A picture -> its faces -> what a model reads in each, whatever runs the model.

`fer_tf.Predictor` is such a reader on Keras, `fer_tf.chain.Reader` one on the files of
an export. Neither TensorFlow nor Keras is imported here.
"""

import itertools
import os
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from fer_tf import circumplex, face_table
from fer_tf.face_types import DetectedFace, Detector, Face
from fer_tf.faces import alignment
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.faces.images import ImageError, read_image
from fer_tf.faces.sharpness import sharpness
from fer_tf.utils.finite import require_finite
from fer_tf.utils.names import shown
from fer_tf.utils.processes import require_own_process

# A picture in any form that `FaceReader.predict` takes.
Picture = str | os.PathLike | bytes | Image.Image | np.ndarray

BATCH = 16
"""Most faces that go through a model together."""


class FaceReader:
    """Finds the faces of pictures, and reads them.

    Args:
        detector: What finds the faces.
        crop_spec: How a face is cut out for the model.
        names: The model's outputs, as `fer_tf.model_io.serving.names_inside` gives
            them.
        unsure_below: Probability of the likeliest expression below which a face is
            `unsure`; None if there is no such threshold.

    Attributes:
        detector: As given.
        unsure_below: As given.
    """

    def __init__(
        self,
        *,
        detector: Detector,
        crop_spec: CropSpec,
        names: Mapping[str, Sequence[str]],
        unsure_below: float | None,
    ):
        self.detector = detector
        self.unsure_below = unsure_below
        self._crop_spec = crop_spec
        self._names = names
        self._has_circumplex = face_table.has_circumplex(names)

    def _outputs(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """The model's outputs by name for 1 to `BATCH` crops."""
        raise NotImplementedError

    def predict(self, image: Picture) -> list[Face]:
        """Reads every face of one picture.

        Args:
            image: Path or bytes of a picture, a picture of Pillow's, or uint8
                RGB `(height, width, 3)`.

        Returns:
            The faces, largest first, with the keys of `fer_tf.face_types.Face`;
            empty if there is none.

        Raises:
            ImageError: If the picture cannot be read.
            FloatingPointError: If the model's output for a face is NaN or infinite.
            RuntimeError: In a fork of the process that made this.
        """
        return self.predict_many([image])[0]

    def predict_many(self, images: Sequence[Picture]) -> list[list[Face]]:
        """Reads every face of several pictures together; see `predict`."""
        require_own_process("a reader of faces")
        arrays = [_as_array(image) for image in images]
        return self._read(arrays, self.detector.detect(arrays))

    def _read(self, arrays, detected) -> list[list[Face]]:
        """Reads the faces that were detected in each picture."""
        spec = self._crop_spec
        faces, crops = [[] for _ in arrays], []
        for array, faces_here, faces_there in zip(arrays, detected, faces):
            for face in faces_here:
                matrix = alignment.align_matrix(face["landmarks"], spec)
                crops.append(alignment.warp(array, matrix, spec))
                scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
                enlargement = round(float(scale), 3)
                faces_there.append(
                    {
                        **_plain(face),
                        "enlargement": enlargement,
                        "sharpness": round(sharpness(array, face["box"]), 3),
                    }
                )
        readings = iter(self.read_crops(np.array(crops)) if crops else ())
        for face in itertools.chain(*faces):
            face.update(next(readings))
            face.update(self._derived(face))
        size = lambda face: -face["box"][2] * face["box"][3]
        return [sorted(faces_there, key=size) for faces_there in faces]

    def columns(
        self, *, pictures: bool = True, videos: bool = False, smoothed: bool = False
    ) -> list[str]:
        """Columns of a table of this model's readings; see `fer_tf.face_table`."""
        return face_table.columns(
            self._names,
            pictures=pictures,
            videos=videos,
            smoothed=smoothed,
            unsure=self.unsure_below is not None,
        )

    def read_crops(self, crops: np.ndarray) -> list[Face]:
        """Reads faces that are cropped and aligned already.

        Args:
            crops: uint8 `(n, size, size, channels)`, by the model's crop spec.

        Returns:
            What the model predicts for each crop: the keys of `fer_tf.face_types.Face`
            from `expression` to `face_probability`, as far as it predicts them.

        Raises:
            ValueError: If the crops have another type or shape.
            FloatingPointError: If the model's output for a crop is NaN or infinite.
            RuntimeError: In a fork of the process that made this.
        """
        require_own_process("a reader of faces")
        crops = np.asarray(crops)
        spec = self._crop_spec
        shape = (spec.size, spec.size, spec.channels)
        if crops.dtype != np.uint8 or crops.shape[1:] != shape:
            raise ValueError(
                f"`crops` must be uint8 {('n', *shape)}. Received: {crops.dtype} "
                f"{crops.shape}."
            )
        columns = {}
        for start in range(0, len(crops), BATCH):
            for name, value in self._outputs(crops[start : start + BATCH]).items():
                columns.setdefault(name, []).append(value)
        columns = {name: np.concatenate(parts) for name, parts in columns.items()}
        require_finite(columns)
        return [self._named(columns, row) for row in range(len(crops))]

    def _derived(self, face: Face) -> Face:
        """What follows from a face's probabilities."""
        derived, probabilities = {}, face.get("probabilities")
        if probabilities and self.unsure_below is not None:
            derived["unsure"] = max(probabilities.values()) < self.unsure_below
        if self._has_circumplex:
            shares = list(probabilities.values())
            place = circumplex.circumplex(shares, list(probabilities))
            if np.isfinite(place).all():  # Not where only contempt is left.
                names = ("circumplex_valence", "circumplex_arousal")
                derived |= zip(names, place.tolist())
        return derived

    def _named(self, columns: dict[str, np.ndarray], row: int) -> Face:
        """One face's outputs under the names of their classes."""
        reading = {}
        if "probabilities" in columns:
            values = columns["probabilities"][row].tolist()
            names = self._names["expressions"]
            reading["expression"] = names[int(np.argmax(values))]
            reading["probabilities"] = dict(zip(names, values))
        if "valence_arousal" in columns:
            pair = np.clip(columns["valence_arousal"][row], -1, 1).tolist()
            reading["valence"], reading["arousal"] = pair
        for name in ("valence", "arousal"):
            if name in columns:
                value = columns[name][row]
                reading[name] = float(np.clip(np.squeeze(value), -1, 1))
        if "action_unit_probabilities" in columns:
            values = columns["action_unit_probabilities"][row].tolist()
            reading["action_units"] = dict(zip(self._names["action_units"], values))
        if "face_probabilities" in columns:
            reading["face_probability"] = float(columns["face_probabilities"][row][1])
        return reading


def _plain(face: DetectedFace) -> Face:
    """A detector's face without arrays."""
    lists = {name: np.asarray(face[name]).tolist() for name in ("box", "landmarks")}
    return {**face, **lists, "confidence": float(face["confidence"])}


def _as_array(image: Picture) -> np.ndarray:
    if isinstance(image, (str, os.PathLike)):
        try:
            return read_image(image)
        except ImageError as error:
            raise ImageError(f"{shown(image)}: {error}") from error
    if isinstance(image, (bytes, Image.Image)):
        return read_image(image)
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] != 3:
        raise ValueError(
            "`image` must be a path, bytes, a Pillow picture, or uint8 RGB (height, "
            f"width, 3). Received: {array.dtype} {array.shape}."
        )
    return array
