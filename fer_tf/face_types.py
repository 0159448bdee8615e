"""What is known of a face: the detector's part, and what a model reads in it."""

from collections.abc import Sequence
from typing import Protocol, TypedDict

import numpy as np


class DetectedFace(TypedDict):
    """A face as `fer_tf.faces.MTCNNDetector` finds it, in pixels of the picture.

    Keys:
        box: `[x, y, width, height]` in whole pixels, within the picture; (x, y) is the
            upper left corner.
        confidence: The detector's probability that this is a face, in [0, 1].
        landmarks: float64 `(5, 2)`, x and y of the left eye, the right eye, the nose
            and the left and right corner of the mouth, as they lie in the picture.
    """

    box: list[int]
    confidence: float
    landmarks: np.ndarray


class Detector(Protocol):
    """What finds the faces for a `fer_tf.Predictor`, as `MTCNNDetector` does."""

    def detect(self, images: Sequence[np.ndarray]) -> list[list[DetectedFace]]:
        """The faces of each picture, which is uint8 RGB `(height, width, 3)`."""


class Face(TypedDict, total=False):
    """A face that a model has read: plain values, which `json.dumps` takes.

    What a model does not predict is absent.

    Keys:
        box: As the detector's.
        confidence: As the detector's.
        landmarks: As the detector's, as five lists `[x, y]`.
        enlargement: Pixels of the model's crop for one pixel of the picture. Well
            above 1, the face is smaller than those of the training data, and its
            reading is less reliable.
        sharpness: How much detail the face has at 48 x 48 pixels, from 0 to about 1;
            see `fer_tf.faces.sharpness`.
        expression: Name of the most probable expression.
        probabilities: Probability of each expression by name; they sum to 1.
        unsure: Whether the likeliest expression's probability is below the threshold
            of the model's card; absent if it states none.
        valence: From -1, unpleasant, to 1, pleasant.
        arousal: From -1, calm, to 1, excited.
        circumplex_valence: By models of expressions without valence and arousal: the
            place that published norms give the probabilities, in [-1, 1]. It is
            derived, see `fer_tf.circumplex`.
        circumplex_arousal: As `circumplex_valence`.
        action_units: Probability in [0, 1] of each action unit by name: `"AU12"`.
        face_probability: Probability in [0, 1] that the crop shows a face, by models
            that tell faces from other pictures.
        track: In a video: number of the track, from 1: a face that was followed from
            frame to frame, until a cut or an absence.
        person: In a video that was read to its end: number of the person, from 1.
            None for a track that is no person, see `fer_tf.video.people`.
        unsmoothed: In a video that is smoothed over time, the readings of this frame
            alone: `probabilities`, `action_units`, `valence`, `arousal`.
    """

    box: list[int]
    confidence: float
    landmarks: list[list[float]]
    enlargement: float
    sharpness: float
    expression: str
    probabilities: dict[str, float]
    unsure: bool
    valence: float
    arousal: float
    circumplex_valence: float
    circumplex_arousal: float
    action_units: dict[str, float]
    face_probability: float
    track: int
    person: int | None
    unsmoothed: dict
