import json

import numpy as np
import pytest

from data_pipelines.preparation import prepare
from data_pipelines.sources import open_source
from data_pipelines.storage import manifests, prepared, records, shards


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Several shards, some labels missing, no landmarks in some pictures."""
    output = tmp_path_factory.mktemp("prepared") / "synthetic"
    text = "seed=5,examples=90,size=48,missing=0.3,non_faces=0.2"
    source = open_source("synthetic", text)
    spec = source.crop_spec()
    prepare.prepare(source, str(output), crop_spec=spec, rows_a_chunk=30)
    return output


def test_the_files_describe_every_feature_and_shard(folder):
    manifest = manifests.read(str(folder))
    info = json.loads((folder / "dataset_info.json").read_text())
    assert (info["name"], info["fileFormat"]) == ("synthetic", "tfrecord")
    for split in info["splits"]:
        shards = sorted(folder.glob(f"synthetic-{split['name']}.tfrecord-*"))
        assert split["numBytes"] == str(sum(path.stat().st_size for path in shards))
        # 64-bit numbers are texts in this format, a shard a number.
        assert len(split["shardLengths"]) == len(shards) == 3
        assert sum(map(int, split["shardLengths"])) == (
            sum(manifest["counts"][split["name"]].values())
        )
    described = json.loads((folder / "features.json").read_text())
    features = described["featuresDict"]["features"]
    assert set(features) == set(records.feature_spec(manifest))
    assert features["image"]["image"]["shape"]["dimensions"] == ["48", "48", "3"]
    names = (folder / "expression.labels.txt").read_text().split()
    assert names == manifest["expressions"]


def test_tensorflow_datasets_reads_what_our_pipeline_reads(folder):
    tfds = pytest.importorskip(
        "tensorflow_datasets", reason='needs TensorFlow Datasets: the extra "tfds"'
    )
    builder = tfds.builder_from_directory(str(folder))
    manifest = manifests.read(str(folder))
    assert builder.info.features["expression"].names == manifest["expressions"]
    count = 0
    for split in manifest["counts"]:
        # Interleaved in their order, and the names are the same in both.
        theirs = {
            example["sample_id"]: example
            for example in tfds.as_numpy(builder.as_dataset(split=split))
        }
        for shard in shards.listed(str(folder), manifest):
            if shard.split != split:
                continue
            for ours in prepared.examples(shard):
                found = theirs.pop(ours["sample_id"])
                assert set(found) == set(ours)
                for name, value in ours.items():
                    same = np.reshape(found[name], np.shape(value))
                    np.testing.assert_array_equal(same, value, err_msg=name)
                count += 1
        assert not theirs
    assert count == manifest["num_examples"] == 90
