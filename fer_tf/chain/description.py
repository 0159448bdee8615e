"""`chain.json`: everything but the networks that decides what is read in a picture."""

import dataclasses
import json
import os
from typing import Any

from fer_tf import labels
from fer_tf.faces.cascade import Settings
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.utils.hashing import sha256

FILE = "chain.json"
SCHEMA_VERSION = 1

PROPOSAL, PROPOSAL_SHEET = "pnet", "pnet_sheet"
REFINEMENT, OUTPUT, MODEL = "rnet", "onet", "model"
NETWORKS = (PROPOSAL, PROPOSAL_SHEET, REFINEMENT, OUTPUT, MODEL)
"""Names of the files, without their endings."""

ENDINGS = {"onnx": ".onnx", "litert": ".tflite"}
"""By what runs the networks."""

_MAX_BYTES = 1 << 20

# Lists of class names, of which the probabilities of a face are.
_CLASSES = ("expressions", "action_units")


@dataclasses.dataclass(frozen=True)
class Description:
    """What the reader needs of `chain.json`.

    Attributes:
        detector: Of the search for faces.
        crop_spec: Of the expression network's crops.
        names: Of its outputs, as `fer_tf.model_io.serving.names_inside` gives them.
        unsure_below: See `fer_tf.model_io.card.unsure_below`; None if not stated.
        runtimes: Keys of `ENDINGS`: those that the networks are there for.
        facts: The whole file.
    """

    detector: Settings
    crop_spec: CropSpec
    names: dict[str, list[str]]
    unsure_below: float | None
    runtimes: list[str]
    facts: dict[str, Any]


def read(folder: str | os.PathLike) -> Description:
    """Reads `chain.json`; `check_files` checks the files beside it.

    Raises:
        ValueError: If the folder holds no chain of this version, with the file and what
            is wrong with it.
    """
    path = os.path.join(folder, FILE)
    if not os.path.isfile(path):
        raise ValueError(f"{folder}: holds no {FILE}: write it by trainers.export")
    if os.path.getsize(path) > _MAX_BYTES:
        raise ValueError(f"{path}: too large to be a description")
    try:
        with open(path, encoding="utf-8") as file:
            facts = json.load(file)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not valid JSON ({error})") from error
    version = facts.get("schema_version") if isinstance(facts, dict) else None
    if version != SCHEMA_VERSION:
        raise ValueError(
            f"{path}: schema {version}, this version reads {SCHEMA_VERSION}"
        )
    try:
        described = Description(
            detector=Settings(**facts["detector"]),
            crop_spec=CropSpec.from_dict(facts["crop_spec"]),
            names=_names(facts["names"]),
            unsure_below=_threshold(facts["unsure_below"]),
            runtimes=_runtimes(facts["runtimes"]),
            facts=facts,
        )
    except KeyError as error:
        raise ValueError(f"{path}: lacks {error.args[0]}") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return described


def check_files(folder: str | os.PathLike, facts: dict, runtime: str) -> None:
    """Compares the files of a runtime with the sha256 that `chain.json` states.

    Raises:
        ValueError: If one is missing or another, with its name.
    """
    for name in files(runtime):
        path = os.path.join(folder, name)
        try:
            expected = facts["files"][name]["sha256"]
        except (KeyError, TypeError):
            place = os.path.join(folder, FILE)
            raise ValueError(f"{place}: states no sha256 of {name}") from None
        if not os.path.isfile(path):
            raise ValueError(f"{path}: is not here")
        if sha256(path) != expected:
            raise ValueError(
                f"{path}: has another sha256 than {FILE} states: damaged, or of "
                "another chain"
            )


def _names(names):
    """Names of the outputs, if those of classes can be told apart."""
    if not isinstance(names, dict):
        raise ValueError("`names` must be a dict")
    known = [name for name in _CLASSES if name in names]
    return names | {k: list(labels.check_names(names[k], k)) for k in known}


def files(runtime: str) -> list[str]:
    """The files of the networks for one runtime.

    Example:
        >>> files("litert")[-1]
        'model.tflite'
    """
    return [name + ENDINGS[runtime] for name in NETWORKS]


def _runtimes(names):
    """The runtimes, if they are some of those that are known."""
    if not isinstance(names, list) or not names or not {*names} <= {*ENDINGS}:
        known = ", ".join(ENDINGS)
        raise ValueError(f"`runtimes` must be of {known}, is {names!r}")
    return names


def _threshold(value):
    number = type(value) in (int, float)
    if value is not None and not (number and 0 <= value <= 1):
        raise ValueError(f"`unsure_below` must be in 0..1 or null, is {value!r}")
    return value
