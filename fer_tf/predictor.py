"""A photograph or video -> its faces -> what a Keras model reads in each.

Faces are detected, aligned by the model's own crop spec, and read in batches by one
compiled call. The command, the notebook and the page all use this class.
"""

import os
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from fer_tf import face_frame
from fer_tf.arguments import require
from fer_tf.face_reader import BATCH, FaceReader
from fer_tf.face_types import Detector, Face
from fer_tf.faces import MTCNNDetector
from fer_tf.faces.pyramid import WINDOW
from fer_tf.model_io import model_folder
from fer_tf.model_io.serving import make_serving_model, names_inside
from fer_tf.utils.backend import require_tensorflow
from fer_tf.utils.processes import require_own_process
from fer_tf.video import video_files
from fer_tf.video.following import Follower
from fer_tf.video.tracking import MAX_GAP, SMOOTHING, Cuts, Tracker

# Frames of a video that are searched together.
_FRAMES = 4

# Number of faces found, and of false ones, above a least confidence:
#
#                                  0.5  0.6  0.7  0.8 0.85  0.9 0.95 0.98
#   photographs, 3 sizes (of 63)    63   62   62   62   60   60   59   58
#   London, 2 sizes (of 408)       408  408  408  408  408  408  406  401
#   press, 48 px (of 1,000)        997  997  996  996  996  994  980  927
#   FER2013, 48 px (of 1,196)     1086 1084 1077 1067 1058 1043  993  883
#   false, in photographs, noise
#     and scikit-image's pictures   26   16    6    2    1    0    0    0
#   false, in 6,000 patches of
#     everyday photographs        ~115  ~82  ~48   28   19   10    6    0
#
# We told true from false by eye; the first three columns of the patches are estimates.
# A patch counts once for each size at which it was searched. The `mtcnn` package uses
# 0.8. Compared with that, 0.9 loses two in a hundred of FER2013's faces and 14 in a
# hundred of those in the background of the patches, and with them two of three false
# ones. In the photographs it loses a man in a helmet, whose confidence is 0.56 at full
# size and 0.84 at half. To find him at every size takes 0.5, and about 14 times as many
# false faces. Above 0.9, a child between two adults is lost.
MIN_FACE_SCORE = 0.9


SMALLEST_FACE = 20
"""Side in pixels of the smallest face that is looked for."""


def face_detector(
    min_face_score: float = MIN_FACE_SCORE, smallest_face: float = SMALLEST_FACE
) -> MTCNNDetector:
    """The detector of a `Predictor` and of every command that reads photographs.

    Args:
        min_face_score: Least confidence of a face, between 0 and 1. A lower value
            finds more faces, such as those in profile, and more false ones.
        smallest_face: Side in pixels of the smallest face to look for, at least 12.
            At twice the side, the search takes about half of the time.

    Raises:
        ValueError: If the score is not between 0 and 1, or the side is less than 12.
    """
    require(0 < min_face_score < 1, "be between 0 and 1", min_face_score=min_face_score)
    require(
        smallest_face >= WINDOW, f"be at least {WINDOW}", smallest_face=smallest_face
    )
    thresholds = (0.6, 0.7, min_face_score)
    return MTCNNDetector(smallest_face, thresholds=thresholds)


