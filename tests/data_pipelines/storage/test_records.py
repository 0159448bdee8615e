import numpy as np
import pytest
import tensorflow as tf

from data_pipelines.sources import DataError, Sample
from data_pipelines.storage import records

UNITS = ("AU1", "AU2", "AU12")
MANIFEST = {"action_units": UNITS, "num_landmarks": 5, "votes": False}
POINTS = np.arange(10.0).reshape(5, 2)


def features(image=None, **labels):
    sample = Sample(sample_id="a/1", split="train", **labels)
    image = np.zeros((8, 8, 3), np.uint8) if image is None else image
    return records.to_features(sample, image, action_units=UNITS, num_landmarks=5)


def round_trip(found):
    serialized = records.serialize(found)
    return tf.io.parse_single_example(serialized, records.feature_spec(MANIFEST))


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_survive_bit_for_bit_in_rgb_order(channels):
    image = np.random.default_rng(0).integers(0, 256, (8, 8, channels), dtype=np.uint8)
    parsed = round_trip(features(image))
    np.testing.assert_array_equal(tf.io.decode_png(parsed["image"]), image)


def test_labels_survive_with_their_weights():
    parsed = round_trip(
        features(
            expression="fear",
            valence=-0.5,
            arousal=0.25,
            action_units={"AU12": 1, "AU1": 0},
            is_face=True,
            landmarks=POINTS,
        )
    )
    assert int(parsed["expression"]) == 4
    np.testing.assert_array_equal(parsed["valence_arousal"], [-0.5, 0.25])
    np.testing.assert_array_equal(parsed["action_units"], [0, 0, 1])
    np.testing.assert_array_equal(parsed["action_units_weight"], [1, 0, 1])
    np.testing.assert_array_equal(parsed["landmarks"], POINTS)
    for task in ("expression", "valence_arousal", "is_face", "landmarks"):
        assert parsed[f"{task}_weight"].numpy() == [1.0]


def test_a_missing_label_is_zero_with_weight_zero():
    parsed = round_trip(features(valence=0.3))  # Arousal is missing: neither counts.
    for task in ("expression", "valence_arousal", "action_units", "is_face"):
        assert not parsed[task].numpy().any()
        assert not parsed[f"{task}_weight"].numpy().any()


@pytest.mark.parametrize(
    "labels, message",
    [
        (dict(valence=float("nan"), arousal=0.0), "valence and arousal"),
        (dict(valence=-2.0, arousal=0.0), "valence and arousal"),
        (dict(valence=0.0, arousal=float("inf")), "valence and arousal"),
        (dict(action_units={"AU1": -1}), "action units must be 0 or 1"),
        (dict(action_units={"AU1": 3}), "action units must be 0 or 1"),
        (dict(landmarks=POINTS[:4]), "5 finite points"),
        (dict(landmarks=POINTS * np.nan), "5 finite points"),
    ],
)
def test_a_label_out_of_range_is_refused(labels, message):
    with pytest.raises(DataError, match=message):
        features(**labels)
