import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines.batches import arrays, ops, pipeline
from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, open_source
from data_pipelines.storage.prepared import open_prepared

SIZE = dict(size=48, channels=1)
BATCH = dict(batch_size=16, seed=5, shuffle_window=50)


@pytest.fixture(scope="module")
def npz_data(tmp_path_factory):
    """The faces of `synthetic_data`, as npz."""
    output = str(tmp_path_factory.mktemp("prepared") / "npz")
    source = open_source("synthetic", "seed=3,examples=160,size=48")
    spec = source.crop_spec()
    prepare.prepare(source, output, crop_spec=spec, rows_a_chunk=40, format="npz")
    return output


def chain():
    return [
        ops.random_affine(seed=1, degrees=12, zoom=0.1, shift=0.05),
        ops.random_crop(44, seed=1),
        ops.random_flip(seed=1),
        ops.random_cover(seed=1, probability=0.5, depth=0.4),
        ops.random_light(seed=1, contrast=0.3, brightness=0.2),
        ops.random_blur(seed=1, sigma=1.5),
        ops.random_erase(seed=1, probability=0.5, area=0.2),
        ops.region_masks(),
        ops.class_weights([0.5, 1, 2, 3, 4, 5, 6, 7]),
        ops.numbers_only(),
        ops.to_model_input(),
    ]


def both(synthetic_data, npz_data, chain, steps, **kwargs):
    """The same steps out of records, by TensorFlow, and out of npz, without."""
    kwargs = SIZE | BATCH | kwargs
    stream = pipeline.train_batches(open_prepared(synthetic_data), chain, **kwargs)
    batches = arrays.TrainBatches(open_prepared(npz_data), chain, None, **kwargs)
    for step, theirs in enumerate(stream.take(steps)):
        yield batches[step], {name: value.numpy() for name, value in theirs.items()}


def test_crops_and_flips_are_those_of_tensorflow_bit_for_bit(synthetic_data, npz_data):
    chain = [
        ops.random_crop(44, seed=1),
        ops.random_flip(seed=1),
        ops.region_masks(region_sizes="literal", cell_anchor="center"),
        ops.numbers_only(),
        ops.to_model_input(),
    ]
    # More than two epochs, so that a batch reaches across their ends.
    for ours, theirs in both(synthetic_data, npz_data, chain, 20):
        assert set(theirs) <= set(ours)
        for name, value in theirs.items():
            np.testing.assert_array_equal(ours[name], value, err_msg=name)
            assert ours[name].dtype == value.dtype, name


@pytest.mark.slow
def test_what_interpolates_is_that_of_tensorflow_to_rounding(synthetic_data, npz_data):
    for ours, theirs in both(synthetic_data, npz_data, chain(), 4):
        for name, value in theirs.items():
            atol = {"image": 0.02, "landmarks": 1e-3}.get(name, 0)
            np.testing.assert_allclose(ours[name], value, rtol=0, atol=atol)


@pytest.mark.parametrize("sample, limit", [("up", 0), ("down", 5)])
def test_classes_are_drawn_alike(sample, limit, synthetic_data, npz_data):
    kwargs = dict(sample=sample, limit=limit)
    for ours, theirs in both(synthetic_data, npz_data, [], 5, **kwargs):
        np.testing.assert_array_equal(ours["sample_id"], theirs["sample_id"])
        np.testing.assert_array_equal(ours["epoch"], theirs["epoch"])


@pytest.mark.parametrize("size, channels", [(48, 3), (24, 1), (36, 1), (80, 1)])
def test_pictures_are_brought_to_size_and_colour_alike(
    size, channels, synthetic_data, npz_data
):
    kwargs = dict(size=size, channels=channels)
    for ours, theirs in both(synthetic_data, npz_data, [], 2, **kwargs):
        difference = np.abs(ours["image"].astype(int) - theirs["image"].astype(int))
        # At 36 one sum of areas in 16 ends on a half, and either may round it.
        share = 0.9 if size == 36 else 0.999
        assert difference.max() <= 1 and (difference == 0).mean() > share
        np.testing.assert_allclose(ours["landmarks"], theirs["landmarks"], rtol=1e-6)


