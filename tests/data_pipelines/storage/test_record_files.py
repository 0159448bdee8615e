import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines.batches import pipeline
from data_pipelines.sources import DataError
from data_pipelines.storage.prepared import open_prepared


@pytest.fixture
def copy(synthetic_data, tmp_path):
    shutil.copytree(synthetic_data, tmp_path / "copy")
    return tmp_path / "copy"


def first_shard(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    shards = [s for s in manifest["shards"] if "-train." in s["name"]]
    assert len(shards) > 1 and shards[0]["num_examples"] > 1
    return folder / shards[0]["name"]


def test_any_record_is_the_one_that_reading_in_turn_gives(synthetic_data):
    data = open_prepared(synthetic_data)
    paths = [shard.path for shard in data.shards("train")]
    expected = [record.numpy() for record in tf.data.TFRecordDataset(paths)]
    files = data.files("train")
    assert len(files.folders) == len(expected) == data.count("train")
    rows = np.random.default_rng(0).integers(0, len(expected), 200)
    assert list(files.read(rows)) == [expected[row] for row in rows]


def test_columns_are_the_labels_of_the_records(synthetic_data):
    data = open_prepared(synthetic_data)
    every = data.count("train")
    (batch,) = pipeline.eval_batches(
        data, "train", size=48, channels=3, batch_size=every
    )
    columns = data.training_columns
    for name in ("expression", "expression_weight"):
        np.testing.assert_array_equal(columns[name], batch[name])
    counts = np.bincount(columns["expression"], minlength=8)
    np.testing.assert_array_equal(counts, data.class_counts("train"))
    assert not any(columns["video"])


@pytest.mark.parametrize("damage", ["cut", "changed", "another"])
def test_a_shard_that_is_not_what_was_prepared_is_named(damage, copy):
    shard = first_shard(copy)
    content = bytearray(shard.read_bytes())
    if damage == "cut":
        del content[-100:]
    elif damage == "changed":
        # A label: neither the frame of the file nor the picture shows it.
        place = content.index(b"synthetic_")
        content[place] ^= 1
    else:
        others = sorted(pathlib.Path(copy).glob("*-train.tfrecord-*"))
        content = bytearray(others[-1].read_bytes())
    shard.write_bytes(content)
    with pytest.raises(DataError, match="00000-of-.*not the file that was prepared"):
        open_prepared(str(copy)).files("train").read(np.arange(3))


def test_the_pipeline_says_so_before_it_begins_and_in_words_of_its_own(copy):
    shard = first_shard(copy)
    shard.write_bytes(shard.read_bytes()[:-100])
    data, shapes = open_prepared(str(copy)), dict(size=48, channels=1, batch_size=64)
    with pytest.raises(DataError, match=f"^{shard}: not the file that was prepared"):
        pipeline.train_batches(data, [], seed=0, **shapes)
    with pytest.raises(DataError, match=f"^{shard}: not the file that was prepared"):
        pipeline.eval_batches(data, "train", **shapes)


def test_fewer_records_than_the_manifest_states_are_noticed(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    shards = [s for s in manifest["shards"] if "-train." in s["name"]]
    shards[0]["num_examples"] += 1
    shards[1]["num_examples"] -= 1
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="records, not the"):
        open_prepared(str(copy)).files("train").read(np.arange(3))
