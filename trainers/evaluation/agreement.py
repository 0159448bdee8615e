"""What a trained model and the data it meets must have in common."""

import os
from collections.abc import Iterable

import numpy as np

from data_pipelines.storage.prepared import Prepared
from fer_tf.faces.crop_spec import CropSpec
from fer_tf.model_io.card import Card
from fer_tf.utils import atomic


def require_crops(spec: CropSpec, prepared: Prepared, *, workdir: str) -> None:
    """Refuses data that was cropped by another recipe than a trained model's.

    Args:
        spec: Of the model.
        prepared: The data.
        workdir: A run's, whose `mixed_crops` counts, or any folder.

    Raises:
        ValueError: If the framing is not the same.
    """
    # A model that is no run's has no such file, and every folder must fit then.
    begun = atomic.read_json(os.path.join(workdir, "config.json"))
    mixed = begun.get("config", {}).get("mixed_crops", False)
    for folder, data_spec in zip(prepared.folders, prepared.crop_specs):
        spec.require_same_framing(data_spec, f"the data in {folder}")
        if mixed:
            return


def require_names(
    card: Card, prepared: Prepared, field: str, used: Iterable[int]
) -> None:
    """Refuses labels of another class than the output in their place.

    Args:
        card: Of the model.
        prepared: The data.
        field: `expressions` or `action_units`.
        used: Places that labels are for.

    Raises:
        ValueError: If one is named otherwise.
    """
    ours, theirs = getattr(card, field), getattr(prepared, field)
    for place in np.unique(used).tolist():
        if place >= len(ours) or ours[place] != theirs[place]:
            raise ValueError(
                f"{','.join(prepared.folders)}: its {field} are {', '.join(theirs)}; "
                f"those of the model {', '.join(ours)}"
            )
