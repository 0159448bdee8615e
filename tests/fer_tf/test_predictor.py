import dataclasses
import json
import os
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest
from PIL import Image

from data_pipelines import synthetic
from fer_tf import models, predictor
from fer_tf.faces import MTCNNDetector, alignment, read_image
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.faces.sharpness import sharpness
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import Card
from fer_tf.model_io.serving import names_inside
from fer_tf.model_io.views import make_inference_model
from tests.testing_utils import TINY, save_tiny_model


class KnownFaces:
    """Stands in for the detector: says what the test says."""

    def __init__(self, faces):
        self.faces = faces

    def detect(self, images):
        return [[dict(face) for face in faces] for faces in self.faces[: len(images)]]


def face(landmarks, size):
    return {
        "box": [10, 10, size, size],
        "confidence": 0.99,
        "landmarks": alignment.landmarks5(landmarks),
    }


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    keras.utils.set_random_seed(0)
    save_tiny_model(folder, CROP_SPECS["meen"], views="center_mirror")
    return model_folder.load(folder)


@pytest.fixture(scope="module")
def drawn():
    options = synthetic.SyntheticOptions(size=160)
    return [synthetic.draw(index, options) for index in range(20)]


def test_a_face_is_aligned_by_the_models_own_crop_spec(model, drawn):
    known = KnownFaces([[face(drawn[0].landmarks, 100)]])
    (found,) = predictor.Predictor(model, detector=known).predict(drawn[0].image)
    points = alignment.landmarks5(drawn[0].landmarks)
    crop = alignment.align(drawn[0].image, points, CROP_SPECS["meen"])
    inference = make_inference_model(model, model.crop_spec, views="center_mirror")
    expected = np.asarray(inference(crop[None].astype("float32"))["probabilities"])[0]
    names = model.card.expressions[:7]
    for name, probability in zip(names, expected):
        assert found["probabilities"][name] == pytest.approx(float(probability), 1e-4)
    assert found["expression"] == names[expected.argmax()]
    assert found["box"] == [10, 10, 100, 100] and found["confidence"] == 0.99


@pytest.fixture(scope="module")
def two_headed():
    """A model of an expression, valence and arousal, whose card the tests replace."""
    return saying("two_att_two_mt_1block", {}, crop_spec=CROP_SPECS["wang2018"])


@pytest.mark.parametrize(
    "trained, read",
    [(None, {"expression", "valence", "arousal"}), (("expression",), {"expression"}),
     (("expression", "valence", "arousal"), {"expression", "valence", "arousal"}),
     (("valence_arousal",), {"valence", "arousal"})],
    ids=["not noted", "category", "all", "dimensions"],
)  # fmt: skip
def test_a_head_that_nothing_trained_is_not_read_out(
    trained, read, two_headed, monkeypatch
):
    card = dataclasses.replace(two_headed.card, trained=trained)
    monkeypatch.setattr(two_headed, "card", card)
    size, channels = card.crop_spec.size, card.crop_spec.channels
    reader = predictor.Predictor(two_headed, detector=KnownFaces([]))
    (reading,) = reader.read_crops(np.zeros((1, size, size, channels), np.uint8))
    assert set(reading) - {"probabilities"} == read
    named = {"expressions"} if "expression" in read else set()
    named |= {"valence_arousal"} if "valence" in read else set()
    assert set(names_inside(two_headed)) - {"crop_spec"} == named


def saying(name, outputs, **card):
    """A model whose outputs are the same for every crop: its last layers' biases."""
    card["arguments"] = {"width": 0.125, **card.get("arguments", {})}
    network = models.create_model(name, **card["arguments"])
    for layer, values in outputs.items():
        kernel, bias = network.get_layer(layer).get_weights()
        network.get_layer(layer).set_weights([0 * kernel, 0 * bias + values])
    network.card = Card(model=name, views="center", average="logits", **card)
    network.crop_spec = network.card.crop_spec
    return network


