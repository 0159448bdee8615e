"""VGGFace2's SE-ResNet-50 into the backbone of `mtanet_senet50`.

The weights are those of the Caffe model that [Cao et al., 2018](
https://arxiv.org/abs/1710.08092) published, in one of two copies:

- `.h5`: keras-vggface's `rcmalli_vggface_tf_senet50.h5` or the same without its
  classifier, `rcmalli_vggface_tf_notop_senet50.h5`, at
  https://github.com/rcmalli/keras-vggface/releases/tag/v2.0. Only its numbers
  are read: its graph differs from Caffe's in the padding of the first
  convolution, in the first pooling and in the epsilon of batch normalisation.
- `.safetensors`: the state dict of `senet50` in cydonia999/VGGFace2-pytorch.
  Their own `.pkl` files are pickles, which run code, and are not read: load one
  where you trust it and write its arrays with `safetensors.numpy.save_file`.

Neither publisher gives a digest to compare with: note the one that is printed,
and pass it from then on.
"""

import os
import pathlib
from collections.abc import Iterator

import keras
import numpy as np

from fer_tf.convert import weights
from fer_tf.dataset_facts import DatasetFacts
from fer_tf.models.residual import BLOCKS

FACTS = DatasetFacts(
    title="VGGFace2, whose weights it began from",
    pictures=(
        "3.31 million photographs of 9,131 well-known people, found by web search "
        "(Cao et al., 2018)."
    ),
    labels="Who is on a photograph; no expression.",
    people="That they agreed is not recorded; their owner has withdrawn the pictures.",
    terms="Those of the copy that was read: ask who publishes it.",
)

# Of a model's weight paths, the backbone's.
BACKBONE = r"conv\d"

# Part of a bottleneck: ours, keras-vggface's, VGGFace2-pytorch's and its BN.
_CONVOLUTIONS = (
    ("reduce", "1x1_reduce", "conv1", "bn1"),
    ("3x3", "3x3", "conv2", "bn2"),
    ("increase", "1x1_increase", "conv3", "bn3"),
    ("proj", "1x1_proj", "downsample.0", "downsample.1"),
)
_GATES = (("down", "1x1_down", "conv4"), ("up", "1x1_up", "conv5"))

# What a layer holds, in Keras' words and in PyTorch's.
_WEIGHTS = {
    "conv": {"kernel": "weight"},
    "gate": {"kernel": "weight", "bias": "bias"},
    "bn": {
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    },
}


def load_vggface2(
    model: keras.Model, path: str | os.PathLike, *, sha256: str | None = None
) -> None:
    """Assigns the published weights to a model's backbone; heads stay.

    Args:
        model: `mtanet_senet50` or `se_resnet50`, in full width.
        path: The file, `.h5` or `.safetensors`.
        sha256: Digest that the file must have; it is printed in any case.

    Raises:
        ValueError: If the digest differs, or the file or the model holds
            anything but what it should; then nothing is assigned. An identity
            classifier may be in the file and is left out.
    """
    readers = {
        ".h5": lambda: from_keras_vggface(weights.read_h5(path)),
        ".safetensors": lambda: from_pytorch(weights.read_safetensors(path)),
    }
    suffix = pathlib.Path(path).suffix
    if suffix not in readers:
        raise ValueError(
            f"`path` must end in {' or '.join(readers)}. Received: path={path}."
        )
    weights.check_sha256(path, sha256)
    weights.assign(model, readers[suffix](), only=BACKBONE)


def from_keras_vggface(
    layers: dict[str, dict[str, np.ndarray]],
) -> dict[str, np.ndarray]:
    """Our weight path -> array, from `{layer: {weight: array}}`.

    Raises:
        ValueError: If a weight is missing or is not one of the published
            graph's.
    """
    published = {
        f"{layer}/{name}": array
        for layer, values in layers.items()
        if layer != "classifier"
        for name, array in values.items()
    }
    values = {}
    for ours, theirs, _, kind in _layers():
        for name in _WEIGHTS[kind]:
            array = _take(published, f"{theirs}/{name}")
            if kind == "gate" and name == "kernel":
                array = _matrix(array, f"{theirs}/{name}", area=(0, 1))
            values[f"{ours}/{name}"] = array
    _refuse_rest(published, "keras-vggface's senet50")
    return values


def from_pytorch(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Our weight path -> array, from a state dict.

    Raises:
        ValueError: If a tensor is missing or is not one of the published
            graph's.
    """
    published = {
        name: array
        for name, array in tensors.items()
        # Batches seen: PyTorch counts them since version 0.4.1.
        if name not in ("fc.weight", "fc.bias")
        and not name.endswith(".num_batches_tracked")
    }
    values = {}
    for ours, _, theirs, kind in _layers():
        for name, their_name in _WEIGHTS[kind].items():
            source = f"{theirs}.{their_name}"
            array = _take(published, source)
            if kind == "gate" and name == "kernel":
                array = _matrix(array, source, area=(2, 3)).T
            elif kind == "conv":
                array = _kernel(array, source)
            values[f"{ours}/{name}"] = array
    _refuse_rest(published, "VGGFace2-pytorch's senet50")
    return values


def _layers() -> Iterator[tuple[str, str, str, str]]:
    """Every layer with weights: our name, keras-vggface's, PyTorch's, its kind."""
    yield "conv1", "conv1/7x7_s2", "conv1", "conv"
    yield "conv1_bn", "conv1/7x7_s2/bn", "bn1", "bn"
    for stage, blocks in enumerate(BLOCKS, start=2):
        for block in range(1, blocks + 1):
            keras_block = f"conv{stage}_{block}"  # ours is called the same
            torch_block = f"layer{stage - 1}.{block - 1}"
            for part, theirs, conv, bn in _CONVOLUTIONS:
                if part == "proj" and block > 1:
                    continue
                ours, theirs = f"{keras_block}_{part}", f"{keras_block}_{theirs}"
                yield ours, theirs, f"{torch_block}.{conv}", "conv"
                yield f"{ours}_bn", f"{theirs}/bn", f"{torch_block}.{bn}", "bn"
            for part, theirs, conv in _GATES:
                yield (
                    f"{keras_block}_{part}",
                    f"{keras_block}_{theirs}",
                    f"{torch_block}.{conv}",
                    "gate",
                )


def _take(published, name):
    if name not in published:
        raise ValueError(f"The file must hold {name!r}, and does not.")
    return published.pop(name)


def _refuse_rest(published, what):
    if published:
        raise ValueError(f"{what} does not hold {', '.join(sorted(published)[:5])}.")


def _kernel(array, name):
    """`(filters, channels, height, width)` -> Keras' order."""
    if array.ndim != 4:
        raise ValueError(
            f"{name} must be a convolution's. Received: shape={array.shape}."
        )
    return np.transpose(array, (2, 3, 1, 0))


def _matrix(array, name, *, area):
    """A 1x1 convolution's kernel without its area: our gates are dense layers."""
    if array.ndim != 4 or any(array.shape[axis] != 1 for axis in area):
        raise ValueError(
            f"{name} must be a 1x1 convolution's. Received: shape={array.shape}."
        )
    return np.squeeze(array, axis=area)
