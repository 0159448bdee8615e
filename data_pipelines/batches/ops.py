"""Per-batch ops: factories of pure `dict -> dict` functions.

An op takes a batch of TensorFlow tensors or of NumPy arrays, and does the same to
both: crops and flips bit for bit, what interpolates up to rounding. Only the kernels
that move pixels exist twice, in `tensor_kernels` and `array_kernels`.

An op reads and writes named features of a batch and never changes its argument.
Random ops draw by `data_pipelines.batches.stateless_random` from the features `key` and
`epoch` (how often the example has come before), so the same example in the same
epoch is always augmented the same way. What moves the face moves its landmarks
too, and region masks are drawn from the landmarks after that. Other labels stay:
expressions, valence and arousal have no side, and every action unit of the
vocabulary belongs to both sides.
"""

import functools
import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from data_pipelines.batches import camera, geometry
from fer_tf.faces.region_masks import region_masks as draw_region_masks

Batch = dict[str, Any]
"""Features by name, TensorFlow tensors or NumPy arrays of leading dimension `batch`."""
Op = Callable[[Batch], Batch]


def kernels_of(batch: Batch) -> ModuleType:
    """The pixel kernels for the batch's kind of arrays."""
    if isinstance(batch["image"], np.ndarray):
        from data_pipelines.batches import array_kernels as kernels
    else:
        from data_pipelines.batches import tensor_kernels as kernels
    return kernels


def random_crop(size: int, *, seed: int) -> Op:
    """Cuts a `size` x `size` window at a random place, another one each time.

    Args:
        size: Side of the window in pixels.
        seed: Seed of the run.

    Raises:
        ValueError: When it is applied, if the window is larger than the picture.

    >>> batch = {"image": np.zeros((2, 48, 48, 1), np.uint8),
    ...          "landmarks": np.zeros((2, 5, 2), np.float32),
    ...          "key": np.array([7, 8]), "epoch": np.array([0, 0])}
    >>> random_crop(44, seed=0)(batch)["image"].shape
    (2, 44, 44, 1)
    """
    return functools.partial(_crop, size=size, seed=seed)


def center_crop(size: int) -> Op:
    """Cuts the central `size` x `size` window.

    Args:
        size: Side of the window in pixels.

    Raises:
        ValueError: When it is applied, if the window is larger than the picture.

    >>> image, key = np.zeros((1, 48, 48, 1), np.uint8), np.array([7])
    >>> points = np.full((1, 5, 2), 24, np.float32)
    >>> batch = center_crop(44)({"image": image, "landmarks": points, "key": key})
    >>> batch["image"].shape, batch["landmarks"][0, 0].tolist()
    ((1, 44, 44, 1), [22.0, 22.0])
    """
    return functools.partial(_crop, size=size, seed=None)


def random_flip(*, seed: int) -> Op:
    """Mirrors the face with probability 1/2, and its landmarks with it.

    Args:
        seed: Seed of the run.

    >>> batch = {"image": np.zeros((2, 48, 48, 1), np.uint8),
    ...          "landmarks": np.full((2, 5, 2), 20, np.float32),
    ...          "key": np.array([7, 8]), "epoch": np.array([0, 0])}
    >>> random_flip(seed=4)(batch)["landmarks"][:, 0, 0].tolist()
    [27.0, 20.0]
    """

    def op(batch):
        kernels, points = kernels_of(batch), batch["landmarks"]
        flip = geometry.uniform(kernels.xp, batch, seed, "flip") < 0.5
        image = batch["image"]
        batch = {**batch, "image": kernels.mirror(image, flip)}
        if points.shape[1]:
            moved = geometry.mirrored_points(kernels.xp, points, image.shape[2])
            flip = flip[:, None, None]
            batch["landmarks"] = kernels.xp.where(flip, moved, points)
        return batch

    return op


