"""The network against face-api's own, on published shapes and on published weights."""

import gzip
import os

import numpy as np
import pytest

from fer_tf.convert.dlib_face import from_face_api, load_dlib_face, read_face_api
from fer_tf.models import create_model
from tests.fer_tf.convert import face_api_package
from tests.fer_tf.convert.face_api_package import MEMBERS, wave

# `FaceRecognitionNet` of @vladmandic/face-api 1.7.15 (TypeScript, on TensorFlow.js
# 4.22) of `wave()`: first by the drawn weights, then by the published ones. It divides
# pixels by 255, dlib and we by 256: its pixels were moved to make the two the same.
DRAWN = (30.246391, -0.668787, 29.318749, -91.568810, -66.810547, 7.245015)
PUBLISHED = (-0.0400243, 0.0780446, 0.0890911, -0.0324875, -0.0446590, -0.0337263)
# dlib 20.0.1's `compute_face_descriptor` of the same picture, by the weights that are
# not rounded. The two embeddings, of all 128 numbers, were 0.035 apart.
DLIB = (-0.0421135, 0.0755820, 0.0905560, -0.0307083, -0.0481993, -0.0334077)


@pytest.fixture(scope="module")
def drawn():
    return face_api_package.table_and_numbers()


@pytest.fixture(scope="module")
def package(drawn, tmp_path_factory):
    return face_api_package.write(tmp_path_factory.mktemp("npm") / "face.tgz", *drawn)


@pytest.fixture(scope="module")
def network():
    return create_model("face_embedding")


def embedding(network):
    return np.asarray(network(wave()[None].astype("float32"))["embedding"])[0]


def test_the_whole_network_is_face_apis(package, network, capsys):
    load_dlib_face(network, package)
    assert capsys.readouterr().out.endswith(f"  {package}\n")
    np.testing.assert_allclose(embedding(network)[:6], DRAWN, atol=0.01)


def test_the_published_weights_give_the_published_embedding(network):
    path = os.environ.get("FACE_API_PACKAGE")
    if not path:
        pytest.skip(
            "needs FACE_API_PACKAGE=vladmandic-face-api-1.7.15.tgz, from "
            "`npm pack @vladmandic/face-api@1.7.15`"
        )
    digest = "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
    load_dlib_face(network, path, sha256=digest)
    ours = embedding(network)
    np.testing.assert_allclose(ours[:6], PUBLISHED, atol=1e-5)
    np.testing.assert_allclose(ours[:6], DLIB, atol=0.01)


def test_a_classifier_gets_all_but_the_last_block(package):
    model = create_model("face_resnet29")
    head = np.asarray(model.get_layer("expression").kernel)
    load_dlib_face(model, package)
    arrays = read_face_api(package)
    scale = arrays["conv256_2/conv2/scale/weights"]
    np.testing.assert_allclose(
        model.get_layer("conv256_2_conv2").kernel,
        arrays["conv256_2/conv2/conv/filters"] * scale,
        rtol=1e-6,
    )
    np.testing.assert_array_equal(model.get_layer("expression").kernel, head)


def test_a_network_with_normalisation_reads_the_same(package, network):
    load_dlib_face(network, package)
    normalised = create_model("face_embedding", batch_norm=True)
    load_dlib_face(normalised, package)
    np.testing.assert_allclose(
        embedding(normalised), embedding(network), rtol=2e-3, atol=0.01
    )


def test_a_network_of_other_widths_is_refused(package):
    with pytest.raises(ValueError, match="must have shape"):
        load_dlib_face(create_model("face_resnet29", width=0.25), package)


def entry(table, **changes):
    """The table with its first entry changed."""
    (group,) = table
    first, *rest = group["weights"]
    return [{**group, "weights": [{**first, **changes}, *rest]}]


DAMAGES = {
    "text": lambda t: "no json",
    "other json": lambda t: {"weights": []},
    "number": lambda t: 7,
    "deep": lambda t: "[" * 100_000,
    "name": lambda t: entry(t, name="fc"),
    "kind": lambda t: entry(t, quantization=None),
    "other kind": lambda t: entry(t, quantization=None, dtype="float64"),
    "negative": lambda t: entry(t, shape=[-7, 7, 3, 32]),
    "huge": lambda t: entry(t, shape=[4096] * 8),
    "text for a side": lambda t: entry(t, shape="7733"),
    "scale": lambda t: entry(t, quantization={"dtype": "uint8", "scale": "1"}),
    "infinite": lambda t: entry(
        t, quantization={"dtype": "uint8", "scale": 1e300, "min": 0}
    ),
    "short": lambda t: [{"weights": t[0]["weights"][:-1]}],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_table_is_one_line(damage, drawn, tmp_path):
    table, numbers = drawn
    path = face_api_package.write(tmp_path / "x.tgz", DAMAGES[damage](table), numbers)
    with pytest.raises(ValueError, match="must be the npm package") as error:
        read_face_api(path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_other_files_are_one_line(drawn, package, tmp_path):
    whole = package.read_bytes()
    files = {"text": b"no package", "cut": whole[:100_000], "empty": b""}
    files["other"] = gzip.compress(b"no tar")
    files["bomb"] = gzip.compress(bytes(2**26 + 1), compresslevel=1)
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(ValueError, match=f"{name} must be the npm package"):
            read_face_api(path)
    with pytest.raises(FileNotFoundError):
        read_face_api(tmp_path / "absent.tgz")


def test_a_member_that_is_no_file_is_refused(drawn, tmp_path):
    import tarfile

    with tarfile.open(tmp_path / "x.tgz", "w:gz") as package:
        for name in MEMBERS:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            package.addfile(info)
    with pytest.raises(ValueError, match="must be the npm package"):
        read_face_api(tmp_path / "x.tgz")


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda a: a.pop("fc"), "must hold 'fc'"),
        (lambda a: a.update(fc2=np.ones(1)), "does not hold fc2"),
        (
            lambda a: a.update({"conv32_down/conv/bias": np.ones(31)}),
            "conv32_down must be a convolution and a scale of one width",
        ),
    ],
)
def test_other_arrays_are_refused(change, message):
    arrays = {
        name: np.ones(s, "float32") for name, s in face_api_package.shapes().items()
    }
    change(arrays)
    with pytest.raises(ValueError, match=message):
        from_face_api(arrays)