def test_every_output_is_read_out_under_its_own_name():
    units = np.array([-3.0, -2, -1, 0, 1, 2, 3, 4])
    classes = np.array([0.0, 1, 2, 3, 6, 5, 4])
    spec = dataclasses.replace(CROP_SPECS["zhang2020"], size=48)
    small = {"input_shape": (48, 48, 3)}
    outputs = {"expression": classes, "valence_arousal": [0.25, -2.0],
               "action_units": units}  # fmt: skip
    model = saying("mtanet_senet50", outputs, crop_spec=spec, arguments=small)
    reader = predictor.Predictor(model, detector=KnownFaces([]))
    (found,) = reader.read_crops(np.zeros((1, 48, 48, 3), np.uint8))
    assert (found["valence"], found["arousal"]) == (0.25, -1.0)  # Kept within -1 to 1.
    assert found["action_units"] == pytest.approx(
        dict(zip(("AU1", "AU2", "AU4", "AU6", "AU12", "AU15", "AU20", "AU25"),
                 1 / (1 + np.exp(-units)))), rel=1e-5
    )  # fmt: skip
    assert found["expression"] == "fear"
    names = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
    assert found["probabilities"] == pytest.approx(
        dict(zip(names, np.exp(classes) / np.exp(classes).sum())), rel=1e-5
    )
    inside = names_inside(model)
    assert inside["valence_arousal"] == ["valence", "arousal"]
    assert inside["action_units"][:3] == ["AU1", "AU2", "AU4"]


def test_what_follows_from_the_probabilities():
    """Happiness and fear at one half each: their norms' mean; unsure below 0.6."""
    half = np.array([-99.0, 0, -99, -99, 0, -99, -99])
    small = saying("small_resnet", {"expression": half}, crop_spec=CROP_SPECS["meen"])
    small.unsure_below = 0.6
    points = synthetic.draw(0, synthetic.SyntheticOptions(size=160)).landmarks
    reader = predictor.Predictor(small, detector=KnownFaces([[face(points, 50)]]))
    (found,) = reader.predict(np.zeros((160, 160, 3), np.uint8))
    place = found["circumplex_valence"], found["circumplex_arousal"]
    assert place == pytest.approx(((0.81 - 0.64) / 2, (0.51 + 0.60) / 2), abs=1e-6)
    assert found["unsure"] is True and "valence" not in found
    assert {"unsure", "circumplex_valence"} <= set(reader.columns())
    small.unsure_below = None
    reader = predictor.Predictor(small, detector=KnownFaces([[face(points, 50)]]))
    (found,) = reader.predict(np.zeros((160, 160, 3), np.uint8))
    assert "unsure" not in found and "unsure" not in reader.columns()


def test_a_face_is_the_second_class():
    outputs = {"is_face": np.log([0.1, 0.9])}
    model = saying("face_network", outputs, crop_spec=CROP_SPECS["meen"])
    reader = predictor.Predictor(model, detector=KnownFaces([]))
    (found,) = reader.read_crops(np.zeros((1, 48, 48, 1), np.uint8))
    assert found == {"face_probability": pytest.approx(0.9, rel=1e-5)}


def test_a_face_is_what_json_takes_whatever_the_detector_gives(model, drawn):
    known = face(drawn[0].landmarks, np.int64(100))
    known["box"], known["confidence"] = np.array(known["box"]), np.float32(0.5)
    reader = predictor.Predictor(model, detector=KnownFaces([[known], [known]]))
    (found,) = reader.predict(drawn[0].image)
    assert json.loads(json.dumps(found)) == found
    assert found["box"] == [10, 10, 100, 100] and found["confidence"] == 0.5
    points = alignment.landmarks5(drawn[0].landmarks)
    assert found["landmarks"] == points.tolist()
    assert isinstance(known["landmarks"], np.ndarray)  # The detector's is its own.


