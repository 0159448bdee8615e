"""A small folder of pictures -> batches, without preparing it first.

Faces are searched and aligned while the batches are drawn, by the code that
`trainers.prepare` runs, so the crops are the same, byte for byte. Every pass does
it again: `cache()` the data set, or prepare the folder, to train on it for long.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence

import tensorflow as tf

from data_pipelines import chunks, records
from data_pipelines.cropping import Cropping
from data_pipelines.ops import Op
from data_pipelines.sources import DataError, Folder, Reject, Sample, Source
from data_pipelines.sources.files import folders
from data_pipelines.sources.sample import (
    SPLITS,
    check_name,
    list_files,
    printable,
    resolve_inside,
)
from fer_tf.faces.crop_spec import CROP_SPECS, CropSpec
from fer_tf.faces.images import read_image


def from_images(
    folder: str,
    ops: Sequence[Op] = (),
    *,
    crop: str | CropSpec = "meen",
    detector: str = "mtcnn",
    on_no_face: str = "whole",
    labelled: bool | None = None,
    split: str | None = None,
    batch_size: int = 32,
    rejects: list[dict[str, str]] | None = None,
) -> tf.data.Dataset:
    """One ordered pass over the faces of a folder's pictures, one face a picture.

    Args:
        folder: Of pictures. With folders in it, they are read as `trainers.prepare
            --dataset=folder` does: `<class>/` or `<split>/<class>/`.
        ops: Applied in order to each batch; see `data_pipelines.ops`.
        crop: Name of a crop spec, or one.
        detector: `mtcnn`, or `none` for pictures that are crops already.
        on_no_face: What happens where no face is found: the `whole` picture,
            `skip` (a reject), or `error`.
        labelled: Whether the folders name expressions; by default they do, if
            there are any. False reads every file below, whatever the folders.
        split: Only the pictures of this split, which `<class>/` alone leaves to a
            hash of the pixels; by default all.
        batch_size: Examples a batch; the last has what is left.
        rejects: Is filled, anew in each pass, with `{"path", "reason"}` of the
            pictures that cannot be used; without it the first ends the pass with
            an error.

    Returns:
        Dataset of feature dicts with the names, types and values of
        `pipeline.eval_batches`; what is not annotated has weight 0.

    Raises:
        DataError: If the folder is not there or holds nothing to read. In a pass,
            TensorFlow wraps it in an error of its own.
        ValueError: If an argument is unknown.
    """
    spec = CROP_SPECS.get(crop) if isinstance(crop, str) else crop
    for name, known in (
        ("crop", spec is not None),
        ("detector", detector in ("mtcnn", "none")),
        ("on_no_face", on_no_face in ("whole", "skip", "error")),
        ("split", split is None or split in SPLITS),
    ):
        if not known:
            raise ValueError(f"`{name}` is unknown. Received: {locals()[name]!r}.")
    if not os.path.isdir(folder):
        raise DataError(f"{folder}: no such folder")
    labelled = bool(folders(folder)) if labelled is None else labelled
    source = Folder(folder) if labelled else _Unlabelled(folder)
    if next(source.rows(), None) is None:
        raise DataError(f"{folder}: no file here")
    cropping = Cropping(spec, detector, on_no_face)
    ds = tf.data.Dataset.from_generator(
        lambda: _examples(source, cropping, split, rejects),
        output_signature=_signature(source, spec),
    )
    ds = ds.batch(batch_size)

    def finish(batch):
        for op in ops:
            batch = op(batch)
        return batch

    return ds.map(finish).prefetch(1)


class _Unlabelled(Source):
    """Every file below a folder, without labels."""

    name, strict, layout = "images", False, "<image>"

    def __init__(self, root):
        self.folder = root

    def rows(self) -> Iterator[Sample | Reject]:
        for path in list_files(self.folder):
            try:
                check_name(path)
            except DataError as error:
                yield Reject.of(printable(path), error)
                continue
            yield Sample(path, path=path)

    def load(self, sample):
        return sample, read_image(resolve_inside(self.folder, sample.path))


def _examples(source, cropping, split, rejects):
    """The examples of one pass, as TensorFlow takes them."""
    found = [] if rejects is None else rejects
    found.clear()

    def stop_at_rejects():
        if rejects is None and found:
            raise DataError(f"{found[0]['path']}: {found[0]['reason']}")

    def samples():
        for row in source.rows():
            stop_at_rejects()
            if isinstance(row, Reject):
                found.append({"path": row.path, "reason": row.reason})
            elif split is None or split in chunks.possible_splits(row, source.holdout):
                yield row

    used = 0
    made = chunks.examples(source, cropping, samples(), rejects=found, how=Counter())
    for sample, features in made:
        stop_at_rejects()
        if split in (None, sample.split):
            used += 1
            yield {**features, "epoch": 0, "mask": 1.0}
    stop_at_rejects()
    if not used:
        reason = f"; {found[0]['path']}: {found[0]['reason']}" if found else ""
        raise DataError(f"{source.folder}: no {split or 'usable'} picture here{reason}")


def _signature(source, spec):
    """Types and shapes of an example, as the pipeline gives them."""
    manifest = {
        "action_units": source.action_units,
        "expressions": source.expressions,
        "num_landmarks": source.num_landmarks,
    }
    signature = {
        name: tf.TensorSpec(feature.shape, feature.dtype)
        for name, feature in records.feature_spec(manifest).items()
    }
    return {
        **signature,
        "image": tf.TensorSpec((spec.size, spec.size, spec.channels), tf.uint8),
        "epoch": tf.TensorSpec((), tf.int64),
        "mask": tf.TensorSpec((), tf.float32),
    }
