"""The files of a chain beside the Predictor that they were written from."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import fer_tf
from fer_tf.chain import description
from fer_tf.faces import WholePicture
from trainers.common import sample_photograph

# What the reader must do without.
HEAVY = (
    "tensorflow", "keras", "tf_keras", "mtcnn", "absl", "ml_collections", "scipy",
    "sklearn", "matplotlib", "h5py", "onnx", "tf2onnx", "joblib", "lz4",
)  # fmt: skip

_ALONE = """
import json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[4:]:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocked())
from fer_tf.chain import Reader
reader = Reader(sys.argv[1], runtime=sys.argv[3])
print(json.dumps(reader.predict(sys.argv[2])))
"""


@pytest.fixture(scope="module", params=["onnx", "litert"])
def reader(request, exported_chain):
    from fer_tf.chain import Reader

    return Reader(exported_chain[0], runtime=request.param)


@pytest.fixture(scope="module")
def predictor(chain_model):
    return fer_tf.Predictor(chain_model)


def assert_same(found, expected):
    """The same faces; probabilities may follow one grey level of a crop."""
    assert len(found) == len(expected)
    for face, other in zip(found, expected):
        assert list(face) == list(other)
        assert face["box"] == other["box"] and face["unsure"] == other["unsure"]
        assert face["expression"] == other["expression"]
        assert face["confidence"] == pytest.approx(other["confidence"], abs=1e-4)
        assert face["sharpness"] == other["sharpness"]
        assert face["enlargement"] == pytest.approx(other["enlargement"], abs=1e-3)
        np.testing.assert_allclose(face["landmarks"], other["landmarks"], atol=0.01)
        assert list(face["probabilities"]) == list(other["probabilities"])
        shares = [list(f["probabilities"].values()) for f in (face, other)]
        np.testing.assert_allclose(*shares, atol=0.005)
        place = ("circumplex_valence", "circumplex_arousal")
        for name in place:
            assert face[name] == pytest.approx(other[name], abs=0.005)


def test_the_predictors_faces_boxes_and_probabilities(reader, predictor):
    pytest.importorskip("skimage")
    picture = sample_photograph.astronaut()
    pictures = [picture, picture[:333, 70:421], picture[:, ::-1].copy()]
    pictures.append(np.concatenate([picture, picture[:, ::-1]], axis=1))
    pictures.append(np.zeros((90, 70, 3), np.uint8))
    found, expected = (r.predict_many(pictures) for r in (reader, predictor))
    assert [len(faces) for faces in found] == [1, 1, 1, 2, 0]
    for faces, others in zip(found, expected):
        assert_same(faces, others)
    assert reader.predict(picture) == found[0]
    json.dumps(found)


@pytest.mark.real_data
def test_photographs(reader, predictor, real_data):
    paths = sorted((real_data / "photos").glob("*.jpg"))
    assert len(paths) == 11
    for path in paths:
        assert_same(reader.predict(path), predictor.predict(path))


def test_crops_are_read_as_the_predictor_reads_them(reader, predictor):
    from tests.fer_tf.export.small_models import random_crops

    crops = random_crops(19)  # More than go through together.
    found, expected = reader.read_crops(crops), predictor.read_crops(crops)
    assert len(found) == 19
    for face, other in zip(found, expected):
        shares = [list(f["probabilities"].values()) for f in (face, other)]
        np.testing.assert_allclose(*shares, atol=1e-4)
    reader.detector, before = WholePicture(predictor.card.crop_spec), reader.detector
    (face,) = reader.predict(np.repeat(crops[0], 3, axis=2))
    reader.detector = before
    assert face["probabilities"] == pytest.approx(found[0]["probabilities"], abs=1e-5)


def test_it_reads_alone(reader, exported_chain, tmp_path):
    """In a process that can import none of the heavy packages."""
    pytest.importorskip("skimage")
    photo, runtime = sample_photograph.write_astronaut(str(tmp_path)), reader.runtime
    # That of the other runtime too.
    blocked = [*HEAVY, {"onnx": "ai_edge_litert", "litert": "onnxruntime"}[runtime]]
    result = subprocess.run(
        [sys.executable, "-c", _ALONE, exported_chain[0], photo, runtime, *blocked],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert_same(json.loads(result.stdout), reader.predict(photo))


@pytest.mark.parametrize("runtime", ["onnx", "litert"])
def test_a_file_that_is_no_network_is_one_line(exported_chain, tmp_path, runtime):
    from fer_tf.chain import Reader
    from fer_tf.utils.hashing import sha256

    folder = tmp_path / "chain"
    shutil.copytree(exported_chain[0], folder)
    file = description.files(runtime)[3]
    (folder / file).write_bytes(b"no network")
    facts = json.loads((folder / "chain.json").read_text())
    facts["files"][file]["sha256"] = sha256(folder / file)
    (folder / "chain.json").write_text(json.dumps(facts))
    refusal = f"{re.escape(str(folder))}/{file}: .* refuses it"
    with pytest.raises(ValueError, match=refusal) as refused:
        Reader(folder, runtime=runtime)
    assert "\n" not in str(refused.value)


def test_the_runtime_is_one_that_is_there_and_installed(
    exported_chain, tmp_path, monkeypatch
):
    from fer_tf.chain import Reader, reader

    folder = tmp_path / "chain"
    shutil.copytree(exported_chain[0], folder)
    assert Reader(folder).runtime == "onnx"
    real = reader.importlib.util.find_spec
    without = lambda name: None if name == "onnxruntime" else real(name)
    monkeypatch.setattr(reader.importlib.util, "find_spec", without)
    assert Reader(folder).runtime == "litert"
    with pytest.raises(ValueError, match="onnxruntime must be installed"):
        Reader(folder, runtime="onnx")
    facts = json.loads((folder / "chain.json").read_text())
    (folder / "chain.json").write_text(json.dumps({**facts, "runtimes": ["onnx"]}))
    with pytest.raises(ValueError, match="holds networks for onnx, not for litert"):
        Reader(folder, runtime="litert")
