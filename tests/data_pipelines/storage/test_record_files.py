import json
import pathlib
import shutil
import struct

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines.batches import pipeline
from data_pipelines.checks import verification
from data_pipelines.sources import DataError
from data_pipelines.storage.prepared import open_prepared
from tests.data_pipelines.storage.sealed import found_by_verify, refusal, seal, shard_of


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


def records_of(folder):
    return [r.numpy() for r in tf.data.TFRecordDataset(str(shard_of(folder)))]


def write_records(folder, found):
    with tf.io.TFRecordWriter(str(shard_of(folder))) as writer:
        for record in found:
            writer.write(record)
    seal(folder)


def put_feature(name, kind, values):
    def change(example):
        del example.features.feature[name]
        if values is not None:
            getattr(example.features.feature[name], kind).value.extend(values)

    return change


def png(*shape):
    return tf.io.encode_png(np.zeros(shape, np.uint8)).numpy()


RECORDS = {
    "expression is -1": (
        put_feature("expression", "int64_list", [-1]), "must be 0 to 7, is -1 in exampl"
    ),
    "a label cut": (put_feature("expression", "float_list", [1.5]), "expression"),
    "two labels": (put_feature("expression", "int64_list", [1, 2]), "expression"),
    "no label": (put_feature("expression", "int64_list", None), "expression"),
    "a weight of NaN": (
        put_feature("expression_weight", "float_list", [np.nan]), "must be 0 or 1"
    ),
    "a valence of 2": (
        put_feature("valence_arousal", "float_list", [2, 0]), "must be in [-1, 1]"
    ),
    "no weight": (
        put_feature("expression_weight", "float_list", [0]), "classes of train are not"
    ),
    "a picture of 20": (
        put_feature("image", "bytes_list", [png(20, 20, 3)]),
        "the picture of example 3 is no PNG of 48x48 rgb",
    ),
    "a grey picture": (
        put_feature("image", "bytes_list", [png(48, 48, 1)]), "no PNG of 48x48 rgb"
    ),
    "no picture": (put_feature("image", "bytes_list", [b""]), "no PNG of 48x48"),
    "a page": (put_feature("image", "bytes_list", [b"<html>"]), "no PNG of 48x48"),
    "a text that is none": (
        put_feature("groups", "bytes_list", [b"\xff"]), "groups is not UTF-8"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_records_that_cannot_be_are_refused(name, record_folder):
    change, words = RECORDS[name]
    found = records_of(record_folder)
    example = tf.train.Example.FromString(found[3])
    change(example)
    found[3] = example.SerializeToString()
    write_records(record_folder, found)
    text = refusal(record_folder)
    assert words in text and "ParallelMap" not in text
    kinds, ok = found_by_verify(record_folder)
    assert kinds & {"shard", "count"} and not ok


def test_a_picture_that_cannot_be_decoded_is_found_by_verify(record_folder):
    found = records_of(record_folder)
    example = tf.train.Example.FromString(found[3])
    (picture,) = example.features.feature["image"].bytes_list.value
    put_feature("image", "bytes_list", [picture[:60]])(example)
    found[3] = example.SerializeToString()
    write_records(record_folder, found)
    report = verification.verify_prepared(str(record_folder))
    examples = {f["kind"]: f["examples"] for f in report["findings"]}
    assert "the picture of example 3 is damaged" in examples["shard"][0]


@pytest.mark.parametrize("length", [2**63, 2**64 - 17, 10**9, 0])
def test_a_length_that_lies_is_refused(length, record_folder):
    path = shard_of(record_folder)
    content = bytearray(path.read_bytes())
    struct.pack_into("<Q", content, 0, length)
    path.write_bytes(content)
    seal(record_folder)
    assert f"{path}: " in refusal(record_folder)
