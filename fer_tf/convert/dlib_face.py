"""dlib's face-recognition weights into `face_embedding` and its relatives.

The numbers are those of `dlib_face_recognition_resnet_model_v1` (public domain, CC0;
`fer_tf.models.face_resnet29` says what its photographs were). They are read from the
npm package `@vladmandic/face-api` (MIT), as `npm pack @vladmandic/face-api@1.7.15`
downloads it: a table in JSON and plain numbers, most of them rounded to 8 bits. Version
1.7.15 of that file has the sha256

    0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031

dlib's own file, a serialized C++ object of 22 MB, is not read. Its embeddings of 204
faces lie 0.037 from the rounded weights' on average, those of two people 0.84.
"""

import gzip
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator

import keras
import numpy as np

from fer_tf.convert import weights
from fer_tf.dataset_facts import DatasetFacts

FACTS = DatasetFacts(
    title="dlib's face network, whose weights it began from",
    pictures=(
        "About three million photographs of 7,485 people: half of them FaceScrub and "
        "VGG-Face, well-known people found by web search; the others collected from "
        "the internet by its author, Davis King."
    ),
    labels="Who is on a photograph; no expression.",
    people=(
        "That they agreed is not recorded, nor is their age, gender or origin. It "
        "tells children and some ethnic groups apart less well."
    ),
    terms="The weights are in the public domain (CC0).",
)

# Of a model's weight paths, the network's own.
NETWORK = r"conv\d|embedding/"
# What a network without the last block does not have.
_LAST = ("conv256_down_out_", "embedding/")
_FOLDER = "package/model/face_recognition_model"
_BLOCKS = (
    *("conv32_1", "conv32_2", "conv32_3"),
    *("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    *("conv128_down", "conv128_1", "conv128_2"),
    *("conv256_down", "conv256_1", "conv256_2", "conv256_down_out"),
)
# The package unpacks to 24 MB.
_MOST_BYTES = 2**26


def load_dlib_face(
    model: keras.Model, path: str | os.PathLike, *, sha256: str | None = None
) -> None:
    """Assigns the published weights; an expression head stays as it is.

    Args:
        model: `face_embedding`, `face_resnet29` or a model that holds the latter's
            convolutions as its face network; in full width. With `batch_norm`, each
            normalisation becomes what the published file has, a bias: let
            `fer_tf.convert.batch_statistics` follow before it is trained.
        path: The npm package, `vladmandic-face-api-1.7.15.tgz`.
        sha256: Digest that the file must have; it is printed in any case.

    Raises:
        ValueError: If the digest differs, or the file or the model holds anything but
            what it should; then nothing is assigned.
    """
    weights.check_sha256(path, sha256)
    values = from_face_api(read_face_api(path))
    if not any(weight.path.startswith(_LAST) for weight in model.weights):
        values = {k: v for k, v in values.items() if not k.startswith(_LAST)}
    if not any(weight.path == "conv32_down/bias" for weight in model.weights):
        values = dict(_as_normalisation(values))
    weights.assign(model, values, only=NETWORK)


def read_face_api(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the arrays of the network from the npm package: `{name: array}`.

    Nothing is unpacked to disk.

    Raises:
        ValueError: If it is no such package, unpacks to more than 64 MiB, or its table
            and its numbers do not fit together.
    """
    try:
        with gzip.open(path) as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ValueError(f"unpacks to more than {_MOST_BYTES:,} bytes")
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as package:
            table = _member(package, f"{_FOLDER}-weights_manifest.json")
            numbers = _member(package, f"{_FOLDER}.bin")
        return dict(_arrays(json.loads(table), numbers))
    except FileNotFoundError:
        raise
    except (
        *(ValueError, KeyError, TypeError, OverflowError, RecursionError),
        *(OSError, EOFError, zlib.error, tarfile.TarError),
    ) as error:
        raise ValueError(
            f"{os.fspath(path)} must be the npm package @vladmandic/face-api, a .tgz "
            f"file. Received: {error}."
        ) from None


def from_face_api(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Our weight path -> array, each scale folded into its convolution.

    Raises:
        ValueError: If an array is missing or is not one of the published network's.
    """
    published = dict(arrays)
    layers = ["conv32_down", *(f"{b}/conv{i}" for b in _BLOCKS for i in (1, 2))]
    values = {}
    for layer in layers:
        kernel, bias, scale, shift = (
            _take(published, f"{layer}/{part}")
            for part in ("conv/filters", "conv/bias", "scale/weights", "scale/biases")
        )
        if kernel.ndim != 4 or not (
            kernel.shape[-1:] == bias.shape == scale.shape == shift.shape
        ):
            raise ValueError(f"{layer} must be a convolution and a scale of one width.")
        ours = layer.replace("/", "_")
        values[f"{ours}/kernel"] = kernel * scale
        values[f"{ours}/bias"] = bias * scale + shift
    values["embedding/kernel"] = _take(published, "fc")
    if published:
        raise ValueError(
            f"The network does not hold {', '.join(sorted(published)[:5])}."
        )
    return values


def _as_normalisation(values):
    """Each bias as the four weights of a batch normalisation that does the same."""
    for path, value in values.items():
        layer, name = path.rsplit("/", 1)
        if name != "bias":
            yield path, value
            continue
        yield f"{layer}_bn/beta", value
        yield f"{layer}_bn/moving_mean", np.zeros_like(value)
        for one in ("gamma", "moving_variance"):
            yield f"{layer}_bn/{one}", np.ones_like(value)


def _member(package, name):
    file = package.extractfile(package.getmember(name))
    if file is None:
        raise ValueError(f"{name} is no file")
    return file.read()


def _arrays(table, numbers) -> Iterator[tuple[str, np.ndarray]]:
    """Each array that a TensorFlow.js table describes, in the order of the bytes."""
    (group,) = table
    start, seen = 0, set()
    for entry in group["weights"]:
        name, shape = entry["name"], entry["shape"]
        rounding = entry.get("quantization")
        kind = rounding["dtype"] if rounding else entry["dtype"]
        if kind != ("uint8" if rounding else "float32") or name in seen:
            raise ValueError(f"{name!r} is {kind!r}, or listed twice")
        if not all(type(side) is int and 0 < side <= 4096 for side in shape):
            raise ValueError(f"{name!r} has the shape {shape!r}")
        array = np.frombuffer(
            numbers, np.dtype(kind).newbyteorder("<"), int(np.prod(shape)), start
        )
        start += array.nbytes
        seen.add(name)
        array = array.astype("float32").reshape(shape)
        if rounding:
            with np.errstate(over="ignore", invalid="ignore"):
                scale, low = np.float32(rounding["scale"]), np.float32(rounding["min"])
                array = array * scale + low
        if not np.isfinite(array).all():
            raise ValueError(f"{name!r} holds NaN or infinity")
        yield name, array
    if start != len(numbers):
        raise ValueError(f"{len(numbers) - start:,} bytes belong to no array")


def _take(published, name):
    if name not in published:
        raise ValueError(f"The file must hold {name!r}, and does not.")
    return published.pop(name)