def test_the_least_face_score_is_the_predictors_and_the_detector_is_as_it_was(model):
    """In grass, enlarged twice, the `mtcnn` package sees a face, at 0.83."""
    data = pytest.importorskip("skimage.data")
    grass = cv2.resize(data.grass(), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    grass = cv2.cvtColor(grass, cv2.COLOR_GRAY2RGB)
    (seen,) = MTCNNDetector().detect(grass)
    assert seen["confidence"] == pytest.approx(0.828, abs=0.01)
    assert predictor.Predictor(model).predict(grass) == []
    lower = predictor.Predictor(model, min_face_score=0.8)
    assert [found["box"] for found in lower.predict(grass)] == [seen["box"]]
    for score in (0, 1, -0.5, 1.5, float("nan")):
        with pytest.raises(ValueError, match="min_face_score` must be between"):
            predictor.Predictor(model, min_face_score=score)


def test_faces_below_the_smallest_are_not_looked_for(model):
    image = pytest.importorskip("skimage.data").astronaut()
    small = np.zeros((300, 300, 3), np.uint8)
    small[:128, :128] = cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA)
    (found,) = predictor.Predictor(model).predict(small)
    assert 20 <= found["box"][2] < 30  # 81 pixels in the whole picture.
    assert predictor.Predictor(model, smallest_face=60).predict(small) == []
    for side in (11.9, 0, float("nan")):
        with pytest.raises(ValueError, match="smallest_face` must be at least 12"):
            predictor.Predictor(model, smallest_face=side)


@pytest.mark.real_data
def test_what_the_least_face_score_costs(real_data):
    """A man in a helmet, at half size, is lost by the default; so is no other face."""
    detect = {score: predictor.face_detector(score).detect for score in (0.5, 0.9)}
    found = {}
    for path in sorted((real_data / "photos").glob("*.jpg")):
        image = read_image(path)
        found[path.stem] = [len(each(image)) for each in detect.values()]
    assert found.pop("detection3") == [1, 0]
    assert sum(high for _, high in found.values()) == 19


PLAIN = """
import numpy as np
from fer_tf.faces import MTCNNDetector
from skimage import data
(face,) = MTCNNDetector().detect(data.astronaut())
"""


@pytest.mark.slow
def test_plain_python_prints_no_walls_of_warnings():
    pytest.importorskip("skimage")
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    found = subprocess.run(
        [sys.executable, "-c", PLAIN], capture_output=True, text=True, timeout=300,
        env=environment,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "CropAndResize" not in found.stderr
    assert max(map(len, found.stderr.splitlines()), default=0) < 300


def test_the_largest_face_comes_first_and_none_is_lost_over_a_batch(model, drawn):
    faces = [face(d.landmarks, 20 + i) for i, d in enumerate(drawn)]
    reader = predictor.Predictor(model, detector=KnownFaces([faces]))
    found = reader.predict(drawn[0].image)
    assert [f["box"][2] for f in found] == list(range(39, 19, -1))
    alone = predictor.Predictor(model, detector=KnownFaces([faces[3:4]]))
    (single,) = alone.predict(drawn[0].image)
    assert single["probabilities"] == pytest.approx(
        found[-4]["probabilities"], abs=1e-5
    )


def test_many_pictures_share_one_traced_graph(model, drawn):
    known = [[face(drawn[i].landmarks, 50)] * i for i in range(4)]
    reader = predictor.Predictor(model, detector=KnownFaces(known))
    found = reader.predict_many([d.image for d in drawn[:4]])
    assert [len(faces) for faces in found] == [0, 1, 2, 3]
    reader.predict_many([d.image[:90] for d in drawn[:2]])
    assert reader._call.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((10, 10), np.uint8), "uint8 RGB"),
        (np.zeros((10, 10, 3), np.float32), "uint8 RGB"),
        (b"<html>", ""),
        ("/absent.jpg", ""),
    ],
)
def test_what_is_no_picture_is_refused(image, message, model):
    reader = predictor.Predictor(model, detector=KnownFaces([[]]))
    with pytest.raises((ValueError, OSError), match=message):
        reader.predict(image)


