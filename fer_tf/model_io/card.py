"""The card of a model: what its weights mean, in a file `model.json`.

It holds the model's name and arguments, the spec of its crops, the names of its
outputs, and how its paper averages the views of a face. A card may come from a
stranger: nothing of it is believed before it is checked.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import keras

from fer_tf import labels
from fer_tf.faces.crop_spec import MAX_SIZE, CropSpec
from fer_tf.layers.crop_views import VIEWS
from fer_tf.model_io.views import AVERAGES

SCHEMA_VERSION = 1
CARD = "model.json"

COVERAGE = 0.8
"""Share of the faces, the surest ones, that are not called unsure."""

# A card with its config takes some ten thousand bytes.
_MAX_CARD_BYTES = 1 << 20

# Output of a model -> the field of the card that names its columns.
NAMED = {"expression": "expressions", "action_units": "action_units"}
# Output that reads a face -> the losses, any of which trains it.
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
        trained: Losses that trained the weights; None if unknown.

    Example:
        >>> from fer_tf.faces.crop_spec import CROP_SPECS
        >>> card = Card(model="small_resnet", arguments={}, views="center",
        ...             average="logits", trained=("expression",),
        ...             crop_spec=CROP_SPECS["meen"])
        >>> card.reads("expression"), card.reads("valence_arousal")
        (True, False)
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
        """Whether an output has a meaning: an untrained head has none."""
        if self.trained is None or output not in _TRAINED_BY:
            return True
        return not set(_TRAINED_BY[output]).isdisjoint(self.trained)


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
    """Makes the `Card` of what `read_card` gives, and checks every part.

    Args:
        described: As read.
        where: The file, for messages.

    Raises:
        ValueError: If a part is missing, or is not what it must be.
    """
    fields = [field.name for field in dataclasses.fields(Card)]
    # `trained` alone may be left out.
    described = {"trained": None, **described}
    missing = [name for name in fields if name not in described]
    if missing:
        raise ValueError(f"{where}: lacks {', '.join(missing)}")
    values = {name: described[name] for name in fields}
    for name in ("expressions", "action_units"):
        values[name] = labels.check_names(values[name], f"{where}: {name}")
    # Both become columns of one table, so no name may be in both.
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
    """Whether the numbers of an argument, and their count, can be a network's."""
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


def unsure_below(described: Mapping[str, Any]) -> float | None:
    """The probability below which a reading is unsure, from the card's coverage table.

    It is the least probability among the surest 80 % of the faces of the last split
    that was measured: test, or else validation. A fifth of such faces are unsure.

    Args:
        described: As `read_card` gives it.

    Returns:
        None if the card holds no such table.

    Example:
        >>> row = {"coverage": 0.8, "accuracy": 0.77, "confidence": 0.444}
        >>> scores = {"calibration": {"coverage": [row]}}
        >>> unsure_below({"measured": {"test": scores}}), unsure_below({})
        (0.444, None)
    """
    for split in ("test", "validation"):
        try:
            table = described["measured"][split]["calibration"]["coverage"]
            (level,) = [r["confidence"] for r in table if r["coverage"] == COVERAGE]
            if 0 <= level <= 1:
                return float(level)
        except (KeyError, TypeError, ValueError):  # Absent, or a stranger's.
            continue
    return None


def require_names(model: keras.Model, card: Card, folder: str) -> None:
    """Checks that every class that a model predicts has a name.

    Raises:
        ValueError: If a head is wider than its names are many.
    """
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
