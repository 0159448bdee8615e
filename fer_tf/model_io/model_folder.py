"""Models as folders: saved, found by path or name, loaded safely.

A model folder holds `model.json` (see `fer_tf.model_io.card`) and
`model.weights.h5`; an export may add `model.keras` and formats of other programs.
Nothing is unpickled and nothing executed: weights are loaded into a graph that
this package builds, a whole model in Keras' safe mode, and the sha256 of either is
checked before it is opened.
"""

import dataclasses
import json
import math
import os
import warnings

import keras

from fer_tf import models
from fer_tf.model_io import catalog, safe_weights
from fer_tf.model_io.card import (
    CARD,
    SCHEMA_VERSION,
    Card,
    card_from,
    read_card,
    require_names,
    unsure_below,
)
from fer_tf.model_io.protocol import Protocol
from fer_tf.utils import atomic
from fer_tf.utils.disk import require_room
from fer_tf.utils.hashing import sha256
from fer_tf.utils.processes import require_own_process

WEIGHTS = "model.weights.h5"
WHOLE = "model.keras"


def save(
    folder: str, model: keras.Model, card: Card, *, extra=None, half: bool = False
) -> None:
    """Writes a model folder; each of its files appears whole or not at all.

    Args:
        folder: Made if missing.
        model: Its weights are written.
        card: Written beside them.
        extra: Further facts for `model.json`.
        half: Whether the weights are stored as float16.

    Raises:
        ValueError: If a weight is beyond float16's range.
        OSError: If the disk is full or the folder not writable, with the file's name.

    Example:
        >>> model = load()
        >>> save("copy", model, model.card)
        >>> sorted(os.listdir("copy"))
        ['model.json', 'model.weights.h5']
    """
    os.makedirs(folder, exist_ok=True)
    weights, described = (os.path.join(folder, name) for name in (WEIGHTS, CARD))
    # The card, which states the weights' hash, appears after them.
    with atomic.replacing(described) as part, atomic.replacing(weights) as temporary:
        require_room(temporary, _room(model))
        if half:
            safe_weights.write_halved(temporary, model)
        else:
            model.save_weights(temporary)
        facts = {
            "schema_version": SCHEMA_VERSION,
            **dataclasses.asdict(card),
            "crop_spec": card.crop_spec.to_dict(),
            "weights": {
                "file": WEIGHTS,
                "bytes": os.path.getsize(temporary),
                "sha256": sha256(temporary),
            },
            **(extra or {}),
        }
        with open(part, "w", encoding="utf-8") as file:
            json.dump(facts, file, indent=1, ensure_ascii=False)
            file.write("\n")


def _room(model):
    """The most bytes that a file of weights takes, HDF5's own tables included."""
    width = lambda weight: 8 if "64" in weight.dtype else 4
    sizes = [4096 + width(w) * math.prod(w.shape) for w in model.weights]
    return sum(sizes) + (1 << 16)


def load(
    path: str | os.PathLike | None = None, *, protocol: str = Protocol.CLEAN
) -> keras.Model:
    """Loads a trained model with its crop spec and labels.

    Args:
        path: A model folder (an export), its `model.keras`, a workdir of
            `trainers.train`, or a name from the catalog. If a folder here has the name
            too, the catalog's model is loaded, with a warning; `./name` is the folder.
            None is the catalog's default.
        protocol: Which weights of a workdir: `clean` (best on validation) or
            `paper` (best on test).

    Returns:
        The model, with five more attributes: `card` (a `Card`), `crop_spec`, `sha256`,
        that of the weights' file, `unsure_below`, see
        `fer_tf.model_io.card.unsure_below`, and `calibrated`: whether a temperature is
        in the weights.

    Raises:
        ValueError: If there is no such model, if its files do not belong together or
            are not safe to open, or if its weights do not fit the model.
        RuntimeError: In a fork of a process that has loaded or used a model.

    Example:
        >>> model = load()  # The model that ships.
        >>> model.card.model, model.crop_spec.size
        ('face_resnet29', 48)
    """
    require_own_process("a model")
    folder = find(path, protocol=protocol)
    described = read_card(folder)
    card = card_from(described, where=os.path.join(folder, CARD))
    if path is not None and os.path.basename(path) == WHOLE:
        file, digest = _checked(folder, WHOLE, _part(described, "files").get(WHOLE))
        model = safe_weights.read_whole(file)
    else:
        weights = _part(described, "weights")
        file, digest = _checked(folder, weights.get("file"), weights)
        model = safe_weights.read_weights(file, lambda: build(card, folder))
    require_names(model, card, folder)
    card.crop_spec.require_fit(_crop_shape(model, folder), os.path.join(folder, CARD))
    model.card, model.crop_spec, model.sha256 = card, card.crop_spec, digest
    model.unsure_below = unsure_below(described)
    model.calibrated = bool(described.get("temperature"))
    return model


