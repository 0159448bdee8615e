"""Models as folders: weights, and beside them what they cannot say.

A model folder holds `model.json` (the model's name and arguments, the crop
spec, the names of the outputs, the views of its protocol) and
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
from collections.abc import Mapping
from typing import Any

import keras

from fer_tf import labels, models
from fer_tf.faces.crop_spec import MAX_SIZE, CropSpec
from fer_tf.layers.crop_views import VIEWS
from fer_tf.model_io import catalog, safe_weights
from fer_tf.model_io.protocol import Protocol
from fer_tf.model_io.views import AVERAGES
from fer_tf.utils.disk import clear, name_file, require_room
from fer_tf.utils.hashing import sha256
from fer_tf.utils.processes import require_own_process

SCHEMA_VERSION = 1
CARD = "model.json"
WEIGHTS = "model.weights.h5"
WHOLE = "model.keras"

# A card with its config takes some ten thousand bytes.
_MAX_CARD_BYTES = 1 << 20

# Outputs of a model, and which of the card's names they are named by.
NAMED = {"expression": "expressions", "action_units": "action_units"}
# Outputs that are readings of a face, and the losses any of which trains them.
_TRAINED_BY = {
    "expression": ("expression",),
    "is_face": ("is_face",),
    "action_units": ("action_units",),
    "valence_arousal": ("valence_arousal", "valence", "arousal"),
    "valence": ("valence",),
    "arousal": ("arousal",),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Card:
    """What a model's weights mean.

    Attributes:
        model: Name that `fer_tf.create_model` takes.
        arguments: Its overrides.
        crop_spec: Recipe of the crops it was trained on.
        views: Windows of a crop that are averaged; see `fer_tf.model_io.views`.
        average: What is averaged, `logits` or `probabilities`.
        expressions: Names of the expression outputs, in order.
        action_units: Names of the action-unit outputs, in order.
        trained: Losses that the weights were trained by; None if nobody noted it.
    """

    model: str
    arguments: Mapping[str, Any]
    crop_spec: CropSpec
    views: str
    average: str
    expressions: tuple[str, ...] = labels.EXPRESSIONS
    action_units: tuple[str, ...] = labels.ACTION_UNITS
    trained: tuple[str, ...] | None = None

    def reads(self, output: str) -> bool:
        """Whether an output means something: a head that nothing trained does not."""
        if self.trained is None or output not in _TRAINED_BY:
            return True
        return not set(_TRAINED_BY[output]).isdisjoint(self.trained)


def save(folder: str, model: keras.Model, card: Card, *, extra=None) -> None:
    """Writes a model folder; each of its files appears whole or not at all.

    Args:
        folder: Made if missing.
        model: Its weights are written.
        card: Written beside them.
        extra: More facts for `model.json`.

    Raises:
        OSError: If the disk is full or the folder not writable, with its name.
    """
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".part-{WEIGHTS}")
    part = os.path.join(folder, f".part-{CARD}")
    try:
        clear(temporary)
        clear(part)
        require_room(temporary, _room(model))
        model.save_weights(temporary)
        described = {
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
        text = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
        with open(part, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, os.path.join(folder, WEIGHTS))
        os.replace(part, os.path.join(folder, CARD))
    except BaseException as error:
        clear(temporary)
        clear(part)
        if isinstance(error, OSError):
            name_file(error, folder)
        raise


def _room(model):
    """The most bytes that a file of weights takes: HDF5 says where each lies."""
    width = lambda weight: 8 if "64" in weight.dtype else 4
    sizes = [4096 + width(w) * math.prod(w.shape) for w in model.weights]
    return sum(sizes) + (1 << 16)


def load(
    path: str | os.PathLike | None = None, *, protocol: str = Protocol.CLEAN
) -> keras.Model:
    """Loads a trained model with its crop spec and labels.

    Args:
        path: A model folder (an export), its `model.keras`, a workdir of
            `trainers.train`, or a name from the catalog. A name of the catalog is
            its model even where a folder here is called so too, which a warning
            says; `./name` is that folder. None is the catalog's default, always.
        protocol: Which weights of a workdir: `clean` (best on validation) or
            `paper` (best on test).

    Returns:
        The model, with `card` (a `Card`), `crop_spec` and the `sha256` of the file
        it was read from as attributes.

    Raises:
        ValueError: If there is no such model, its files do not belong together or
            are not safe to open, or its weights do not fit the model they name.
        RuntimeError: In a fork of a process that has loaded or used a model.
    """
    require_own_process("a model")
    folder = find(path, protocol=protocol)
    described = read_card(folder)
    card = card_from(described, where=os.path.join(folder, CARD))
    if path is not None and os.path.basename(path) == WHOLE:
        file, found = _checked(folder, WHOLE, _part(described, "files").get(WHOLE))
        model = safe_weights.read_whole(file)
    else:
        weights = _part(described, "weights")
        file, found = _checked(folder, weights.get("file"), weights)
        model = safe_weights.read_weights(file, lambda: _build(card, folder))
    _require_names(model, card, folder)
    card.crop_spec.require_fit(_crop_shape(model, folder), os.path.join(folder, CARD))
    model.card, model.crop_spec, model.sha256 = card, card.crop_spec, found
    return model


def find(
    path: str | os.PathLike | None = None, *, protocol: str = Protocol.CLEAN
) -> str:
    """The model folder that a path, workdir or catalog name stands for.

    Raises:
        ValueError: If there is none, or its weights are known to be of `clean` where
            `paper` is asked for.
    """
    folder = _find(path, protocol)
    # `clean` is the default: under it a folder of `paper` is taken as well.
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
    found = catalog.read()
    if path in found["models"]:
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
        f"weights, nor a name that is known: {catalog.known(found)}"
    )


def _folder_at(path, protocol):
    """The model folder that lies at a path; None if none does."""
    folders = [path, os.path.join(path, "best", protocol)]
    if os.path.basename(path) in (WEIGHTS, WHOLE) and os.path.isfile(path):
        folders = [os.path.dirname(path) or "."]
    there = (f for f in folders if os.path.isfile(os.path.join(f, CARD)))
    return next(there, None)


def _shipped(name):
    """The folder of a model of the catalog, whose card is the one that was added."""
    folder, expected = catalog.find(name)
    if not os.path.isfile(os.path.join(folder, CARD)):
        raise ValueError(f"{folder}: in the catalog, but not installed")
    _checked(folder, CARD, {"sha256": expected})
    return folder


def _other_protocol(path, protocol):
    """A protocol that a workdir has best weights of, if it lacks the one asked for."""
    best = os.path.join(path, "best")
    there = sorted(os.listdir(best)) if os.path.isdir(best) else []
    return next((n for n in there if n != protocol and n[0] != "."), None)


def _checked(folder, name, stated):
    """A file's path and sha256, once both are what a card states."""
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
    found = sha256(file)
    if found != expected:
        raise ValueError(
            f"{file}: sha256 {found[:12]}…, but {expected[:12]}… is stated for it: "
            "damaged, or of another model"
        )
    return file, found


