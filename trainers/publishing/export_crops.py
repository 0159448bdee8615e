"""Crops that an export is checked on, and calibrated with."""

import math

import keras
import numpy as np

from data_pipelines import synthetic
from data_pipelines.batches import pipeline
from fer_tf.faces import alignment
from trainers.evaluation import agreement

DRAWN = "drawn faces"
"""What a check is made on where no data are given."""

# Faces that are drawn where no data are given; drawing takes some 20 ms each.
_DRAWN = 64
_CALIBRATION = 200
_BATCH = 64


def for_check(
    model: keras.Model, data: str | None, split: str, examples: int, *, workdir: str
) -> dict:
    """Arguments of `fer_tf.export.formats.export_model`.

    Args:
        model: From `fer_tf.load`.
        data: Prepared folder, or None for drawn faces.
        split: What to check on; int8 is calibrated with training crops where
            the folder has some.
        examples: How many crops, spread evenly over the split.
        workdir: Where the model came from: a run on mixed crops takes them.

    Returns:
        `crops`, `labels` (None where they say nothing of the model), `calibration`,
        and `source` and `calibrated_on`, what the two sets of crops are.

    Raises:
        ValueError: If the data have other crops than the model takes, or none.
    """
    spec = model.card.crop_spec
    if data is None:
        drawn = _drawn(2 * _DRAWN, spec)
        return {
            "crops": drawn[:_DRAWN],
            "calibration": drawn[_DRAWN:],
            "labels": None,
            "source": DRAWN,
            "calibrated_on": DRAWN,
        }
    prepared = pipeline.open_prepared(data)
    agreement.require_crops(spec, prepared, workdir=workdir)
    crops, labels = _spread(prepared, split, spec, examples)
    if labels is not None and "expression" in model.output:
        # As in evaluation, a class that the model does not have is no label.
        known = labels < model.output["expression"].shape[-1]
        if not known.any():
            raise ValueError(f"{data}: {split} has no expression that the model has")
        crops, labels = crops[known], labels[known]
        agreement.require_names(model.card, prepared, "expressions", labels)
    calibration, calibrated_on = crops, split
    if prepared.count("train"):
        calibration, _ = _spread(prepared, "train", spec, _CALIBRATION)
        calibrated_on = "train"
    return {
        "crops": crops,
        "calibration": calibration,
        "labels": labels,
        "source": f"{prepared.dataset}, {split}",
        "calibrated_on": f"{prepared.dataset}, {calibrated_on}",
    }


def _drawn(count, spec):
    """Drawn faces, aligned as the model's crops are."""
    options = synthetic.SyntheticOptions(size=min(max(spec.size, 96), 224))
    faces = [synthetic.draw(index, options) for index in range(count)]
    return np.array(
        [
            alignment.align(face.image, alignment.landmarks5(face.landmarks), spec)
            for face in faces
        ]
    )


def _spread(prepared, split, spec, examples):
    """`(crops, labels)`: every n-th example; labels None unless all are known."""
    stream = pipeline.eval_batches(
        prepared, split, size=spec.size, channels=spec.channels, batch_size=_BATCH
    )
    step = max(1, math.ceil(prepared.count(split) / examples))
    names = ("image", "expression", "expression_weight")
    columns, seen = {name: [] for name in names}, 0
    for batch in stream:
        rows = np.flatnonzero(batch["mask"].numpy())
        chosen = rows[(seen + rows) % step == 0]
        seen += len(rows)
        for name, parts in columns.items():
            parts.append(batch[name].numpy()[chosen])
    crops, labels, weights = (np.concatenate(columns[name]) for name in names)
    return crops, labels if weights.min() > 0 else None