def find(
    path: str | os.PathLike | None = None, *, protocol: str = Protocol.CLEAN
) -> str:
    """The model folder that a path, workdir or catalog name stands for.

    Raises:
        ValueError: If there is none, or if its weights are those of protocol `clean`
            and `paper` is asked for.

    Example:
        >>> os.path.basename(find())
        'ferplus_best'
    """
    folder = _find(path, protocol)
    # `clean` is the default, under which a folder of protocol `paper` is taken too.
    clean, paper = Protocol
    if protocol == paper and read_card(folder).get("protocol") == clean:
        raise ValueError(f"{folder}: holds weights of protocol {clean}, not of {paper}")
    return folder


def _find(path, protocol):
    if path is None:
        return _shipped(catalog.default())
    path = os.fspath(path)
    if not isinstance(path, str) or not path:
        raise ValueError("the path or name of the model is empty, or no text")
    here = _folder_at(path, protocol)
    entries = catalog.read()
    if path in entries["models"]:
        folder = _shipped(path)
        if here is not None and not os.path.samefile(here, folder):
            warnings.warn(
                f"{path}: this is the model of the catalog, not the folder of that "
                f"name here, which is {os.path.join('.', path)}",
                stacklevel=4,
            )
        return folder
    if here is not None:
        return here
    if other := _other_protocol(path, protocol):
        raise ValueError(f"{path}: no weights of protocol {protocol}, but of {other}")
    raise ValueError(
        f"{path}: neither a model folder (with {CARD}) nor a workdir with best "
        f"weights, nor a name that is known: {catalog.known(entries)}"
    )


def _folder_at(path, protocol):
    """The model folder that lies at a path; None if none does."""
    folders = [path, os.path.join(path, "best", protocol)]
    if os.path.basename(path) in (WEIGHTS, WHOLE) and os.path.isfile(path):
        folders = [os.path.dirname(path) or "."]
    candidates = (f for f in folders if os.path.isfile(os.path.join(f, CARD)))
    return next(candidates, None)


def _shipped(name):
    """The folder of a model of the catalog, once its card has the stated sha256."""
    folder, expected = catalog.find(name)
    if not os.path.isfile(os.path.join(folder, CARD)):
        raise ValueError(f"{folder}: in the catalog, but not installed")
    _checked(folder, CARD, {"sha256": expected})
    return folder


def _other_protocol(path, protocol):
    """Another protocol for which a workdir has best weights; None if there is none."""
    best = os.path.join(path, "best")
    protocols = sorted(os.listdir(best)) if os.path.isdir(best) else []
    return next((n for n in protocols if n != protocol and n[0] != "."), None)


def _checked(folder, name, stated):
    """Path and sha256 of a file, once they are checked against what a card states."""
    card = os.path.join(folder, CARD)
    expected = stated.get("sha256") if isinstance(stated, dict) else None
    if not isinstance(expected, str):
        raise ValueError(f"{card}: states no sha256 of {name or 'its weights'}")
    if name not in (WEIGHTS, WHOLE, CARD):
        raise ValueError(f"{card}: names the weights {name!r}; only {WEIGHTS} is read")
    file = os.path.join(folder, name)
    if not os.path.isfile(file):
        raise ValueError(f"{folder}: {name} is not here")
    if os.path.getsize(file) > safe_weights.MAX_BYTES:
        raise ValueError(f"{file}: larger than {safe_weights.MAX_BYTES:,} bytes")
    digest = sha256(file)
    if digest != expected:
        raise ValueError(
            f"{file}: sha256 {digest[:12]}…, but {expected[:12]}… is stated for it: "
            "damaged, or of another model"
        )
    return file, digest


def build(card: Card, folder: str) -> keras.Model:
    """A model with fresh weights, as the card of a folder describes it.

    Raises:
        ValueError: If it describes no model of this version.
    """
    try:
        return models.create_model(card.model, **card.arguments)
    except Exception as error:
        # Keras raises all kinds of errors, depending on the argument.
        line = safe_weights.first_line(error)
        raise ValueError(
            f"{os.path.join(folder, CARD)}: describes no model of this version ({line})"
        ) from error


def _crop_shape(model, folder):
    """Height, width and channels of a model's first input."""
    shape = model.inputs[0].shape[1:]
    if len(shape) != 3 or None in shape:
        raise ValueError(f"{folder}: the model takes {shape}, and no crop")
    return shape


def _part(described, name):
    """A dict within a card, or an empty one."""
    part = described.get(name)
    return part if isinstance(part, dict) else {}