def _build(card, folder):
    """A model with fresh weights, as a card describes it."""
    try:
        return models.create_model(card.model, **card.arguments)
    except Exception as error:
        # What Keras raises depends on which argument makes no sense, and how.
        line = safe_weights.first_line(error)
        raise ValueError(
            f"{os.path.join(folder, CARD)}: describes no model of this version ({line})"
        ) from error


def _crop_shape(model, folder):
    """Height, width and channels of what a model takes first."""
    shape = model.inputs[0].shape[1:]
    if len(shape) != 3 or None in shape:
        raise ValueError(f"{folder}: the model takes {shape}, and no crop")
    return shape


def _require_names(model, card, folder):
    """Every class that the model predicts has a name."""
    if not isinstance(model.output, dict):
        raise ValueError(f"{folder}: the model gives no outputs by name")
    for output, names in NAMED.items():
        if output in model.output:
            width, known = model.output[output].shape[-1], len(getattr(card, names))
            if width > known:
                raise ValueError(
                    f"{os.path.join(folder, CARD)}: {known} {names}, but the model "
                    f"predicts {width}"
                )


def _part(described, name):
    """A dict within a card, or an empty one."""
    part = described.get(name)
    return part if isinstance(part, dict) else {}


def read_card(folder: str) -> dict[str, Any]:
    """Reads a folder's `model.json`.

    Raises:
        ValueError: If it is damaged or of another schema.
    """
    path = os.path.join(folder, CARD)
    if os.path.getsize(path) > _MAX_CARD_BYTES:
        raise ValueError(f"{path}: too large to be a model card")
    with open(path, encoding="utf-8") as file:
        try:
            described = json.load(file, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(described, dict):
        raise ValueError(f"{path}: not a model card")
    if described.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(
            f"{path}: schema {described.get('schema_version')}, this version reads "
            f"{SCHEMA_VERSION}"
        )
    return described


def _refuse_constant(text):
    raise ValueError(f"{text} is no number of JSON's")


def card_from(described: Mapping[str, Any], *, where: str = CARD) -> Card:
    """The `Card` in what `read_card` gives.

    Args:
        described: As read.
        where: The file, for messages.

    Raises:
        ValueError: If a part is missing, or is not what it must be.
    """
    fields = [field.name for field in dataclasses.fields(Card)]
    # Cards of before have no `trained`.
    described = {"trained": None, **described}
    missing = [name for name in fields if name not in described]
    if missing:
        raise ValueError(f"{where}: lacks {', '.join(missing)}")
    values = {name: described[name] for name in fields}
    for name in ("expressions", "action_units"):
        values[name] = labels.check_names(values[name], f"{where}: {name}")
    # Both are columns of one table.
    both = [*values["expressions"], *values["action_units"]]
    labels.check_names(both, f"{where}: expressions and action units")
    trained = values["trained"]
    if trained is not None:
        if not isinstance(trained, list) or not set(map(type, trained)) <= {str}:
            raise ValueError(f"{where}: trained must be a list of names")
        values["trained"] = tuple(trained)
    for name, kind in (("model", str), ("arguments", dict)):
        if not isinstance(values[name], kind):
            raise ValueError(f"{where}: {name} must be a {kind.__name__}")
    for name, choices in (("views", VIEWS), ("average", AVERAGES)):
        if values[name] not in tuple(choices):
            raise ValueError(f"{where}: {name} must be one of {', '.join(choices)}")
    _check_size(values["arguments"].get("input_shape"), where)
    for name, value in values["arguments"].items():
        if not _is_modest(value):
            raise ValueError(
                f"{where}: {name[:40]} must be of numbers in 0..1e9, and not of many"
            )
    try:
        values["crop_spec"] = CropSpec.from_dict(values["crop_spec"])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return Card(**values)


def _is_modest(value):
    """Whether an argument's numbers, and how many there are, can be of a network."""
    if isinstance(value, (list, tuple)):
        return len(value) <= 1000 and all(map(_is_modest, value))
    return not isinstance(value, (int, float)) or 0 <= value <= 1e9


def _check_size(shape, where):
    """Raises if a network's input is larger than any crop."""
    if shape is None:
        return
    if not isinstance(shape, (list, tuple)) or set(map(type, shape)) != {int}:
        raise ValueError(f"{where}: input_shape must be (height, width, channels)")
    if max(shape) > MAX_SIZE:
        raise ValueError(
            f"{where}: input_shape is {str(shape)[:100]}, larger than {MAX_SIZE} pixels"
        )