def random_affine(
    *, seed: int, degrees: float = 0.0, zoom: float = 0.0, shift: float = 0.0
) -> Op:
    """Turns, zooms and shifts the picture about its centre, bilinearly.

    The picture becomes float32; beyond an edge, the edge is repeated.

    Args:
        seed: Seed of the run.
        degrees: Largest turn either way.
        zoom: Largest relative change of scale either way.
        shift: Largest shift either way, as a fraction of the side.

    >>> batch = {"image": np.zeros((2, 48, 48, 1), np.uint8),
    ...          "landmarks": np.full((2, 5, 2), 20, np.float32),
    ...          "key": np.array([7, 8]), "epoch": np.array([0, 0])}
    >>> random_affine(seed=0, degrees=10)(batch)["image"].dtype
    dtype('float32')
    """

    def op(batch):
        kernels, points = kernels_of(batch), batch["landmarks"]
        transform = geometry.affine(
            kernels.xp, batch, seed=seed, degrees=degrees, zoom=zoom, shift=shift
        )
        batch = {**batch, "image": kernels.warp(batch["image"], *transform)}
        if points.shape[1]:
            batch["landmarks"] = geometry.moved_points(kernels.xp, points, *transform)
        return batch

    return op


def random_erase(*, seed: int, probability: float, area: float) -> Op:
    """Fills a random square with the mean grey of its picture, as float32.

    Args:
        seed: Seed of the run.
        probability: How often.
        area: Largest part of the picture that goes, in (0, 1].

    >>> batch = {"image": np.zeros((2, 48, 48, 1), np.uint8),
    ...          "landmarks": np.full((2, 5, 2), 20, np.float32),
    ...          "key": np.array([7, 8]), "epoch": np.array([0, 0])}
    >>> random_erase(seed=0, probability=0.5, area=0.2)(batch)["image"].shape
    (2, 48, 48, 1)
    """

    def op(batch):
        kernels = kernels_of(batch)
        erased = geometry.erased(
            kernels.xp, batch, seed=seed, probability=probability, area=area
        )
        return {**batch, "image": kernels.fill_with_mean(batch["image"], erased)}

    return op


def random_cover(*, seed: int, probability: float, depth: float) -> Op:
    """Covers the picture from one side with one grey: the border, a hand, hair.

    The edge is straight. Half of the time it is upright or level, as where a photograph
    ends; otherwise it comes at any angle. The picture becomes float32.

    Args:
        seed: Seed of the run.
        probability: How often.
        depth: How far it reaches in at most, as a fraction of the way through.

    >>> batch = {"image": np.zeros((2, 48, 48, 1), np.uint8),
    ...          "key": np.array([7, 8]), "epoch": np.array([0, 0])}
    >>> random_cover(seed=0, probability=0.5, depth=0.4)(batch)["image"].shape
    (2, 48, 48, 1)
    """

    def op(batch):
        xp = kernels_of(batch).xp
        draw = lambda what: geometry.uniform(xp, batch, seed, f"cover {what}")
        quarters = draw("angle") * 4
        quarters = xp.where(draw("kind") < 0.5, xp.floor(quarters), quarters)
        reach = xp.where(draw("whether") < probability, draw("depth") * depth, 0.0)
        size = batch["image"].shape[1:3]
        where = camera.behind_edge(xp, size, quarters * (math.pi / 2), reach)
        grey = (255 * draw("grey"))[:, None, None, None]
        image = kernels_of(batch).to_float(batch["image"])
        return {**batch, "image": xp.where(where[..., None], grey, image)}

    return op


def random_light(*, seed: int, contrast: float = 0.0, brightness: float = 0.0) -> Op:
    """Changes contrast and brightness; the picture becomes float32.

    Args:
        seed: Seed of the run.
        contrast: Largest relative change either way.
        brightness: Largest change either way, as a fraction of white.

    >>> batch = {"image": np.full((1, 48, 48, 1), 100, np.uint8),
    ...          "key": np.array([7]), "epoch": np.array([0])}
    >>> lit = random_light(seed=0, brightness=0.2)(batch)["image"]
    >>> bool((49 <= lit).all() and (lit <= 151).all())
    True
    """

    def op(batch):
        xp, image = kernels_of(batch).xp, kernels_of(batch).to_float(batch["image"])
        draw = lambda what: geometry.uniform(xp, batch, seed, f"light {what}") * 2 - 1
        changes = draw("contrast") * contrast, draw("brightness") * brightness
        return {**batch, "image": camera.relight(xp, image, *changes)}

    return op


