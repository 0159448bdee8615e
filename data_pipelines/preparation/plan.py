"""The plan of a preparation: everything that decides the bytes of the records.

It is written when the work begins. Work that was interrupted goes on only under the
plan that it was begun with.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from data_pipelines.preparation.cropping import Cropping
from data_pipelines.sources import DataError, Source
from data_pipelines.storage import manifests

NAME = "plan.json"


def describe(
    source: Source, cropping: Cropping, format: str, rows_a_chunk: int
) -> dict[str, Any]:
    """The plan, JSON-ready."""
    return {
        "dataset": source.name,
        "fingerprint": source.fingerprint,
        **dataclasses.asdict(cropping),
        "format": format,
        "rows_a_chunk": rows_a_chunk,
        "validation": source.holdout,
        "schema_version": manifests.SCHEMA_VERSION,
    }


def require_same(old: Mapping[str, Any], new: Mapping[str, Any], output: str) -> None:
    """Refuses to continue a folder under another plan.

    Raises:
        DataError: If the plans differ; the message says in what.
    """
    # Through JSON, where a tuple becomes a list.
    old, new = _flat(old), _flat(json.loads(json.dumps(new)))
    differences = [
        key
        if isinstance(value, list)
        else f"{key} (there {old.get(key)!r}, now {value!r})"
        for key, value in new.items()
        if old.get(key) != value and key != "fingerprint"
    ]
    if old.get("fingerprint") != new["fingerprint"]:
        differences.insert(0, "source: its files or options have changed")
    if differences:
        raise DataError(
            f"{output}: begun with another {'; another '.join(differences)}; choose "
            "another folder, or remove this one"
        )


def _flat(plan):
    """A plan in which each field of the crop spec is a key of its own."""
    spec = plan.get("crop_spec", {})
    return {k: v for k, v in plan.items() if k != "crop_spec"} | {
        f"crop_spec.{key}": value for key, value in spec.items()
    }