def test_crops_of_another_kind_are_refused_and_a_path_is_named(model, tmp_path):
    reader = predictor.Predictor(model)
    spec = reader.card.crop_spec
    good = np.zeros((2, spec.size, spec.size, spec.channels), np.uint8)
    assert len(reader.read_crops(good)) == 2
    # Pixels in 0..1 would all be black as whole numbers.
    for bad in (good.astype(np.float32), good[:, 1:], good[0]):
        with pytest.raises(ValueError, match="`crops` must be uint8"):
            reader.read_crops(bad)
    (tmp_path / "page.jpg").write_text("<html>")
    for name in ("page.jpg", "absent.jpg"):
        with pytest.raises(ValueError, match=f"{name}: "):
            reader.predict(tmp_path / name)


def test_a_bare_model_is_refused():
    model = models.create_model("small_resnet", **TINY)
    with pytest.raises(ValueError, match="must come from fer_tf.load"):
        predictor.Predictor(model, detector=KnownFaces([]))


def test_bytes_paths_arrays_and_pillow_pictures_give_the_same(model, drawn, tmp_path):
    path = tmp_path / "face.png"
    Image.fromarray(drawn[0].image).save(path)
    known = KnownFaces([[face(drawn[0].landmarks, 100)]])
    reader = predictor.Predictor(model, detector=known)
    expected = reader.predict(drawn[0].image)[0]["probabilities"]
    for given in (path, str(path), path.read_bytes(), Image.open(path)):
        assert reader.predict(given)[0]["probabilities"] == expected


def test_enlargement_is_pixels_of_the_crop_over_pixels_of_the_picture(model, drawn):
    points = drawn[0].landmarks
    small = drawn[0].image[::2, ::2]
    sizes = []
    for image, landmarks in ((drawn[0].image, points), (small, points / 2)):
        known = KnownFaces([[face(landmarks, 50)]])
        (found,) = predictor.Predictor(model, detector=known).predict(image)
        sizes.append(found["enlargement"])
    # The template's eyes lie as far apart as the crop's eyes.
    template = alignment.template_points(CROP_SPECS["meen"])
    eyes = alignment.landmarks5(points)[:2]
    expected = np.linalg.norm(template[0] - template[1]) / np.linalg.norm(
        eyes[0] - eyes[1]
    )
    assert sizes[0] == pytest.approx(expected, rel=0.15)
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=0.01)


def test_a_face_has_its_sharpness(model, drawn):
    image = drawn[0].image
    flat = np.full_like(image, 90)
    known = [[face(drawn[0].landmarks, 50)]]
    reader = predictor.Predictor(model, detector=KnownFaces(known))
    (sharp,), (dull,) = reader.predict(image), reader.predict(flat)
    assert sharp["sharpness"] == round(sharpness(image, sharp["box"]), 3) > 0
    assert dull["sharpness"] == 0


def test_a_video_is_read_frame_by_frame_with_numbers(model, drawn, tmp_path):
    pytest.importorskip("av", reason="needs PyAV: pip install 'fer-tf[video]'")
    from fer_tf.video.video_writer import VideoWriter

    path = str(tmp_path / "clip.mp4")
    with VideoWriter(path) as writer:
        for frame in range(10):
            writer.write(drawn[0].image, frame / 10)

    class Everywhere:
        def detect(self, images):
            return [[face(drawn[0].landmarks, 100)] for _ in images]

    reader = predictor.Predictor(model, detector=Everywhere())
    found = list(reader.predict_video(path, every=3))
    assert [frame.index for frame, _ in found] == [0, 3, 6, 9]
    assert [[f["track"] for f in faces] for _, faces in found] == [[1]] * 4
    assert all("unsmoothed" in faces[0] for _, faces in found)


def test_what_is_not_a_number_is_no_first_class(tmp_path):
    save_tiny_model(tmp_path / "m", CROP_SPECS["meen"], views="center_mirror")
    broken = model_folder.load(tmp_path / "m")
    for weight in broken.trainable_weights:
        weight.assign(np.full(weight.shape, 1e38, np.float32))  # Finite; no sum is.
    reader = predictor.Predictor(broken, detector=KnownFaces([]))
    spec = reader.card.crop_spec
    crops = np.full((1, spec.size, spec.size, spec.channels), 200, np.uint8)
    with pytest.raises(FloatingPointError, match="is NaN or infinite"):
        reader.read_crops(crops)
