"""The manifest of a prepared folder: checked in full, for anybody may have made it."""

import json
import os
import re
from collections.abc import Callable
from typing import Any

from data_pipelines.sources.errors import DataError
from data_pipelines.sources.sample import SPLITS
from fer_tf import labels
from fer_tf.faces.crop_spec import CropSpec

SCHEMA_VERSION = 1
NAME = "manifest.json"
FORMATS = ("tfrecord", "npz")

# A million rejects fit. In memory JSON takes up to twenty times the file.
_LARGEST = 2**27
_MOST_LANDMARKS, _MOST_EXAMPLES = 1000, 2**40
_DATASET = re.compile(r"[\w.+-]{1,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read(folder: str) -> dict[str, Any]:
    """Reads and checks the manifest of a prepared folder.

    Raises:
        DataError: If the folder is not a finished prepared folder, was written under
            another schema, or its manifest has impossible values.
    """
    path = os.path.join(folder, NAME)
    if not os.path.lexists(path):
        raise DataError(
            f"{folder}: no {NAME} here; is this a folder that "
            "trainers.prepare finished?"
        )
    manifest = _load(path)
    check(manifest, path)
    return manifest


def check(manifest: Any, path: str) -> None:
    """Refuses a manifest of another schema, or with impossible values.

    Args:
        manifest: As it was read.
        path: Of the file, for the message.

    Raises:
        DataError: If it is one.
    """
    if not isinstance(manifest, dict):
        raise DataError(f"{path}: not a manifest")
    version = manifest.get("schema_version")
    if type(version) is not int or version != SCHEMA_VERSION:
        raise DataError(
            f"{path}: written under schema {_shown(version)}, this "
            f"version reads {SCHEMA_VERSION}; prepare the data again"
        )
    _check_values(manifest, path)
    _check_counts(manifest, path)
    _check_shards(manifest, path)


def _load(path):
    # Reading a pipe would wait for ever.
    if not os.path.isfile(path):
        raise DataError(f"{path}: not a file")
    try:
        if os.path.getsize(path) > _LARGEST:
            raise DataError(f"{path}: larger than {_LARGEST >> 20} MiB")
        with open(path, encoding="utf-8") as file:
            return json.load(file, parse_constant=_no_number)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except RecursionError as error:
        raise DataError(f"{path}: not valid JSON (nested too deeply)") from error
    except DataError:
        raise
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are.
        raise DataError(f"{path}: not valid JSON ({error})") from error


def _no_number(name):
    raise ValueError(f"{name} is no number")


def _check_values(manifest, path):
    """Checks the value of every key."""
    for key, (wanted, fits) in {**_REQUIRED, **_OPTIONAL}.items():
        if key not in manifest:
            if key in _REQUIRED:
                raise DataError(f"{path}: lacks {key!r}; prepare the data again")
        elif not fits(manifest[key]):
            shown = _shown(manifest[key])
            raise DataError(f"{path}: {key!r} must be {wanted}, is {shown}")
    try:
        names = [*manifest["expressions"], *manifest["action_units"]]
        labels.check_names(names, f"{path}: expressions and action units")
        CropSpec.from_dict(manifest["crop_spec"])
    except ValueError as error:
        text = str(error).removeprefix(f"{path}: ")
        raise DataError(f"{path}: {text[:300]}") from error
    except (TypeError, OverflowError, RecursionError) as error:
        raise DataError(f"{path}: 'crop_spec' holds what is no number") from error


def _check_counts(manifest, path):
    known = {*manifest["expressions"], "face", "nonface", "unlabelled"}
    for split, counts in manifest["counts"].items():
        for name, count in counts.items():
            if name not in known or not _is_count(count):
                raise DataError(
                    f"{path}: 'counts' of {split} must be a whole number for each "
                    f"class, is {_shown(count)} for {_shown(name)}"
                )
    total = sum(sum(counts.values()) for counts in manifest["counts"].values())
    if total != manifest["num_examples"]:
        raise DataError(
            f"{path}: 'num_examples' is {manifest['num_examples']}, and 'counts' are "
            f"{total} in all"
        )


def _check_shards(manifest, path):
    """Checks the shards' names and numbers against the other keys."""
    begins, seen = f"{manifest['dataset']}-", set()
    num_stated = dict.fromkeys(SPLITS, 0)
    for shard in manifest["shards"]:
        if not _is_shard(shard):
            raise DataError(
                f"{path}: each of 'shards' must have a name, num_examples and a "
                f"sha256, one is {_shown(shard)}"
            )
        name = shard["name"]
        split, _, ending = name.removeprefix(begins).partition(".")
        is_ours = name.startswith(begins) and split in SPLITS and name not in seen
        if not is_ours or not _ENDINGS[manifest["format"]].fullmatch(ending):
            raise DataError(f"{path}: no shard can be called {_shown(name)}")
        seen.add(name)
        num_stated[split] += shard["num_examples"]
    for split, number in num_stated.items():
        counted = sum(manifest["counts"].get(split, {}).values())
        if number != counted:
            raise DataError(
                f"{path}: the shards of {split} hold {number}, 'counts' are {counted}"
            )


def split_of(name: str) -> str:
    """The split that a shard of this name holds."""
    return next(split for split in SPLITS if f"-{split}." in name)


# The part of a shard's name after the split. No name leads out of the folder.
_ENDINGS = {
    "tfrecord": re.compile(r"tfrecord-\d{5,}-of-\d{5,}"),
    "npz": re.compile(r"npz"),
}


def _is_count(value):
    return type(value) is int and 0 <= value <= _MOST_EXAMPLES


def _is_dict(value, *keys):
    return isinstance(value, dict) and all(type(value.get(k)) is str for k in keys)


def _is_shard(value):
    return (
        _is_dict(value, "name", "sha256")
        and bool(_SHA256.fullmatch(value["sha256"]))
        and _is_count(value.get("num_examples"))
    )


def _is_list(fits) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _is_text(value):
    return type(value) is str


def _are_counts(value):
    """Whether this is `{split: {...}}`; the numbers are looked at later."""
    return isinstance(value, dict) and all(
        split in SPLITS and isinstance(counts, dict) for split, counts in value.items()
    )


_TEXTS = ("a list of texts", _is_list(_is_text))
# Key -> what its value must be, in words and as a test.
_REQUIRED = {
    "dataset": (
        "a plain name",
        lambda value: type(value) is str and bool(_DATASET.fullmatch(value)),
    ),
    "num_examples": ("a positive whole number", lambda n: _is_count(n) and n > 0),
    "counts": (f"a dict of dicts, by {', '.join(SPLITS)}", _are_counts),
    "rejects": (
        "a list of paths and reasons",
        _is_list(lambda reject: _is_dict(reject, "path", "reason")),
    ),
    "crop_spec": ("a dict", _is_dict),
    "source": ("a dict with a layout", lambda value: _is_dict(value, "layout")),
    "expressions": (
        "a list of texts that is not empty",
        lambda value: _TEXTS[1](value) and bool(value),
    ),
    "action_units": _TEXTS,
    "num_landmarks": (
        f"a whole number of at most {_MOST_LANDMARKS}",
        lambda value: _is_count(value) and value <= _MOST_LANDMARKS,
    ),
    "shards": (
        "a list of dicts that is not empty",
        lambda v: _is_list(_is_dict)(v) and bool(v),
    ),
    "format": (f"one of {', '.join(FORMATS)}", lambda value: value in FORMATS),
    "votes": ("true or false", lambda value: type(value) is bool),
    "cropped": (
        "a dict of whole numbers",
        lambda value: _is_dict(value) and all(map(_is_count, value.values())),
    ),
    "plan": ("a dict", _is_dict),
    "fold_subjects": _TEXTS,
}
# Of a folder that was dealt into folds, and what older folders lack.
_OPTIONAL = {
    "derived": _TEXTS,
    "with_landmarks": ("a whole number", _is_count),
    "dealt_from": _TEXTS,
    "fold": ("a whole number", _is_count),
}


def _shown(value):
    """A value from the file, short and on one line."""
    if isinstance(value, (dict, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, int) and abs(value) > _MOST_EXAMPLES:
        return "a huge number"
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
