"""A photograph or video -> faces -> what a model reads in each.

Detection, alignment by the model's own crop spec, and one compiled call a
batch of faces. The command, the notebook and the page all go through here.
"""

import os
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from fer_tf.faces import MTCNNDetector, alignment
from fer_tf.faces.images import ImageError, read_image
from fer_tf.model_io import model_folder
from fer_tf.model_io.serving import make_serving_model
from fer_tf.model_io.views import require_finite
from fer_tf.utils.backend import require_tensorflow
from fer_tf.utils.names import shown
from fer_tf.utils.processes import require_own_process
from fer_tf.video import video_files
from fer_tf.video.tracking import Cuts, Tracker

# Faces go through the model in batches of this many, the last one filled up, so
# that one traced graph serves every photograph.
_BATCH = 16

# Frames of a video that are searched together.
_FRAMES = 4

# Faces found, and what is none taken for one, above a confidence:
#
#                                  0.5  0.6  0.7  0.8 0.85  0.9 0.95 0.98
#   photographs, 3 sizes (of 63)    63   62   62   62   60   60   59   58
#   London, 2 sizes (of 408)       408  408  408  408  408  408  406  401
#   press, 48 px (of 1,000)        997  997  996  996  996  994  980  927
#   FER2013, 48 px (of 1,196)     1086 1084 1077 1067 1058 1043  993  883
#   none, in photographs, noise
#     and scikit-image's pictures   26   16    6    2    1    0    0    0
#   none, in 6,000 patches of
#     everyday photographs        ~115  ~82  ~48   28   19   10    6    0
#
# Told true from none by eye; the patches' first three columns are estimates. A patch is
# counted at every size that it was searched at. 0.8 is the `mtcnn` package's. 0.9 loses
# two in a hundred of FER2013's faces and 14 in a hundred of those that pass by in the
# patches, and with them two of three false ones. Among photographs it loses a man in a
# helmet, 0.56 at full size and 0.84 at half: to find him at every size takes 0.5, and
# about 14 times as many false faces. Above 0.9 a child between two adults is lost.
MIN_FACE_SCORE = 0.9


def face_detector(min_face_score: float = MIN_FACE_SCORE) -> MTCNNDetector:
    """The detector of a `Predictor`, and of every command that reads photographs.

    Args:
        min_face_score: Least confidence of a face. Lower finds more faces, helmeted
            or in profile, and more that are none; higher the other way round.

    Raises:
        ValueError: If it is not between 0 and 1.
    """
    if not 0 < min_face_score < 1:
        raise ValueError(
            "`min_face_score` must be between 0 and 1. "
            f"Received: min_face_score={min_face_score}."
        )
    return MTCNNDetector(thresholds=(0.6, 0.7, min_face_score))


