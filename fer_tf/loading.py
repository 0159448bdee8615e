"""Models as folders: weights, and beside them what they cannot say.

A model folder holds `model.json` (the model's name and arguments, the crop
spec, the names of the outputs, the views of its protocol) and
`model.weights.h5`. Weights are loaded into a graph that this package builds,
never unpickled and never executed, and their sha256 is checked first.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import keras

from fer_tf import labels, models
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.hashing import sha256

SCHEMA_VERSION = 1
CARD = "model.json"
WEIGHTS = "model.weights.h5"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Card:
    """What a model's weights mean.

    Attributes:
        model: Name that `fer_tf.create_model` takes.
        arguments: Its overrides.
        crop_spec: Recipe of the crops it was trained on.
        views: Windows of a crop that are averaged; see `fer_tf.inference`.
        average: What is averaged, `logits` or `probabilities`.
        expressions: Names of the expression outputs, in order.
        action_units: Names of the action-unit outputs, in order.
    """

    model: str
    arguments: Mapping[str, Any]
    crop_spec: CropSpec
    views: str
    average: str
    expressions: tuple[str, ...] = labels.EXPRESSIONS
    action_units: tuple[str, ...] = labels.ACTION_UNITS


def save(folder: str, model: keras.Model, card: Card, *, extra=None) -> None:
    """Writes a model folder; each of its files appears whole or not at all.

    Args:
        folder: Made if missing.
        model: Its weights are written.
        card: Written beside them.
        extra: More facts for `model.json`.
    """
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".part-{WEIGHTS}")
    try:
        model.save_weights(temporary)
        described = {
            "schema_version": SCHEMA_VERSION,
            **dataclasses.asdict(card),
            "crop_spec": card.crop_spec.to_dict(),
            "weights": {"file": WEIGHTS, "sha256": sha256(temporary)},
            **(extra or {}),
        }
        text = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
        part = os.path.join(folder, f".part-{CARD}")
        with open(part, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, os.path.join(folder, WEIGHTS))
        os.replace(part, os.path.join(folder, CARD))
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise


def load(path: str, *, protocol: str = "clean") -> keras.Model:
    """Loads a trained model with its crop spec and labels.

    Args:
        path: A model folder (an export), a workdir of `trainers.train`, or a
            name from the catalog.
        protocol: Which weights of a workdir: `clean` (best on validation) or
            `paper` (best on test).

    Returns:
        The model, with `card` (a `Card`) and `crop_spec` as attributes.

    Raises:
        ValueError: If the folder is no model folder, its files do not belong
            together, or its weights do not fit the model they name.
    """
    folder = find(path, protocol=protocol)
    described = read_card(folder)
    weights = described.get("weights")
    if not isinstance(weights, dict) or not {"file", "sha256"} <= set(weights):
        raise ValueError(f"{os.path.join(folder, CARD)}: names no weights")
    file = os.path.join(folder, weights["file"])
    if os.path.dirname(weights["file"]) or not os.path.isfile(file):
        raise ValueError(f"{folder}: the weights {weights['file']!r} are not here")
    found = sha256(file)
    if found != weights["sha256"]:
        raise ValueError(
            f"{file}: sha256 {found[:12]}…, but {CARD} says "
            f"{weights['sha256'][:12]}…: damaged, or of another model"
        )
    card = card_from(described)
    model = models.create_model(card.model, **card.arguments)
    model.load_weights(file)
    model.card, model.crop_spec = card, card.crop_spec
    return model


def find(path: str, *, protocol: str = "clean") -> str:
    """The model folder that a path, workdir or catalog name stands for.

    Raises:
        ValueError: If there is none.
    """
    for folder in (path, os.path.join(path, "best", protocol)):
        if os.path.isfile(os.path.join(folder, CARD)):
            return folder
    raise ValueError(
        f"{path}: neither a model folder (with {CARD}) nor a workdir with best weights"
    )


def read_card(folder: str) -> dict[str, Any]:
    """Reads a folder's `model.json`.

    Raises:
        ValueError: If it is damaged or of another schema.
    """
    path = os.path.join(folder, CARD)
    with open(path, encoding="utf-8") as file:
        try:
            described = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(described, dict):
        raise ValueError(f"{path}: not a model card")
    if described.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(
            f"{path}: schema {described.get('schema_version')}, this version reads "
            f"{SCHEMA_VERSION}"
        )
    return described


def card_from(described: Mapping[str, Any]) -> Card:
    """The `Card` in what `read_card` gives."""
    names = [field.name for field in dataclasses.fields(Card)]
    missing = [name for name in names if name not in described]
    if missing:
        raise ValueError(f"{CARD} lacks {', '.join(missing)}")
    values = {name: described[name] for name in names}
    values["crop_spec"] = CropSpec.from_dict(values["crop_spec"])
    for name in ("expressions", "action_units"):
        values[name] = tuple(values[name])
    return Card(**values)
