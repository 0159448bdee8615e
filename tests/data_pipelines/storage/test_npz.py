import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest

from data_pipelines.checks import verification
from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, open_source
from data_pipelines.storage import manifests, npz, prepared, shards
from tests.data_pipelines.storage.sealed import (
    found_by_verify,
    put,
    refusal,
    rewrite,
    seal,
    shard_of,
)

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


def replace(name, function):
    def change(arrays):
        arrays[name] = function(arrays[name])

    return change


def structured(x):
    return np.zeros(len(x), [("a", np.int64)])


CHANGES = {
    "expression is -1": (put("expression", -1), "expression must be 0 to 7, is -1"),
    "expression is 8": (put("expression", 8), "expression must be 0 to 7, is 8"),
    "a cut label": (
        replace("expression", lambda x: x + 0.5), "expression must be int64 of shape"
    ),
    "labels of 32 bits": (
        replace("expression", lambda x: x.astype(np.int32)), "expression must be int64"
    ),
    "another byte order": (
        replace("key", lambda x: x.astype(">i8")), "key must be int64 of shape"
    ),
    "a record": (replace("frame", structured), "frame must be int64 of shape"),
    "Fortran's order": (
        replace("valence_arousal", np.asfortranarray), "valence_arousal must be float32"
    ),
    "a weight of NaN": (
        put("expression_weight", np.nan), "expression_weight must be 0 or 1, is nan"
    ),
    "a weight of 1e30": (
        put("expression_weight", 1e30), "expression_weight must be 0 or 1"
    ),
    "a weight of -1": (put("is_face_weight", -1), "is_face_weight must be 0 or 1"),
    "no weight at all": (
        replace("expression_weight", np.zeros_like), "the classes of train are not"
    ),
    "shifted labels": (
        put("expression", 0, row=slice(None)), "the classes of train are not"
    ),
    "a valence of 2": (
        put("valence_arousal", 2), "must be in [-1, 1], is [2.0, 2.0] in example 3"
    ),
    "a valence of NaN": (put("valence_arousal", np.nan), "must be in [-1, 1]"),
    "half a unit": (put("action_units", 0.5), "action_units must be 0 or 1"),
    "a face of 2": (put("is_face", 2), "is_face must be 0 or 1, is 2"),
    "an infinite point": (put("landmarks", np.inf), "landmarks must be finite"),
    "a negative key": (put("key", -1), "key must be of 32 bits, is -1 in example 3"),
    "a frame of -2": (put("frame", -2), "frame must be at least -1"),
    "a text that is none": (put("video", b"\xff"), "video is not UTF-8"),
    "groups that are none": (put("groups", b"[1]"), "groups is no dict of texts"),
    "groups of 99999 [": (
        replace("groups", lambda x: np.array([b"[" * 99999] * len(x))),
        "groups is not JSON",
    ),
    "no id": (put("sample_id", b""), "sample_id is empty"),
    "ids of U": (replace("sample_id", lambda x: x.astype("U")), "sample_id must be"),
    "pictures of 20": (
        replace("image", lambda x: x[:, :20, :20]), "image must be uint8 of shape"
    ),
    "pictures of floats": (replace("image", np.float32), "image must be uint8"),
    "grey pictures": (replace("image", lambda x: x[..., :1]), "image must be uint8"),
    "a row less": (replace("video", lambda x: x[1:]), "video must be"),
    "a column less": (
        lambda arrays: {k: v for k, v in arrays.items() if k != "key"}, "key is missing"
    ),
    "70 columns more": (
        lambda arrays: arrays | {f"x{n}": np.zeros(1) for n in range(70)},
        "does not lie in the file",
    ),
    "one point less": (replace("landmarks", lambda x: x[:, 1:]), "landmarks must be"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_arrays_that_cannot_be_are_refused(name, npz_folder):
    change, words = CHANGES[name]
    rewrite(npz_folder, change)
    text = refusal(npz_folder)
    assert words in text
    assert ("classes" in text) != ("synthetic-train.npz" in text)
    kinds, ok = found_by_verify(npz_folder)
    assert kinds & {"shard", "count"} and not ok


def edit(path, old, new):
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new.ljust(len(old)), 1))


@pytest.mark.parametrize(
    "old, new",
    [
        (b"'descr': '|u1'", b"'descr': '|O' "),  # What was a crash of the process.
        (b"'descr': '|u1'", b"'descr': '|V1'"),
        (b"'descr': '|u1'", b"'descr': '|i1'"),
        (b"'descr': '|u1'", b"'descr': 7*'1'"),
        (b"'descr': '|u1'", b"'descr': [((("),
        (b", 48, 48, 3), ", b",-48,-48, 3), "),
        (b", 48, 48, 3), ", b",9**9**9, 3),"),
        (b", 48, 48, 3), ", b",99999999999,"),
        (b"'fortran_order': False", b"'fortran_order': True "),
        (b"NUMPY\x01\x00", b"NUMPY\x03\x00"),
        (b"\x93NUMPY", b"\x93PICKL"),
    ],
)
def test_a_header_that_lies_is_never_mapped(old, new, npz_folder):
    edit(shard_of(npz_folder), old, new)
    seal(npz_folder)
    assert "synthetic-train.npz: not a whole npz" in refusal(npz_folder)


def test_members_that_are_compressed_or_lead_elsewhere_are_refused(npz_folder):
    path = shard_of(npz_folder)
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    np.savez_compressed(path, **arrays)
    seal(npz_folder)
    assert "a member is not stored as it is" in refusal(npz_folder)
    np.savez(path, **arrays)
    content = bytearray(path.read_bytes())
    # The sizes of the first member, as they stand behind its name.
    place = content.index(b".npy") + 4
    struct.pack_into("<QQ", content, place + 4, 2**62, 2**62)
    path.write_bytes(content)
    seal(npz_folder)
    assert "does not lie in the file" in refusal(npz_folder)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04" * 9, bytes(9999)])
def test_a_file_that_is_no_npz_is_refused(content, npz_folder):
    shard_of(npz_folder).write_bytes(content)
    seal(npz_folder)
    assert "synthetic-train.npz: " in refusal(npz_folder)
