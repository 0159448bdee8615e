"""From a config to its batches: augmentation, order of the examples, streams.

TensorFlow is imported only for its own data sets: `trainers.fit` trains without it.
"""

import numpy as np
from ml_collections import ConfigDict

from data_pipelines.batches import ops, sampling
from data_pipelines.storage.prepared import Prepared


def train_ops(config: ConfigDict, prepared: Prepared) -> list:
    """The augmentation that the config asks for, in the order it is applied.

    Args:
        config: Of the run.
        prepared: Data, whose classes are counted for `class_weights`.
    """
    augment, seed = config.augment, config.seed
    chosen = []
    if augment.degrees or augment.zoom or augment.shift:
        chosen.append(
            ops.random_affine(
                seed=seed,
                degrees=augment.degrees,
                zoom=augment.zoom,
                shift=augment.shift,
            )
        )
    if augment.crop:
        chosen.append(ops.random_crop(config.input.window, seed=seed))
    else:
        chosen.append(ops.center_crop(config.input.window))
    if augment.flip:
        chosen.append(ops.random_flip(seed=seed))
    chosen += photograph_ops(augment, seed)
    if augment.erase:
        chosen.append(ops.random_erase(seed=seed, probability=augment.erase, area=0.2))
    if config.region_masks:
        if not (prepared.keeps_landmarks and prepared.manifests[0]["num_landmarks"]):
            folders = ",".join(prepared.folders)
            raise ValueError(f"{folders}: no landmarks to draw the region masks from")
        chosen.append(ops.region_masks(**config.region_masks))
    if config.draw_votes:
        if not prepared.has_votes:
            folders = ",".join(prepared.folders)
            raise ValueError(f"{folders}: no votes to draw from (`draw_votes`)")
        chosen.append(ops.draw_votes(seed=seed))
    if config.class_weights:
        chosen.append(ops.class_weights(class_weights(prepared)))
    chosen += [ops.numbers_only(), ops.to_model_input()]
    if config.mixup:
        from trainers.training import mixup

        chosen.append(mixup.mixup(config.mixup, seed=seed))
    return chosen


def photograph_ops(augment: ConfigDict, seed: int) -> list:
    """Those of the augmentation that make a crop look like part of a photograph."""
    chosen = []
    if augment.cover:
        chosen.append(ops.random_cover(seed=seed, probability=augment.cover, depth=0.4))
    if augment.contrast or augment.brightness:
        light = dict(contrast=augment.contrast, brightness=augment.brightness)
        chosen.append(ops.random_light(seed=seed, **light))
    if augment.blur:
        chosen.append(ops.random_blur(seed=seed, sigma=augment.blur))
    if augment.jpeg:
        often = augment.jpeg
        chosen.append(ops.random_jpeg(seed=seed, probability=often, worst=15, best=75))
    return chosen


def class_weights(prepared: Prepared) -> list[float]:
    """Inverse frequency of each expression, 1 on average; 0 for one without any."""
    counts = prepared.class_counts("train")
    present = np.count_nonzero(counts)
    return [counts.sum() / (present * n) if n else 0.0 for n in counts.tolist()]


def train_arguments(config: ConfigDict) -> dict:
    """Arguments that the training batches of both pipelines take."""
    return dict(
        _picture(config),
        batch_size=config.batch_size,
        seed=config.seed,
        shuffle_window=config.shuffle_window,
        sample=config.sampling.name,
        limit=config.sampling.limit,
    )


def eval_arguments(config: ConfigDict) -> dict:
    """Arguments that the evaluation batches of both pipelines take."""
    return dict(_picture(config), batch_size=config.eval_batch_size)


def _picture(config):
    grey = config.input.color == "grey"
    return dict(size=config.input.size, channels=1 if grey else 3)


def epoch_size(config: ConfigDict, prepared: Prepared) -> int:
    """Number of training examples in an epoch, as the config draws them."""
    return order(config, prepared).epoch_size


def order(config: ConfigDict, prepared: Prepared) -> sampling.Order:
    """The training examples as the config draws them."""
    return sampling.order(
        prepared,
        name=config.sampling.name,
        limit=config.sampling.limit,
        seed=config.seed,
        window=config.shuffle_window,
    )


def train_stream(config: ConfigDict, prepared: Prepared, *, start_step: int = 0):
    """Endless training batches from a step on.

    Returns:
        A `tf.data.Dataset` of dicts: `image` `(batch, window, window, channels)`, and
        a label and its weight for each task.
    """
    from data_pipelines.batches import pipeline

    return pipeline.train_batches(
        prepared,
        train_ops(config, prepared),
        start_step=start_step,
        **train_arguments(config),
    )


def training_faces(config: ConfigDict, prepared: Prepared) -> np.ndarray:
    """The first `published.statistics` faces that training sees, as it sees them."""
    config = config.copy_and_resolve_references()
    config.batch_size = config.published.statistics
    return next(iter(train_stream(config, prepared)))["image"].numpy()


def eval_stream(config: ConfigDict, prepared: Prepared, split: str):
    """One pass over whole crops; `make_inference` takes the windows.

    Returns:
        A `tf.data.Dataset` as `pipeline.eval_batches` gives it.
    """
    from data_pipelines.batches import pipeline

    return pipeline.eval_batches(
        prepared, split, [ops.to_model_input()], **eval_arguments(config)
    )
