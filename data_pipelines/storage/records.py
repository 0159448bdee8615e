"""The aligned-face record: the one schema between data sets and training.

A record holds the crop as PNG (lossless) and every label with its weight: a
label that is not annotated is a 0 with weight 0, never a NaN or a -1. Labels
are checked here, once, when records are written.

Of the other format, for machines without TensorFlow, see `data_pipelines.storage.npz`:
the same features under the same names.
"""

import contextlib
import errno
import json
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import cv2
import numpy as np

from data_pipelines.sources.errors import DataError
from data_pipelines.sources.sample import Sample
from data_pipelines.storage import schema
from fer_tf import labels
from fer_tf.utils import atomic
from fer_tf.utils.stderr import quiet_imports


def to_features(
    sample: Sample,
    image: np.ndarray,
    *,
    action_units: tuple[str, ...],
    num_landmarks: int,
    expressions: tuple[str, ...] = labels.EXPRESSIONS,
    votes: bool = False,
) -> dict[str, Any]:
    """The plain features of one record.

    Args:
        sample: A sample whose split is decided.
        image: uint8 `(size, size, 1 or 3)` crop.
        action_units: Vocabulary of the record's action units, in order.
        num_landmarks: Points of the data set; 0 where it gives none.
        expressions: Vocabulary of its expressions, likewise in order.
        votes: Whether the data set gives the shares of raters' votes.

    Returns:
        `{name: NumPy array, int, float or str}` as `record_files.parse` reads them
        back, with `image` as pixels, not PNG.

    Raises:
        DataError: If a label is out of range.
    """
    named = sample.expression is not None
    dimensional = sample.valence is not None and sample.arousal is not None
    values = (sample.valence, sample.arousal) if dimensional else (0.0, 0.0)
    if not all(math.isfinite(v) and -1 <= v <= 1 for v in values):
        raise DataError(f"valence and arousal must lie in [-1, 1], are {values}")
    units = sample.action_units or {}
    if any(value not in (0, 1) for value in units.values()):
        raise DataError(f"action units must be 0 or 1, are {dict(units)}")
    expression = expressions.index(sample.expression) if named else 0
    located = num_landmarks > 0 and sample.landmarks is not None
    points = np.zeros((num_landmarks, 2), np.float32)
    if located:
        points = _points(sample, num_landmarks)
    return {
        "image": image,
        "sample_id": sample.sample_id,
        "subject": sample.subject or "",
        "video": sample.video or "",
        "frame": -1 if sample.frame is None else sample.frame,
        "groups": json.dumps(dict(sample.groups or {}), sort_keys=True),
        # What augmentation is keyed on: the same for an example everywhere.
        "key": zlib.crc32(sample.sample_id.encode()),
        "expression": expression,
        "expression_weight": float(named),
        "valence_arousal": np.asarray(values, np.float32),
        "valence_arousal_weight": float(dimensional),
        "action_units": np.array(
            [units.get(name, 0) for name in action_units], np.float32
        ),
        "action_units_weight": np.array(
            [name in units for name in action_units], np.float32
        ),
        "is_face": int(bool(sample.is_face)),
        "is_face_weight": float(sample.is_face is not None),
        "landmarks": points,
        "landmarks_weight": float(located),
        **({"votes": _votes(sample, expressions)} if votes else {}),
    }


def _points(sample, num_landmarks):
    """Landmarks of a sample, float32 `(num_landmarks, 2)`."""
    points = np.asarray(sample.landmarks, np.float32)
    if points.shape != (num_landmarks, 2) or not np.isfinite(points).all():
        raise DataError(
            f"landmarks must be {num_landmarks} finite points, are {points.shape}"
        )
    return points


def _votes(sample, expressions):
    """Shares of the raters' votes, float32, in the order of the expressions."""
    shares = sample.votes or {}
    row = np.array([shares.get(name, 0) for name in expressions], np.float32)
    if not (row >= 0).all() or not math.isclose(row.sum(), 1, abs_tol=1e-5):
        raise DataError(f"shares of votes must sum to 1, are {dict(shares)}")
    return row


def serialize(features: Mapping[str, Any]) -> bytes:
    """Features from `to_features` as a serialized `tf.train.Example`."""
    import tensorflow as tf

    # OpenCV writes BGR; a record's PNG holds what any reader expects, RGB.
    image = features["image"]
    stored = image if image.shape[-1] == 1 else image[..., ::-1]
    encoded = cv2.imencode(".png", stored)[1].tobytes()
    message = {}
    for name, value in {**features, "image": encoded}.items():
        if isinstance(value, (bytes, str)):
            value = value.encode() if isinstance(value, str) else value
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        elif isinstance(value, int):
            feature = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        else:
            floats = np.asarray(value, np.float32).ravel()
            feature = tf.train.Feature(float_list=tf.train.FloatList(value=floats))
        message[name] = feature
    example = tf.train.Example(features=tf.train.Features(feature=message))
    return example.SerializeToString(deterministic=True)


@contextlib.contextmanager
def writer(path: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yields a function that adds an example to a shard, which appears when whole.

    Raises:
        OSError: If it cannot be written.
    """
    with quiet_imports():
        import tensorflow as tf

    with atomic.replacing(path) as temporary:
        with _plain_errors(path):
            file = tf.io.TFRecordWriter(temporary)

        def write(features):
            with _plain_errors(path):
                file.write(serialize(features))

        try:
            yield write
        finally:
            with _plain_errors(path):
                file.close()


@contextlib.contextmanager
def _plain_errors(path):
    """Turns TensorFlow's errors into Python's, which travel between processes."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        reason = error.message.rpartition(";")[2].strip()
        raise OSError(errno.EIO, reason, path) from error


def feature_spec(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """`tf.io` parsing spec of a prepared folder's records."""
    import tensorflow as tf

    kinds = {np.bytes_: tf.string}
    return {"image": tf.io.FixedLenFeature((), tf.string)} | {
        name: tf.io.FixedLenFeature(shape, kinds.get(kind, kind))
        for name, (kind, shape) in schema.features(manifest).items()
    }
