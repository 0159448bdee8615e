import dataclasses

import numpy as np
import pytest

from data_pipelines.batches import pipeline
from data_pipelines.storage.prepared import examples, open_prepared
from tests.testing_utils import tiny_config
from trainers.tables.runs import load_config
from trainers.training import optimizers, streams


def batches(config, data, count):
    return list(streams.train_stream(config, data).take(count))


def test_an_epoch_is_as_long_as_its_sampling_makes_it(synthetic_data):
    data = open_prepared(synthetic_data)
    counts = data.class_counts("train")
    config = tiny_config()
    assert streams.epoch_size(config, data) == data.count("train")
    config.sampling.name = "up"
    assert streams.epoch_size(config, data) == counts.max() * np.count_nonzero(counts)
    assert streams.order(config, data).num_examples == counts.sum()
    config.sampling.update(name="down", limit=3)
    assert streams.epoch_size(config, data) == np.minimum(counts, 3).sum()
    assert streams.order(config, data).num_examples == np.minimum(counts, 3).sum()
    stage = config.stages[0]
    stage.epochs = 4
    steps = optimizers.total_steps(config, stage, streams.epoch_size(config, data))
    assert steps == 4 * np.minimum(counts, 3).sum() // 16


def test_a_config_says_how_classes_are_drawn(synthetic_data):
    data, config = open_prepared(synthetic_data), tiny_config()
    config.sampling.name = "up"
    (batch,) = batches(config, data, 1)
    # The classes are spread evenly, and a batch of 16 holds two or three of seven each.
    counts = np.bincount(batch["expression"], minlength=8)
    assert counts.max() <= 4 and (counts > 0).sum() >= 6
    here = data.class_counts("train")
    for name, limit, each in (("up", 0, here.max()), ("down", 9, 9)):
        config.sampling.update(name=name, limit=limit)
        config.batch_size = streams.epoch_size(config, data)
        for epoch in batches(config, data, 2):
            counts = np.bincount(epoch["expression"], minlength=len(here))
            np.testing.assert_array_equal(counts, np.where(here > 0, each, 0))


AUGMENTS = ({"crop": True}, {"flip": True}, {"degrees": 20.0}, {"zoom": 0.2},
            {"shift": 0.2}, {"erase": 1.0}, {"cover": 1.0}, {"contrast": 0.3},
            {"brightness": 0.3}, {"blur": 2.0}, {"jpeg": 1.0})  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("chosen", AUGMENTS, ids=lambda chosen: next(iter(chosen)))
def test_each_augmentation_that_is_asked_for_is_in_the_batches(chosen, synthetic_data):
    data, config = open_prepared(synthetic_data), tiny_config()
    config.augment.update(crop=False, flip=False)
    (plain,) = batches(config, data, 1)
    config.augment.update(chosen)
    (changed,) = batches(config, data, 1)
    np.testing.assert_array_equal(changed["key"], plain["key"])
    different = (changed["image"].numpy() != plain["image"].numpy()).any(axis=(1, 2, 3))
    # Half of the faces are mirrored; an offset may be the centre's, a square tiny.
    assert different.sum() >= (4 if chosen == {"flip": True} else 12)


def test_nothing_that_is_evaluated_is_augmented(synthetic_data):
    data, config = open_prepared(synthetic_data), tiny_config()
    config.augment.update(degrees=20.0, zoom=0.2, shift=0.2, erase=1.0)
    config.input.color = "rgb"  # As it is stored.
    stored = {
        bytes(example["sample_id"]): example["image"]
        for shard in data.shards("validation")
        for example in examples(shard)
    }
    found = {}
    for batch in streams.eval_stream(config, data, "validation"):
        rows = batch["mask"].numpy() > 0
        ids = batch["sample_id"].numpy()[rows].tolist()
        found |= dict(zip(ids, batch["image"].numpy()[rows]))
    assert found.keys() == stored.keys() and found
    for name, image in stored.items():
        np.testing.assert_array_equal(found[name], image)


def test_class_weights_make_every_class_weigh_the_same(synthetic_data):
    data, config = open_prepared(synthetic_data), tiny_config()
    counts = data.class_counts("train")
    weights = np.array(streams.class_weights(data))
    present = counts > 0
    each = counts.sum() / present.sum()
    np.testing.assert_allclose((weights * counts)[present], each)
    plain = batches(config, data, 2)
    config.class_weights = True
    for before, after in zip(plain, batches(config, data, 2)):
        expected = weights[before["expression"]] * before["expression_weight"]
        np.testing.assert_allclose(after["expression_weight"], expected, rtol=1e-6)
        np.testing.assert_array_equal(
            after["valence_arousal_weight"], before["valence_arousal_weight"]
        )


def without(prepared, **changes):
    manifests = tuple({**m, **changes} for m in prepared.manifests)
    return dataclasses.replace(prepared, manifests=manifests)


def test_region_masks_need_landmarks(synthetic_data):
    config, prepared = (
        load_config("gan_synthetic"),
        pipeline.open_prepared(synthetic_data),
    )
    streams.train_ops(config, prepared)
    with pytest.raises(ValueError, match=f"{synthetic_data}: no landmarks"):
        streams.train_ops(config, without(prepared, num_landmarks=0))