def random_blur(*, seed: int, sigma: float) -> Op:
    """Blurs the picture, as float32.

    Args:
        seed: Seed of the run.
        sigma: Of the widest Gaussian, in pixels.

    >>> batch = {"image": np.full((1, 48, 48, 1), 100, np.uint8),
    ...          "key": np.array([7]), "epoch": np.array([0])}
    >>> int(random_blur(seed=0, sigma=2.0)(batch)["image"].mean().round())
    100
    """

    def op(batch):
        xp, image = kernels_of(batch).xp, kernels_of(batch).to_float(batch["image"])
        drawn = geometry.uniform(xp, batch, seed, "blur") * sigma
        return {**batch, "image": camera.blur(xp, image, drawn)}

    return op


def random_jpeg(*, seed: int, probability: float, worst: int, best: int) -> Op:
    """Passes the picture through JPEG, as float32.

    Args:
        seed: Seed of the run.
        probability: How often.
        worst: The lowest quality, at least 1.
        best: The highest, at most 100.

    >>> batch = {"image": np.full((1, 48, 48, 1), 100, np.uint8),
    ...          "key": np.array([7]), "epoch": np.array([0])}
    >>> op = random_jpeg(seed=0, probability=1.0, worst=100, best=100)
    >>> float(op(batch)["image"].max())
    100.0
    """

    def op(batch):
        xp, image = kernels_of(batch).xp, kernels_of(batch).to_float(batch["image"])
        draw = lambda what: geometry.uniform(xp, batch, seed, f"jpeg {what}")
        quality = worst + draw("quality") * (best - worst)
        chosen = (draw("whether") < probability)[:, None, None, None]
        stored = camera.jpeg(xp, image, quality)
        return {**batch, "image": xp.where(chosen, stored, image)}

    return op


