"""The embedding of crops; on real people where their pictures and the weights are."""

import os

import numpy as np
import pytest

from fer_tf.faces import CROP_SPECS, MTCNNDetector, align, read_image
from fer_tf.faces.recognition import FaceEmbedder
from tests.fer_tf.convert import face_api_package


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    path = tmp_path_factory.mktemp("npm") / "face.tgz"
    package = face_api_package.write(path, *face_api_package.table_and_numbers())
    return FaceEmbedder(package, batch_size=2)


def test_a_face_has_one_embedding_whatever_its_neighbours(embedder):
    faces = np.random.default_rng(0).integers(0, 256, (3, 150, 150, 3), np.uint8)
    embeddings = embedder.embed(faces)
    assert embeddings.shape == (3, 128) and embeddings.dtype == np.float32
    scale = np.abs(embeddings).max()
    np.testing.assert_allclose(
        embedder.embed(faces[2:])[0], embeddings[2], atol=1e-5 * scale
    )
    assert embedder.embed(faces[:0]).shape == (0, 128)


@pytest.mark.parametrize(
    "crops",
    [np.zeros((1, 150, 150, 3)), np.zeros((150, 150, 3), np.uint8),
     np.zeros((1, 96, 96, 3), np.uint8)],
    ids=["float", "one", "small"],
)  # fmt: skip
def test_other_crops_are_refused(crops, embedder):
    with pytest.raises(ValueError, match=r"uint8 \(n, 150, 150, 3\). Received: "):
        embedder.embed(crops)


@pytest.mark.real_data
@pytest.mark.slow
def test_people_are_nearer_to_themselves_than_to_others(real_data):
    package = os.environ.get("FACE_API_PACKAGE")
    if not package:
        pytest.skip("needs FACE_API_PACKAGE=vladmandic-face-api-1.7.15.tgz")
    detector, crops = MTCNNDetector(), []
    for kind in ("neutral", "smiling"):
        for path in sorted((real_data / "london" / kind).glob("*.jpg"))[:6]:
            photo = read_image(path)
            face = max(detector.detect(photo), key=lambda face: face["box"][2])
            crops.append(align(photo, face["landmarks"], CROP_SPECS["dlib_face"]))
    embeddings = FaceEmbedder(package).embed(np.stack(crops))
    neutral, smiling = embeddings[:6], embeddings[6:]
    distances = np.linalg.norm(neutral[:, None] - smiling[None], axis=-1)
    assert (distances.argmin(axis=1) == np.arange(6)).all()
    assert distances.diagonal().max() < 0.6