class Predictor:
    """Finds the faces of a picture and says what a model reads in them.

    Args:
        model: A model from `fer_tf.load`, or the path or name that it takes; the
            one that ships if none is given.
        detector: Anything with `MTCNNDetector`'s `detect`; what it takes for a face
            is its own affair.
        min_face_score: Least confidence of a face, where no `detector` is given; see
            `face_detector`.
    """

    def __init__(
        self,
        model: keras.Model | str | os.PathLike | None = None,
        *,
        detector=None,
        min_face_score: float = MIN_FACE_SCORE,
    ):
        require_tensorflow("a Predictor")
        require_own_process("a Predictor")
        self.model = (
            model if isinstance(model, keras.Model) else model_folder.load(model)
        )
        if not hasattr(self.model, "card"):
            raise ValueError(
                "`model` must come from fer_tf.load: a model without its crop spec "
                f"and labels cannot be fed rightly. Received: {self.model.name!r}."
            )
        self.card = self.model.card
        self.detector = detector or face_detector(min_face_score)
        serving = make_serving_model(self.model)
        spec = self.card.crop_spec
        self._call = tf.function(
            lambda crops: serving(crops, training=False),
            input_signature=[
                tf.TensorSpec((_BATCH, spec.size, spec.size, spec.channels), tf.uint8)
            ],
        )

    def predict(self, image) -> list[dict]:
        """Reads every face of one picture.

        Args:
            image: Path or bytes of a picture, a picture of Pillow's, or uint8
                RGB `(h, w, 3)`.

        Returns:
            A dict a face, largest first: `box` [x, y, width, height] and
            `landmarks` (5 points) in pixels of the picture, `confidence` of
            the detector, `enlargement`, and, as far as the model predicts them,
            `expression` (name), `probabilities` {name: p}, `valence` and
            `arousal` in [-1, 1], `action_units` {name: p}, `face_probability`.
            No face: an empty list. All of it are plain lists, texts and numbers,
            which `json.dumps` takes. `enlargement` is how many pixels of the crop
            one pixel of the picture became: well above 1, the face is smaller
            than those that the model was trained on, and its reading means less.

        Raises:
            ImageError: If the picture cannot be read.
            RuntimeError: In a fork of the process that made this.
        """
        return self.predict_many([image])[0]

    def predict_many(self, images) -> list[list[dict]]:
        """Reads every face of several pictures; see `predict`."""
        require_own_process("a Predictor")
        arrays = [_as_array(image) for image in images]
        found = self.detector.detect(arrays)
        spec = self.card.crop_spec
        crops, scales = [], []
        for array, faces in zip(arrays, found):
            for face in faces:
                matrix = alignment.align_matrix(face["landmarks"], spec)
                crops.append(alignment.warp(array, matrix, spec))
                scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
                scales.append({"enlargement": round(float(scale), 3)})
        readings = self.read_crops(np.array(crops)) if crops else ()
        read = iter(zip(scales, readings))
        results = [
            [
                {**_plain(face), **scale, **reading}
                for face, (scale, reading) in zip(faces, read)
            ]
            for faces in found
        ]
        size = lambda face: -face["box"][2] * face["box"][3]
        return [sorted(faces, key=size) for faces in results]

    def predict_video(
        self,
        path: str | os.PathLike,
        *,
        every: int = 1,
        smoothing: float = 0.3,
        max_gap: float = 1.0,
    ) -> Iterator[tuple[video_files.Frame, list[dict]]]:
        """Reads the faces of a video, a few frames at a time.

        Args:
            path: Of the video.
            every: Reads every n-th frame.
            smoothing: See `fer_tf.video.tracking.Tracker`.
            max_gap: Likewise.

        Yields:
            A frame and its faces, as `predict` returns them and with `track_id`,
            the number of the person.

        Raises:
            VideoError: If the video cannot be read, or not to its end: then
                after the last good frame.
        """
        tracker, cuts = Tracker(max_gap=max_gap, smoothing=smoothing), Cuts()
        frames = video_files.read_frames(path, every=every)
        for some in _some(frames, _FRAMES):
            read = self.predict_many([frame.image for frame in some])
            for frame, faces in zip(some, read):
                cut = cuts.at(frame.image)
                yield frame, tracker.update(faces, frame.time, cut=cut)

    def read_crops(self, crops: np.ndarray) -> list[dict]:
        """What the model says of aligned crops, uint8 `(n, size, size, c)`.

        Raises:
            ValueError: If they are no such crops.
            FloatingPointError: If the model says NaN or infinity of one.
            RuntimeError: In a fork of the process that made this.
        """
        require_own_process("a Predictor")
        crops = np.asarray(crops)
        spec = self.card.crop_spec
        wanted = (spec.size, spec.size, spec.channels)
        if crops.dtype != np.uint8 or crops.shape[1:] != wanted:
            raise ValueError(
                f"`crops` must be uint8 {('n', *wanted)}. Received: {crops.dtype} "
                f"{crops.shape}."
            )
        columns = {}
        for start in range(0, len(crops), _BATCH):
            batch = crops[start : start + _BATCH]
            filled = np.zeros((_BATCH, *batch.shape[1:]), np.uint8)
            filled[: len(batch)] = batch
            for name, value in self._call(filled).items():
                columns.setdefault(name, []).append(value.numpy()[: len(batch)])
        columns = {name: np.concatenate(parts) for name, parts in columns.items()}
        require_finite(columns)
        return [self._named(columns, row) for row in range(len(crops))]

    def _named(self, columns, row):
        """One face's outputs under the names of their classes."""
        reading = {}
        if "probabilities" in columns:
            values = columns["probabilities"][row].tolist()
            names = self.card.expressions[: len(values)]
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
            reading["action_units"] = dict(zip(self.card.action_units, values))
        if "face_probabilities" in columns:
            reading["face_probability"] = float(columns["face_probabilities"][row][1])
        return reading


def _some(frames, count):
    """Groups of frames; those before an error come before the error."""
    some = []
    try:
        for frame in frames:
            some.append(frame)
            if len(some) == count:
                yield some
                some = []
    except video_files.VideoError:
        if some:
            yield some
        raise
    if some:
        yield some


def _plain(face):
    """A detector's face without arrays."""
    lists = {name: np.asarray(face[name]).tolist() for name in ("box", "landmarks")}
    return {**face, **lists, "confidence": float(face["confidence"])}


def _as_array(image):
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
