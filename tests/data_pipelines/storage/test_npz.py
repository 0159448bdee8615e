import json
import os
import subprocess
import sys

import numpy as np
import pytest

from data_pipelines.checks import verification
from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, open_source
from data_pipelines.storage import manifests, npz, prepared, shards

# Some labels are missing, and some pictures show no face.
SOURCE = "seed=2,examples=60,size=48,missing=0.3,non_faces=0.2"
KEYS = {
    "image": (np.uint8, (48, 48, 3)),
    "sample_id": (np.bytes_, ()),
    "subject": (np.bytes_, ()),
    "video": (np.bytes_, ()),
    "groups": (np.bytes_, ()),
    "frame": (np.int64, ()),
    "key": (np.int64, ()),
    "expression": (np.int64, ()),
    "expression_weight": (np.float32, ()),
    "valence_arousal": (np.float32, (2,)),
    "valence_arousal_weight": (np.float32, ()),
    "action_units": (np.float32, (8,)),
    "action_units_weight": (np.float32, (8,)),
    "is_face": (np.int64, ()),
    "is_face_weight": (np.float32, ()),
    "landmarks": (np.float32, (68, 2)),
    "landmarks_weight": (np.float32, ()),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The same faces, prepared as records and as npz."""
    source = open_source("synthetic", SOURCE)
    spec = source.crop_spec()
    made = {}
    for format in manifests.FORMATS:
        made[format] = str(tmp_path_factory.mktemp("prepared") / format)
        prepare.prepare(
            source, made[format], crop_spec=spec, rows_a_chunk=13, format=format
        )
    return made


def test_arrays_have_the_names_types_and_shapes_that_are_written_down(folders):
    manifest = manifests.read(folders["npz"])
    assert manifest["format"] == "npz"
    assert {shard["name"] for shard in manifest["shards"]} == {
        f"synthetic-{split}.npz" for split in manifest["counts"]
    }
    assert set(os.listdir(folders["npz"])) == {
        "manifest.json", *(shard["name"] for shard in manifest["shards"])
    }  # fmt: skip
    for shard in manifest["shards"]:
        path = os.path.join(folders["npz"], shard["name"])
        with np.load(path, allow_pickle=False) as file:
            assert set(file.files) == set(KEYS)
            for name, (dtype, shape) in KEYS.items():
                assert np.issubdtype(file[name].dtype, dtype), name
                assert file[name].shape == (shard["num_examples"], *shape), name


def test_both_formats_hold_the_same_examples_in_the_same_order(folders):
    found = {
        format: [
            (shard.split, example)
            for shard in shards.listed(folder, manifests.read(folder))
            for example in prepared.examples(shard)
        ]
        for format, folder in folders.items()
    }
    assert len(found["npz"]) == len(found["tfrecord"]) == 60
    for (split, theirs), (same, ours) in zip(found["tfrecord"], found["npz"]):
        assert split == same and set(theirs) == set(ours) == set(KEYS)
        for name, value in theirs.items():
            np.testing.assert_array_equal(ours[name], value, err_msg=name)
    # Weights differ between examples, or equality would say little.
    for name in ("expression_weight", "is_face", "landmarks_weight"):
        assert len({float(example[name]) for _, example in found["npz"]}) == 2, name


def test_manifests_differ_in_the_format_alone(folders):
    ours, theirs = (manifests.read(folder) for folder in folders.values())
    for manifest in (ours, theirs):
        del manifest["shards"], manifest["format"], manifest["plan"]["format"]
    assert ours == theirs


def test_any_number_of_workers_gives_the_same_bytes(folders, tmp_path):
    source = open_source("synthetic", SOURCE)
    spec = source.crop_spec()
    prepare.prepare(
        source, str(tmp_path), crop_spec=spec, rows_a_chunk=13, workers=2, format="npz"
    )
    for name in os.listdir(folders["npz"]):
        with open(os.path.join(folders["npz"], name), "rb") as file:
            assert (tmp_path / name).read_bytes() == file.read(), name


def test_texts_of_any_length_and_alphabet_survive_joining(tmp_path):
    texts = ["é" * 40, "", "日本/1.png", "a"]
    parts = [str(tmp_path / f"{i}.npz") for i in range(4)]
    for part, text in zip(parts, texts):
        npz.write(part, [{"sample_id": text, "weight": 0.5, "key": 2**32 - 1}])
    npz.merge(parts, str(tmp_path / "all.npz"))
    found = np.load(str(tmp_path / "all.npz"), allow_pickle=False)
    assert [text.decode() for text in found["sample_id"]] == texts
    assert found["key"].tolist() == [2**32 - 1] * 4 and found["weight"].sum() == 2


def test_verify_reads_it_and_finds_damage(folders, tmp_path):
    assert (
        verification.verify_prepared(folders["npz"])["counts"]
        == (verification.verify_prepared(folders["tfrecord"])["counts"])
    )
    for name in os.listdir(folders["npz"]):
        with open(os.path.join(folders["npz"], name), "rb") as file:
            (tmp_path / name).write_bytes(file.read())
    path = tmp_path / "synthetic-train.npz"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    report = verification.verify_prepared(str(tmp_path))
    assert not report["ok"]
    assert any(path.name in json.dumps(finding) for finding in report["findings"])
    manifest = manifests.read(str(tmp_path))
    with pytest.raises(DataError, match="synthetic-train.npz: not a whole npz"):
        npz.read(str(path), manifest, sum(manifest["counts"]["train"].values()))


def test_it_is_written_and_verified_where_there_is_no_tensorflow(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('not installed')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "KERAS_BACKEND": "jax"}
    output = str(tmp_path / "out")
    for command in (
        ["prepare", "--dataset=synthetic", "--source=examples=12,size=48",
         "--format=npz", f"--output={output}"],
        ["verify", f"--data={output}"],
    ):  # fmt: skip
        subprocess.run(
            [sys.executable, "-m", f"trainers.{command[0]}", *command[1:]],
            env=environment,
            check=True,
        )
    assert manifests.read(output)["num_examples"] == 12


def test_what_is_too_large_for_memory_is_refused_before_anything_is_drawn(tmp_path):
    source = open_source("synthetic", "examples=60000,size=256")
    spec = source.crop_spec()
    # 60,000 times 256 * 256 * 3 bytes.
    with pytest.raises(DataError, match="11.0 GiB.*8 GiB at most.*--format=tfrecord"):
        prepare.prepare(source, str(tmp_path), crop_spec=spec, format="npz")
