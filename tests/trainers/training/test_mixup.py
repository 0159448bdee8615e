import numpy as np
import tensorflow as tf

from tests.trainers.training.one_step import batch
from trainers.training import (
    mixup,
    objectives,
)


def test_mixup_is_training_on_soft_labels():
    key = tf.range(100, 116, dtype=tf.int64)
    whole = {**batch(), "key": key, "epoch": tf.zeros_like(key)}
    op = mixup.mixup(0.4, seed=3)
    mixed = op(whole)
    part = float(mixed["mixup"])
    assert 0 < part < 1 and float(op(whole)["mixup"]) == part
    image = whole["image"].numpy()
    np.testing.assert_allclose(
        mixed["image"], part * image + (1 - part) * image[::-1], rtol=1e-5, atol=1e-6
    )

    logits = np.random.default_rng(1).normal(size=(16, 7)).astype(np.float32)
    mixed["expression_weight"] = tf.ones(16)
    total, tasks = mixup.Mixed(objectives.Expression())(mixed, {"expression": logits})
    hot = np.eye(7)[whole["expression"].numpy()]
    soft = part * hot + (1 - part) * hot[::-1]
    log_softmax = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    np.testing.assert_allclose(total, -(soft * log_softmax).sum(-1).mean(), rtol=1e-5)
    assert float(tasks["expression"]) == float(total)


def test_mixup_draws_from_the_beta_distribution():
    op = mixup.mixup(0.3, seed=0)
    rows = {"image": tf.zeros((2, 1)), "epoch": tf.zeros(2, tf.int64)}
    keys = tf.stack([tf.range(3000, dtype=tf.int64)] * 2, axis=1)
    draws = tf.map_fn(
        lambda k: op({**rows, "key": k})["mixup"], keys, tf.float32
    ).numpy()
    # Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1)).
    assert abs(draws.mean() - 0.5) < 0.03
    assert abs(draws.var() - 1 / (4 * 1.6)) < 0.01
