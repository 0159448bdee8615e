"""VGG-Face's convolution blocks into the networks of Gan et al.

Reads the file that keras-vggface publishes for Parkhi et al., "Deep Face
Recognition" (BMVC 2015): `rcmalli_vggface_tf_vgg16.h5`, or the same without its
dense layers, `rcmalli_vggface_tf_notop_vgg16.h5`, at
https://github.com/rcmalli/keras-vggface/releases/tag/v2.0. Its licence, CC
BY-NC-SA 4.0, is VGG's: non-commercial research.

Only `conv1_1` ... `conv5_3` are read. Gan et al. initialise "the five conv
blocks" from VGG-Face and everything else, fc6 to fc8 included, afresh.
"""

import os
import re

import keras

from fer_tf.convert import weights
from fer_tf.dataset_facts import DatasetFacts
from fer_tf.models import vgg16

FACTS = DatasetFacts(
    title="VGG-Face, whose weights it began from",
    pictures=(
        "2.6 million photographs of 2,622 well-known people, found by web search "
        "(Parkhi et al., 2015)."
    ),
    labels="Who is on a photograph; no expression.",
    people="That they agreed is not recorded.",
    terms="The weights are CC BY-NC-SA 4.0: for non-commercial research.",
)

CONVOLUTIONS = tuple(
    f"conv{block}_{i}"
    for block, (_, depth) in enumerate(vgg16.BLOCKS, start=1)
    for i in range(1, depth + 1)
)
_UNUSED = ("fc6", "fc7", "fc8")

# `conv1_1/kernel:0` is Keras 2's name, `conv1_1_W_1:0` is Keras 1's.
_KINDS = {"kernel": r"kernel|.+_W(_\d+)?", "bias": r"bias|.+_b(_\d+)?"}


def load_vgg_face(
    model: keras.Model, path: str | os.PathLike, *, sha256: str | None = None
) -> None:
    """Assigns VGG-Face's 13 convolutions to `gan_vgg16`, `_se` or `gan_man`.

    Args:
        model: A network of full width whose layers are called `conv1_1` ...
            `conv5_3`.
        path: The published HDF5 file.
        sha256: Digest that the file must have; it is printed in any case.

    Raises:
        ValueError: If the file or the model holds anything but what it should;
            then nothing is assigned.
    """
    weights.check_sha256(path, sha256)
    published = weights.read_h5(path)
    unknown = sorted(set(published) - {*CONVOLUTIONS, *_UNUSED})
    if unknown:
        raise ValueError(f"VGG-Face has no layers {', '.join(unknown)}: {path}.")
    values = [
        (f"{layer}/{_kind(layer, name)}", array)
        for layer in CONVOLUTIONS
        for name, array in published.get(layer, {}).items()
    ]
    weights.assign(model, values, only=r"conv\d_\d/")


def _kind(layer, name):
    for kind, pattern in _KINDS.items():
        if re.fullmatch(pattern, name):
            return kind
    raise ValueError(
        f"Layer {layer!r} must hold a kernel and a bias. Received: {name}."
    )
