import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines.batches import ops, pipeline
from data_pipelines.sources import DataError
from data_pipelines.storage import array_files

SIZE = dict(size=48, channels=3)


def ids(batches, count):
    return [
        [sample.decode() for sample in batch["sample_id"].numpy()]
        for batch in batches.take(count)
    ]


def train(data, **kwargs):
    arguments = dict(batch_size=16, seed=0, shuffle_window=50, **SIZE) | kwargs
    chain = arguments.pop("ops", [])
    return pipeline.train_batches(pipeline.open_prepared(data), chain, **arguments)


def test_every_example_comes_once_an_epoch_and_every_batch_is_full(synthetic_data):
    total = pipeline.open_prepared(synthetic_data).count("train")
    batches = ids(train(synthetic_data), 3 * total // 16)
    assert {len(batch) for batch in batches} == {16}
    stream = [sample for batch in batches for sample in batch]
    first, second = stream[:total], stream[total : 2 * total]
    assert len(set(first)) == len(set(second)) == total
    assert set(first) == set(second)
    assert first != second


def test_a_stream_from_a_later_step_is_the_tail_of_the_whole(synthetic_data):
    chain = [ops.random_crop(44, seed=0), ops.random_flip(seed=0)]
    total = pipeline.open_prepared(synthetic_data).count("train")
    steps = 2 * total // 16
    whole = list(train(synthetic_data, ops=chain).take(steps))
    for start in (1, 5, steps - 2):
        tail = list(train(synthetic_data, ops=chain, start_step=start).take(3))
        for ours, theirs in zip(tail, whole[start:]):
            for name in ours:
                np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_the_seed_decides_the_order(synthetic_data):
    assert ids(train(synthetic_data), 4) == ids(train(synthetic_data), 4)
    assert ids(train(synthetic_data), 4) != ids(train(synthetic_data, seed=1), 4)


def test_evaluation_gives_every_example_once_in_static_batches(synthetic_data):
    prepared = pipeline.open_prepared(synthetic_data)
    batches = pipeline.eval_batches(prepared, "test", batch_size=7, **SIZE)
    found = []
    for batch in batches:
        assert all(value.shape[0] == 7 for value in batch.values())
        real = batch["mask"].numpy() > 0
        found += batch["sample_id"].numpy()[real].tolist()
        assert not batch["expression_weight"].numpy()[~real].any()
    assert len(found) == len(set(found)) == prepared.count("test")
    for spec in batches.element_spec.values():
        assert spec.shape.is_fully_defined()


@pytest.mark.parametrize("size, channels", [(48, 1), (24, 3), (96, 1)])
def test_pictures_are_brought_to_size_and_colour(synthetic_data, size, channels):
    batch = next(iter(train(synthetic_data, size=size, channels=channels)))
    assert batch["image"].shape == (16, size, size, channels)
    assert batch["image"].dtype == tf.uint8
    original = next(iter(train(synthetic_data)))
    # Pixels have their centres at whole numbers: the left edge is at -1/2.
    expected = (original["landmarks"] + 0.5) * (size / 48) - 0.5
    np.testing.assert_allclose(batch["landmarks"], expected, atol=1e-4)
    mean = lambda images: float(tf.reduce_mean(tf.cast(images, tf.float32)))
    assert abs(mean(batch["image"]) - mean(original["image"])) < 8


def test_landmarks_stay_on_what_they_point_at_in_a_larger_picture(synthetic_data):
    """A bright dot is where its landmark says, at any size."""
    spot = np.zeros((1, 48, 48, 1), np.uint8)
    spot[0, 20, 30] = 255
    large = array_files.to_size(spot, 224, 1)[0, ..., 0].astype(float)
    rows, columns = np.indices(large.shape)
    centre = [(columns * large).sum() / large.sum(), (rows * large).sum() / large.sum()]
    batch = next(iter(train(synthetic_data, size=224)))
    original = next(iter(train(synthetic_data)))
    scale, shift = np.polyfit(
        np.ravel(original["landmarks"]), np.ravel(batch["landmarks"]), 1
    )
    np.testing.assert_allclose(np.array([30, 20]) * scale + shift, centre, atol=0.02)


def test_two_folders_train_together(synthetic_data, tmp_path):
    shutil.copytree(synthetic_data, tmp_path / "copy")
    both = f"{synthetic_data},{tmp_path / 'copy'}"
    total = pipeline.open_prepared(both).count("train")
    assert total == 2 * pipeline.open_prepared(synthetic_data).count("train")
    batches = ids(train(both), total // 16)
    counts = np.unique([s for b in batches for s in b], return_counts=True)[1]
    assert set(counts) <= {1, 2} and (counts == 2).mean() > 0.8


def test_a_folder_named_twice_is_refused(synthetic_data):
    # Its people would be counted twice, and intervals come out too narrow.
    with pytest.raises(DataError, match="named twice"):
        pipeline.open_prepared(f"{synthetic_data},{synthetic_data}/")


def test_for_fit_splits_labels_and_weights(synthetic_data):
    prepared = pipeline.open_prepared(synthetic_data)
    batches = pipeline.eval_batches(prepared, "test", batch_size=512, **SIZE)
    tasks = ["expression", "action_units"]
    image, labels, weights = next(iter(pipeline.for_fit(batches, tasks)))
    assert image.shape[0] == 512
    assert set(labels) == set(weights) == set(tasks)
    rows = prepared.count("test")
    assert float(tf.reduce_sum(weights["expression"])) == rows
    assert not weights["action_units"][rows:].numpy().any()


def test_what_is_not_a_finished_folder_is_refused(synthetic_data, tmp_path):
    with pytest.raises(DataError, match="no manifest.json"):
        pipeline.open_prepared(str(tmp_path))
    copy = tmp_path / "copy"
    shutil.copytree(synthetic_data, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / manifest["shards"][0]["name"]).unlink()
    with pytest.raises(DataError, match="is missing"):
        pipeline.open_prepared(str(copy))
    (copy / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 99}))
    with pytest.raises(DataError, match="schema 99"):
        pipeline.open_prepared(str(copy))
    (copy / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="not valid JSON"):
        pipeline.open_prepared(str(copy))


def test_fewer_examples_than_a_batch_are_refused(synthetic_data):
    with pytest.raises(DataError, match="fewer than one batch of 4096"):
        train(synthetic_data, batch_size=4096)
