"""Mixup: images are blended in pairs, and their losses alike.

Reference:
    - [Zhang et al., 2018](https://arxiv.org/abs/1710.09412), with one coefficient a
      batch, as in their code. For cross-entropy, blending the losses of the two labels
      equals a soft label. It also works for losses that take no soft label.
"""

import zlib

import tensorflow as tf


def mixup(alpha: float, *, seed: int):
    """An op that blends each picture with the one at the batch's other end.

    The batch's coefficient is drawn from Beta(alpha, alpha), seeded by the epoch and
    the first example of the batch: a resumed run draws the same. It is added to the
    batch as `mixup`. Use it after `to_model_input`.
    """
    purpose = zlib.crc32(b"mixup") ^ seed

    def op(batch):
        key = tf.stack([batch["key"][0] ^ purpose, batch["epoch"][0]])
        # Two draws of a gamma distribution in proportion: a beta distribution.
        gammas = tf.random.stateless_gamma([2], key, alpha) + 1e-12
        part = gammas[0] / (gammas[0] + gammas[1])
        image = batch["image"]
        mixed = part * image + (1.0 - part) * tf.reverse(image, axis=[0])
        return {**batch, "image": mixed, "mixup": part}

    return op


class Mixed:
    """The objective of blended images: the same blend of both images' losses.

    Args:
        objective: See `trainers.training.objectives`.
    """

    def __init__(self, objective):
        self.objective = objective
        self.tasks, self.layer = objective.tasks, objective.layer

    def __call__(self, batch, outputs):
        part = batch["mixup"]
        other = {
            name: tf.reverse(value, axis=[0]) if value.shape.rank else value
            for name, value in batch.items()
            if name != "image"
        }
        total, tasks = self.objective(batch, outputs)
        other_total, other_tasks = self.objective(other, outputs)
        blend = lambda a, b: part * a + (1.0 - part) * b
        return blend(total, other_total), {
            name: blend(tasks[name], other_tasks[name]) for name in tasks
        }