class Predictor(FaceReader):
    """Finds the faces of pictures and videos, and reads them with a model.

    Args:
        model: A model from `fer_tf.load`, or the path or name that it takes; by
            default the model that comes with the package.
        detector: What finds the faces; by default `face_detector` with the two
            following arguments.
        min_face_score: Least confidence of a face; see `face_detector`.
        smallest_face: Side of the smallest face in pixels; see `face_detector`.

    Attributes:
        card: The model's `fer_tf.model_io.card.Card`.
        unsure_below: Probability of the likeliest expression below which a face is
            `unsure`; None if the model's card states none.

    Raises:
        ValueError: If the model has no crop spec and labels, or a number is outside
            its range.

    Example:
        >>> import fer_tf, numpy as np
        >>> predictor = fer_tf.Predictor()
        >>> predictor.predict(np.zeros((60, 80, 3), np.uint8))  # No face in it.
        []
    """

    def __init__(
        self,
        model: keras.Model | str | os.PathLike | None = None,
        *,
        detector: Detector | None = None,
        min_face_score: float = MIN_FACE_SCORE,
        smallest_face: float = SMALLEST_FACE,
    ):
        require_tensorflow("a Predictor")
        require_own_process("a Predictor")
        self.model = (
            model if isinstance(model, keras.Model) else model_folder.load(model)
        )
        require(
            hasattr(self.model, "card"),
            "come from fer_tf.load, which adds its crop spec and labels",
            model=self.model.name,
        )
        self.card = self.model.card
        super().__init__(
            detector=detector or face_detector(min_face_score, smallest_face),
            crop_spec=self.card.crop_spec,
            names=names_inside(self.model),
            unsure_below=getattr(self.model, "unsure_below", None),
        )
        serving = make_serving_model(self.model)
        spec = self.card.crop_spec
        self._call = tf.function(
            lambda crops: serving(crops, training=False),
            input_signature=[
                tf.TensorSpec((BATCH, spec.size, spec.size, spec.channels), tf.uint8)
            ],
            autograph=False,  # Keras' layers need none, and it takes a while.
        )

    def _outputs(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        # Filled up, so that one traced graph serves every photograph.
        filled = np.zeros((BATCH, *crops.shape[1:]), np.uint8)
        filled[: len(crops)] = crops
        outputs = self._call(filled)
        return {name: value.numpy()[: len(crops)] for name, value in outputs.items()}

    def predict_video(
        self,
        path: str | os.PathLike,
        *,
        every: int = 1,
        search_every: int = 1,
        smoothing: float = SMOOTHING,
        max_gap: float = MAX_GAP,
    ) -> Iterator[tuple[video_files.Frame, list[Face]]]:
        """Reads the faces of a video, a few frames at a time.

        Args:
            path: Of the video.
            every: Reads every n-th frame.
            search_every: Searches every n-th of these for faces, and the first of each
                shot. In between, faces are followed, which is faster, and new ones are
                not seen; see `fer_tf.video.following.Follower`.
            smoothing: Seconds over which each track's readings are averaged; see
                `fer_tf.video.tracking.Tracker`.
            max_gap: Seconds that a face may be unseen and keep its track.

        Yields:
            A frame and its faces: those of `predict` with `track`, the number of
            the track, and with smoothing `unsmoothed`. `fer_tf.video.people` says
            which tracks show the same person.

        Raises:
            VideoError: If the video cannot be read. If it is damaged, this comes after
                the last good frame.
            ValueError: If `search_every` is less than 1, or more and the detector
                cannot follow.
            FloatingPointError: If the model's output for a face is NaN or infinite.
        """
        tracker, cuts = Tracker(max_gap=max_gap, smoothing=smoothing), Cuts()
        follower = Follower(self.detector, search_every)
        frames = video_files.read_frames(path, every=every)
        for group in _groups(frames, _FRAMES):
            images = [frame.image for frame in group]
            new_shot = [cuts.at(image) for image in images]
            predicted = self._read(images, follower.detect(images, new_shot))
            for frame, faces, cut in zip(group, predicted, new_shot):
                faces = tracker.update(faces, frame.time, cut=cut)
                # From the smoothed probabilities, if they are smoothed.
                yield frame, [{**face, **self._derived(face)} for face in faces]

    def frame(
        self,
        paths: str | os.PathLike | Sequence[str | os.PathLike],
        *,
        every: int = 1,
        smoothing: float = SMOOTHING,
    ):
        """Reads pictures and videos into a pandas frame; needs the extra `table`.

        Args:
            paths: Of one or many pictures and videos.
            every: Reads every n-th frame of a video.
            smoothing: Seconds; as of `predict_video`.

        Returns:
            A `pandas.DataFrame` with the columns of `columns`: a row for each face,
            and one for a picture or video frame without any. `condition` is the folder
            that a file lies in. A picture that cannot be read has an `error`.

        Raises:
            VideoError: If a video cannot be read.
            ModuleNotFoundError: If pandas is not installed.
        """
        return face_frame.frame(self, paths, every=every, smoothing=smoothing)


def _groups(frames, count):
    """Groups of frames; the frames before an error come before it."""
    group = []
    try:
        for frame in frames:
            group.append(frame)
            if len(group) == count:
                yield group
                group = []
    except video_files.VideoError:
        if group:
            yield group
        raise
    if group:
        yield group