def test_epochs_go_on_where_the_last_one_ended_and_resume(npz_data):
    data = open_prepared(npz_data)
    make = lambda **kwargs: arrays.TrainBatches(
        data, chain(), ["expression"], **SIZE, **BATCH, **kwargs
    )
    batches, images = make(), []
    assert len(batches) == data.count("train") // 16
    for batches.epoch in range(3):
        images += [batches[index][0] for index in range(len(batches))]
    resumed = make(start_step=len(batches) + 2)
    for index in (0, 3):
        np.testing.assert_array_equal(
            resumed[index][0], images[len(batches) + 2 + index]
        )
    # What the first epoch's full batches left over begins the second.
    plain = arrays.TrainBatches(data, [], None, **SIZE, **BATCH)
    left = data.count("train") - len(plain) * 16
    plain.epoch = 1
    assert plain[0]["epoch"].tolist() == [0] * left + [1] * (16 - left)


@pytest.mark.parametrize("workers", [1, 2])
def test_fit_sees_every_batch_of_every_epoch_in_turn(workers, npz_data):
    seen = []

    class Model(keras.Model):
        def train_step(self, data):
            seen.append(np.asarray(data[1]["valence_arousal"]))
            return {"loss": tf.zeros(())}

    make = lambda tasks, **kwargs: arrays.TrainBatches(
        open_prepared(npz_data), [], tasks, **SIZE, **BATCH, **kwargs
    )
    batches = make(["valence_arousal"], workers=workers)
    model = Model()
    model.compile(run_eagerly=True)
    callbacks = [arrays.EpochOf(batches)]
    fit = lambda **kwargs: model.fit(
        batches, shuffle=False, callbacks=callbacks, verbose=0, **kwargs
    )
    fit(epochs=2)
    fit(initial_epoch=2, epochs=3)
    assert len(seen) == 3 * len(batches)
    straight = make(None, steps_per_epoch=len(seen))
    for index, found in enumerate(seen):
        np.testing.assert_array_equal(found, straight[index]["valence_arousal"])


def test_evaluation_gives_every_example_once(synthetic_data, npz_data):
    kwargs = SIZE | dict(batch_size=7)
    ours = arrays.EvalBatches(open_prepared(npz_data), "test", [], None, **kwargs)
    theirs = list(
        pipeline.eval_batches(open_prepared(synthetic_data), "test", **kwargs)
    )
    assert len(ours) == len(theirs) > 1
    for index, batch in enumerate(theirs):
        for name, value in batch.items():
            np.testing.assert_array_equal(ours[index][name], value, err_msg=name)
    tasks = ["expression", "action_units"]
    batches = arrays.EvalBatches(open_prepared(npz_data), "test", [], tasks, **kwargs)
    image, labels, weights = batches[len(ours) - 1]
    rows = int(theirs[-1]["mask"].numpy().sum())
    assert 0 < rows < 7 and image.shape[0] == 7
    assert set(labels) == set(weights) == set(tasks)
    assert weights["expression"][:rows].all() and not weights["expression"][rows:].any()


@pytest.mark.slow
def test_tensorflow_reads_npz_into_the_same_batches(synthetic_data, npz_data):
    streams = [
        pipeline.train_batches(open_prepared(data), chain(), **SIZE, **BATCH)
        for data in (synthetic_data, npz_data)
    ]
    for ours, theirs in zip(*(stream.take(3) for stream in streams)):
        assert set(theirs) == set(ours)
        for name in theirs:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
            assert ours[name].shape == theirs[name].shape


def test_pictures_are_not_read_into_memory(npz_data):
    files = open_prepared(npz_data).files("train")
    assert all(isinstance(images, np.memmap) for images in files._images)


def test_folders_of_two_formats_or_records_are_refused(synthetic_data, npz_data):
    with pytest.raises(DataError, match="prepared as npz, .*synthetic as tfrecord"):
        open_prepared(f"{synthetic_data},{npz_data}")
    with pytest.raises(DataError, match="only those of trainers.prepare --format=npz"):
        arrays.TrainBatches(open_prepared(synthetic_data), [], None, **SIZE, **BATCH)
    with pytest.raises(DataError, match="fewer than one batch of 4096"):
        arrays.TrainBatches(
            open_prepared(npz_data), [], None, **SIZE, **BATCH | dict(batch_size=4096)
        )


@pytest.mark.parametrize("damage", ["cut", "not"])
def test_a_damaged_file_is_named(damage, npz_data, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(npz_data, copy)
    path = copy / "synthetic-train.npz"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"not a zip")
    with pytest.raises(DataError, match="train.npz: (not the file|too small)"):
        open_prepared(str(copy)).files("train")