def region_masks(*, region_sizes: str = "swapped", cell_anchor: str = "corner") -> Op:
    """Adds the masks that RASnet learns, drawn from the landmarks in the window.

    See `fer_tf.faces.region_masks`; `region_masks` is float32 `(batch, h / 16, w / 16,
    8)`, `region_masks_weight` that of the landmarks. Comes after everything that
    moves the face.

    >>> batch = {"image": np.zeros((2, 224, 224, 3), np.uint8),
    ...          "landmarks": np.full((2, 68, 2), 100, np.float32),
    ...          "landmarks_weight": np.ones(2, np.float32)}
    >>> region_masks()(batch)["region_masks"].shape
    (2, 14, 14, 8)
    """

    def op(batch):
        size, height, width = batch["image"].shape[:3]
        draw = functools.partial(
            draw_region_masks,
            image_size=(height, width),
            region_sizes=region_sizes,
            cell_anchor=cell_anchor,
        )
        shape = (size, height // 16, width // 16, 8)
        return {
            **batch,
            "region_masks": kernels_of(batch).drawn(draw, batch["landmarks"], shape),
            "region_masks_weight": batch["landmarks_weight"],
        }

    return op


def class_weights(weights: Sequence[float]) -> Op:
    """Multiplies the weight of the expression by that of its class.

    With inverse frequencies this is the weighted loss of AffectNet's baselines.
    A loss is the weighted mean over a batch, so only ratios of weights matter.

    Args:
        weights: One per class, in the order of the labels.

    >>> batch = {"image": np.zeros((2, 1, 1, 1)), "expression": np.array([0, 1]),
    ...          "expression_weight": np.array([1, 0], np.float32)}
    >>> class_weights([0.5, 3.0])(batch)["expression_weight"].tolist()
    [0.5, 0.0]
    """

    def op(batch):
        of_class = kernels_of(batch).look_up(weights, batch["expression"])
        return {**batch, "expression_weight": batch["expression_weight"] * of_class}

    return op


def draw_votes(*, seed: int) -> Op:
    """Makes one expression, drawn by its share of the votes, the target of each face.

    Another one each time that the face comes: FER+'s "probabilistic label drawing". A
    face without votes keeps its label.

    Args:
        seed: Seed of the run.

    >>> votes = np.array([[0.2, 0.8], [0, 0]], np.float32)
    >>> batch = {"image": np.zeros((2, 1, 1, 1)), "expression": np.array([1, 0]),
    ...          "votes": votes, "key": np.array([7, 8]), "epoch": np.array([0, 0])}
    >>> draw_votes(seed=0)(batch)["votes"].tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """

    def op(batch):
        kernels, votes = kernels_of(batch), batch["votes"]
        # Between what the expressions before it and those up to it have together.
        upper = kernels.xp.cumsum(votes, axis=1)
        place = geometry.uniform(kernels.xp, batch, seed, "votes") * upper[:, -1]
        below = kernels.to_float(place[:, None] < upper)
        drawn = below - kernels.xp.concatenate(
            [kernels.xp.zeros_like(below[:, :1]), below[:, :-1]], axis=1
        )
        index = kernels.xp.argmax(drawn, axis=1)
        voted = upper[:, -1] > 0
        label = kernels.xp.where(voted, index, batch["expression"])
        return {**batch, "votes": drawn, "expression": label}

    return op


def numbers_only() -> Op:
    """Drops ids and other text, which no accelerator can hold.

    >>> batch = {"image": np.zeros((1, 1, 1, 1)), "subject": np.array([b"anna"])}
    >>> list(numbers_only()(batch))
    ['image']
    """
    return lambda batch: {
        name: feature
        for name, feature in batch.items()
        if not kernels_of(batch).is_text(feature)
    }


def to_model_input() -> Op:
    """The picture as models take it: float32 in 0..255.

    >>> batch = {"image": np.full((1, 1, 1, 1), 255, np.uint8)}
    >>> to_model_input()(batch)["image"].dtype
    dtype('float32')
    """
    return lambda batch: {
        **batch, "image": kernels_of(batch).to_float(batch["image"])
    }  # fmt: skip


def apply(ops: Sequence[Op], batch: Batch) -> Batch:
    """The batch after all of the ops, in their order."""
    for op in ops:
        batch = op(batch)
    return batch


def fill_up(batch: Batch, batch_size: int) -> Batch:
    """An evaluation batch with static shapes: missing rows are zeros.

    Adds `mask`, 1 for a real row and 0 for a filled one, and `epoch`, which is 0.
    """
    kernels, key = kernels_of(batch), batch["key"]
    batch = {
        **batch,
        "epoch": kernels.xp.zeros_like(key),
        "mask": kernels.to_float(kernels.xp.ones_like(key)),
    }
    return {name: kernels.fill_up(x, batch_size) for name, x in batch.items()}


def for_fit(batch: Batch, tasks: Sequence[str]) -> tuple[Any, Batch, Batch]:
    """A batch as `model.fit` takes it: `(image, {task: label}, {task: weight})`.

    A filled-up row of an evaluation batch has weight 0.

    Args:
        batch: With `image`, and each task with its weight; `votes` have that of the
            expression.
        tasks: Labels, such as `expression`.
    """
    labels = {task: batch[task] for task in tasks}
    weighted = [task for task in tasks if task != "votes"]
    return batch["image"], labels, {task: batch[f"{task}_weight"] for task in weighted}


def _crop(batch, size, seed):
    kernels = kernels_of(batch)
    top, left = geometry.crop_offsets(kernels.xp, batch, size, seed)
    offset = kernels.to_float(kernels.xp.stack([left, top], axis=1))
    return {
        **batch,
        "image": kernels.crop(batch["image"], top, left, size),
        "landmarks": batch["landmarks"] - offset[:, None],
    }
